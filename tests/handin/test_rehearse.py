"""A rehearsal builds what was packed, elsewhere and alone, and tells what has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typst
from click.testing import CliRunner

from handin.cli import main
from handin.errors import HandinError
from handin.rehearse import Rehearsal, offline, unpack
from handin.rehearse.compare import compare

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

QUARTO_YML = """\
project: {type: default, output-dir: _output, execute-dir: project, render: [report.qmd]}
author: {name: Maria Muster, login: mmuster}
handin:
  course: Testing
  assignment: 1
  archive: "dl24-{assignment}-{login}.zip"
  page-limit: 10
  tasks: ["1"]
lang: en
jupyter: python3
format:
  typst:
    papersize: a4
    keep-ipynb: true
    template-partials: [templates/typst-template.typ, templates/typst-show.typ]
"""
REPORT_QMD = """\
---
title: "Small"
---

```{python}
#| include: false
import os
import matplotlib.pyplot as plt
from answer import answer, slope
stray = os.environ.get("HANDIN_TEST_STRAY", "none")
```

# Numbers {#sec-1}

The answer is `{python} answer`, the stray setting `{python} stray`.

```{python}
#| echo: false
#| label: fig-line
#| fig-cap: "A line, as said in @sec-1."
#| fig-alt: "A line"
plt.plot([1, 4, slope])
plt.show()
```
"""
ANSWER = "answer, slope = 4, 9\n"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small hand-in in the form that `handin pack` writes, with what it builds."""
    root = tmp_path_factory.mktemp("small")
    (root / "_quarto.yml").write_text(QUARTO_YML)
    (root / "report.qmd").write_text(REPORT_QMD)
    (root / "_environment").write_text("PYTHONPATH=code\nSOURCE_DATE_EPOCH=1704067200\n")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "templates", root / "templates", ignore=ignore)
    shutil.copytree(ROOT / "code" / "handin", root / "code" / "handin", ignore=ignore)
    (root / "code" / "answer.py").write_text(ANSWER)
    command = [sys.executable, "-m", "handin", "render", "--renderer", "builtin"]
    environment = {**os.environ, "PYTHONPATH": str(root / "code")}
    built = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (root / "_output" / "report.pdf").rename(root / "report.pdf")
    return _zip(root, root.parent / "dl24-1-mmuster.zip")


