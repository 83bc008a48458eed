"""A rehearsal builds what was packed, elsewhere and alone, and tells what has changed."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typst

from handin import rehearse
from handin.errors import HandinError
from handin.rehearse import Comparison, compare

ROOT = Path(__file__).parents[2]
QUARTO_YML = """\
project: {type: default, output-dir: _output, execute-dir: project, render: [report.qmd]}
author: {name: Maria Muster, login: mmuster}
handin: {course: Testing, assignment: 1, archive: "{login}.zip", page-limit: 10, tasks: ["1"]}
lang: en
jupyter: python3
format:
  typst: {papersize: a4, template-partials: [templates/typst-template.typ, templates/typst-show.typ]}
"""
REPORT = """\
---
title: "Small"
notebook: true
---

# Numbers {#sec-1}

The answer is `{python} __import__("answer").answer`, the stray setting
`{python} str(__import__("os").environ.get("STRAY"))`.
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small hand-in in the form that `handin pack` writes, with what it builds."""
    root = tmp_path_factory.mktemp("small") / "project"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "templates", root / "templates", ignore=ignore)
    shutil.copytree(ROOT / "code" / "handin", root / "code" / "handin", ignore=ignore)
    (root / "_quarto.yml").write_text(QUARTO_YML)
    (root / "report.qmd").write_text(REPORT)
    (root / "_environment").write_text("PYTHONPATH=code\nSOURCE_DATE_EPOCH=1704067200\n")
    (root / "code" / "answer.py").write_text("answer = 4\n")
    command = [sys.executable, "-m", "handin", "render", "--renderer", "builtin"]
    environment = {**os.environ, "PYTHONPATH": str(root / "code")}
    built = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    archive = root.parent / "mmuster.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for document in ("report.pdf", "report.ipynb"):
            out.write(root / "_output" / document, document)
        for path in root.rglob("*"):
            name = path.relative_to(root).as_posix()
            if (path.is_file() and not name.startswith("_")) or name in ("_quarto.yml", "_environment"):
                out.write(path, name)
    return archive


def changed(archive: Path, folder: Path, name: str, text: str | None) -> Path:
    """The ZIP with one file changed, or left out."""
    new = folder / archive.name
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(new, "w") as out:
        for entry in old.namelist():
            if entry != name:
                out.writestr(entry, old.read(entry))
            elif text is not None:
                out.writestr(entry, text)
    return new


def test_an_honest_hand_in_is_reproduced(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRAY", "leaked")
    same = [Comparison(name, True, ()) for name in ("report.pdf", "report.ipynb")]
    assert rehearse.rehearse(packed, "builtin") == same


def test_another_number_is_seen_and_its_page_named(packed: Path, tmp_path: Path) -> None:
    pdf, notebook = rehearse.rehearse(changed(packed, tmp_path, "code/answer.py", "answer = 5\n"), "builtin")
    assert str(pdf) == "report.pdf: other bytes, other pages: 1"
    assert str(notebook) == "report.ipynb: other bytes"


def test_what_cannot_be_built_is_an_error(packed: Path, tmp_path: Path) -> None:
    archive = changed(packed, tmp_path, "report.qmd", "{{< include sections/gone.qmd >}}\n")
    with pytest.raises(HandinError, match=r"do not build \(exit status 1\)"):
        rehearse.rehearse(archive, "builtin")


@pytest.mark.parametrize(
    ("name", "words"), [("report.pdf", r"holds no report\.pdf"), ("_quarto.yml", r"holds no _quarto\.yml")]
)
def test_what_pack_did_not_write_is_refused_before_anything_runs(
    packed: Path, tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(HandinError, match=rf"mmuster\.zip: {words}.*`handin pack`"):
        rehearse.rehearse(changed(packed, tmp_path, name, None))


def test_a_damaged_zip_is_refused(packed: Path, tmp_path: Path) -> None:
    broken = bytearray(packed.read_bytes())
    broken[2000] ^= 255
    (tmp_path / "broken.zip").write_bytes(broken)
    for name in ("broken", "none"):
        with pytest.raises(HandinError, match=rf"{name}\.zip: cannot be read"):
            rehearse.rehearse(tmp_path / f"{name}.zip")


@pytest.mark.skipif(not rehearse.can_be_offline(), reason="this system cannot cut the network")
def test_offline_leaves_the_loopback_and_nothing_else() -> None:
    script = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname()).close()\n"
        "try:\n"
        "    socket.create_connection(('192.0.2.1', 80), timeout=5)\n"
        "except OSError as error:\n"
        "    print(error.errno == 101)\n"
    )
    command = [*rehearse.OFFLINE, rehearse.RAISE_LOOPBACK, sys.executable, "-c", script]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "True\n"


def test_the_pages_that_differ_are_named() -> None:
    def pdf(*pages: str) -> bytes:
        return bytes(typst.compile(f'#set page("a6")\n{"#pagebreak()".join(pages)}'.encode()))

    before = pdf("One", "Two", "#rect(width: 3cm)")
    other_bytes = pdf('#set document(title: "t")\nOne', "Two", "#rect(width: 3cm)")
    assert compare("x.pdf", before, other_bytes) == Comparison("x.pdf", False, ())
    assert compare("x.pdf", before, pdf("One", "2", "#rect(width: 4cm)", "More")).differing == (2, 3, 4)