def _zip(root: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not name.startswith(("_output", "figures")) and "__pycache__" not in name:
                out.write(path, name)
    return archive


def _changed(archive: Path, folder: Path, name: str, text: str | None) -> Path:
    """The ZIP with one file changed, or left out."""
    new = folder / archive.name
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in old.namelist():
            if entry != name:
                out.writestr(entry, old.read(entry))
            elif text is not None:
                out.writestr(entry, text)
    return new


def _rehearse(archive: Path) -> Rehearsal:
    with unpack(archive) as unpacked:
        return unpacked.rehearse("builtin")


def _messages(rehearsal: Rehearsal) -> list[str]:
    return [
        f"{difference.place}: {difference.message}"
        for comparison in rehearsal.comparisons
        for difference in comparison.differences
    ]


def test_an_honest_hand_in_is_reproduced(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDIN_TEST_STRAY", "leaked")
    with unpack(packed) as unpacked:
        place = unpacked.project.root
        assert not (place / "report.pdf").exists(), "the build must not find what it is to make"
        rehearsal = unpacked.rehearse("builtin")
    assert not place.exists()
    assert rehearsal.reproduced, _messages(rehearsal)
    assert rehearsal.offline == offline.available()
    (comparison,) = rehearsal.comparisons
    assert (comparison.pages, comparison.figures, comparison.same_bytes) == (1, 1, True)


def test_another_number_is_named_with_its_page_and_cause(packed: Path, tmp_path: Path) -> None:
    rehearsal = _rehearse(_changed(packed, tmp_path, "code/answer.py", ANSWER.replace("4", "5")))
    assert _messages(rehearsal) == [
        "report.pdf, page 1: the number after “Numbers The answer is” was “4,”, is “5,”"
    ]
    assert rehearsal.comparisons[0].causes == ("code/answer.py changed",)
    assert list(rehearsal.in_words())[-2:-1] == ["  built otherwise: code/answer.py changed"]
    assert "not reproduced" in list(rehearsal.in_words())[-1]


def test_sources_that_do_not_build_are_an_error(packed: Path, tmp_path: Path) -> None:
    archive = _changed(packed, tmp_path, "report.qmd", "{{< include sections/gone.qmd >}}\n")
    with pytest.raises(HandinError, match=r"do not build \(exit status 1\)"):
        _rehearse(archive)


def test_what_was_not_packed_by_us_is_refused_before_anything_runs(packed: Path, tmp_path: Path) -> None:
    def refused(name: str, words: str) -> None:
        with pytest.raises(HandinError, match=rf"{name}: .*{words}.*`handin pack`"), unpack(tmp_path / name):
            pytest.fail("unpacked")

    def write(name: str, *entries: tuple[str | zipfile.ZipInfo, str]) -> None:
        with zipfile.ZipFile(tmp_path / name, "w") as out:
            out.writestr("_quarto.yml", QUARTO_YML)
            for entry, text in entries:
                out.writestr(entry, text)

    with zipfile.ZipFile(tmp_path / "none.zip", "w") as out:
        out.writestr("report.pdf", "x")
    refused("none.zip", r"holds no _quarto\.yml")
    link = zipfile.ZipInfo("link.py")
    link.external_attr = 0o120777 << 16
    write("link.zip", (link, "/etc/passwd"))
    refused("link.zip", r"`link\.py` is no ordinary file")
    for number, path in enumerate(("../x.py", "/x.py", "a/../../x.py", "c:/x.py", "a\\b.py", "a\nb")):
        write(f"slip{number}.zip", (path, "x"))
        refused(f"slip{number}.zip", "leads outside")
    with pytest.warns(UserWarning, match="Duplicate"):
        write("twice.zip", ("a.py", "1"), ("a.py", "2"))
    refused("twice.zip", "occurs twice")
    (tmp_path / "cut.zip").write_bytes(packed.read_bytes()[:-100])
    refused("cut.zip", "cannot be read")
    broken = bytearray(packed.read_bytes())
    broken[2000] ^= 255
    (tmp_path / "broken.zip").write_bytes(broken)
    refused("broken.zip", "cannot be read")


def test_a_missing_pdf_is_named_before_anything_runs(packed: Path, tmp_path: Path) -> None:
    archive = _changed(packed, tmp_path, "report.pdf", None)
    with pytest.raises(HandinError, match=r"holds no report\.pdf"), unpack(archive):
        pytest.fail("unpacked")


def test_the_command_executes_only_what_the_user_says_is_theirs(packed: Path, tmp_path: Path) -> None:
    anothers = ["--project", str(HERE / "project"), "rehearse", str(packed)]
    for command in (anothers, ["--project", str(tmp_path), "rehearse", str(packed)]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        assert "handed in by mmuster, and rehearsing executes what is in it; add --mine" in result.output
    result = CliRunner().invoke(main, ["--project", str(tmp_path), "rehearse"])
    assert result.exit_code == 1
    assert "no ZIP named, and no project here" in result.output


@pytest.mark.skipif(not offline.available(), reason="this system cannot cut the network")
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
    command = [*offline.prefix(), sys.executable, "-c", script]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "True\n"


BOX = "\n#figure(rect(width: 3cm), caption: [A box.])"


def _pdf(body: str) -> bytes:
    return bytes(typst.compile(f'#set page("a6")\n{body}'.encode()))


def test_words_pages_and_drawings_are_compared() -> None:
    before = _pdf(f"The error is 0.0073 after 12 runs.{BOX}")

    other_bytes = _pdf(f'#set document(title: "t")\nThe error is 0.0073 after 12 runs.{BOX}')
    result = compare("x.pdf", before, other_bytes)
    assert result.reproduced
    assert not result.same_bytes
    assert (result.pages, result.numbers, result.figures) == (1, 3, 1)

    longer = _pdf(f"The error is 0.0074 after 12 runs.{BOX}\n#pagebreak()\nMore")
    assert [difference.message for difference in compare("x.pdf", before, longer).differences] == [
        "1 pages handed in, 2 rebuilt",
        "the number after “The error is” was “0.0073”, is “0.0074”",
        "the text after “Figure 1: A box.” was “”, is “More”",
    ]

    wider = _pdf(f"The error is 0.0073 after 12 runs.{BOX.replace('3cm', '4cm')}")
    (difference,) = compare("x.pdf", before, wider).differences
    assert difference.message == "Figure 1 or something near is drawn differently"
