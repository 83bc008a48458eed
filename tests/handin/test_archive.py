"""The ZIP: what is in it, the same bytes every time, and an earlier one that survives whatever happens."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from good_project import COURSE, ZIP, Recipe

from handin import pack as archive
from handin.errors import HandinError
from handin.pack import NotReadyError, as_zip, pack
from handin.project import Project, load_project
from handin.reading.submission import Submission
from handin.rehearse.archive import read_own
from handin.rules import Finding, Status, apply
from handin.rules.packing import manifest


def packed(project: Project) -> list[Path]:
    """What `handin pack` does."""
    return pack(project, *checked(project))


def checked(project: Project) -> tuple[Submission, list[Finding]]:
    submission = Submission.of(project)
    return submission, apply(submission)


def test_settings_of_the_project_are_the_course(tmp_path: Path) -> None:
    assert Recipe().write(tmp_path).handin == COURSE


def test_a_good_project_is_packed_and_its_zip_passes(tmp_path: Path) -> None:
    [path] = packed(Recipe().write(tmp_path))
    assert path == tmp_path / "_output" / ZIP
    findings = apply(Submission(path.name, read_own(path), COURSE))
    assert [f for f in findings if f.status is not Status.PASS] == []


def test_it_holds_documents_sources_and_a_manifest_and_nothing_else(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    clutter = (
        ".git/config", ".venv/bin/python", ".DS_Store",
        "notes.txt", "old.zip", "figures/fig.svg",
        "_store/model.safetensors", "code/net/__pycache__/model.pyc", "code/net/model.py~",
        "code/.ipynb_checkpoints/a.py", "#draft.qmd#", "code/handin.egg-info/PKG-INFO",
        "_output/other.zip", "sections/.1-network.qmd.swp", "code/settings/profile_default/startup/README",
    )  # fmt: skip
    for name in clutter:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("clutter")
    [path] = packed(load_project(project.root))
    documents = {"report.pdf", "notebook.pdf", "notebook.ipynb", "manifest.json"}
    with zipfile.ZipFile(path) as held:
        assert set(held.namelist()) == documents | set(Recipe().sources)


def test_the_manifest_vouches_for_every_file_and_tells_the_checks(tmp_path: Path) -> None:
    [path] = packed(Recipe().write(tmp_path))
    with zipfile.ZipFile(path) as held:
        manifest = json.loads(held.read("manifest.json"))
        assert set(manifest["files"]) == set(held.namelist()) - {"manifest.json"}
    assert {check["status"] for check in manifest["checks"]} == {"pass"}
    assert manifest["students"] == [{"name": "Maria Muster", "login": "mmuster"}]


def test_packing_twice_gives_the_same_bytes_whatever_dates_and_modes(tmp_path: Path) -> None:
    one = packed(Recipe().write(tmp_path / "one"))[0].read_bytes()
    project = Recipe().write(tmp_path / "elsewhere")
    for number, path in enumerate(sorted(project.root.rglob("*.*"))):
        os.utime(path, (10**9 + number, 10**9 + number))
        if path.is_file():
            path.chmod(0o600)
    assert packed(project)[0].read_bytes() == one


def test_a_pair_gets_two_zips(tmp_path: Path) -> None:
    recipe = Recipe()
    pair = "login: mmuster\n  - name: Jürgen Groß\n    login: jürgen.groß"
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("login: mmuster", pair)
    recipe.head += "Jürgen Groß (jürgen.groß)\n"
    first, second = packed(recipe.write(tmp_path))
    assert (first.name, second.name) == (ZIP, "dl24-1-jürgen.groß.zip")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "login",
    [
        "a b",
        'a"b',
        "a/b",
        "..",
        "../../x",
        "x" * 200,
        "\u202eretsum",
        "🎓",
        "שלום",
        "a\\b",
        ".hidden",
        "a..b",
        "con:x",
    ],
)
def test_a_login_that_is_no_file_name_is_refused(tmp_path: Path, login: str) -> None:
    recipe = Recipe()
    text = recipe.sources["_quarto.yml"].replace(
        "login: mmuster", f"login: {json.dumps(login, ensure_ascii=False)}"
    )
    recipe.sources["_quarto.yml"] = text
    before = sorted(tmp_path.parent.rglob("*.zip"))
    with pytest.raises(HandinError, match=r"_quarto\.yml:7: `author\.0\.login`: .*ILIAS"):
        packed(recipe.write(tmp_path))
    assert sorted(tmp_path.parent.rglob("*.zip")) == before


@pytest.mark.parametrize("login", ["mmuster", "müller", "o.neill-smith_2"])
def test_a_login_that_is_a_file_name_is_taken(tmp_path: Path, login: str) -> None:
    recipe = Recipe()
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("login: mmuster", f"login: {login}")
    recipe.head = recipe.head.replace("mmuster", login)
    [path] = packed(recipe.write(tmp_path))
    assert path == tmp_path / "_output" / f"dl24-1-{login}.zip"


def test_a_failure_refuses_with_the_list_and_keeps_the_earlier_zip(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    [path] = packed(project)
    before = path.read_bytes()
    (tmp_path / "sections/appendix.qmd").write_text("# Changed\n")
    with pytest.raises(NotReadyError) as caught:
        packed(project)
    assert {finding.rule for finding in caught.value.findings} == {"fresh"}
    assert path.read_bytes() == before


def test_a_symbolic_link_is_refused_by_name(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path)
    outside = tmp_path.parent / "outside.csv"
    outside.write_bytes((tmp_path / "data/train.csv").read_bytes())
    (tmp_path / "data/train.csv").unlink()
    (tmp_path / "data/train.csv").symlink_to(outside)
    submission, findings = checked(load_project(project.root))
    assert "data/train.csv" not in submission.files
    assert any(f.place == "data/train.csv" and "symbolic link" in f.message for f in findings)


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    project = Recipe().write(tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.py").write_text("secret = 1\n")
    (project.root / "code" / "linked").symlink_to(tmp_path / "elsewhere")
    submission, findings = checked(project)
    assert not any("secret" in name for name in submission.files)
    assert any(f.status is Status.FAIL and f.place == "code/linked" for f in findings)


def test_data_outside_the_project_is_refused_by_line(tmp_path: Path) -> None:
    recipe = Recipe()
    (tmp_path / "shared.csv").write_text("x,y\n")
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("data/train.csv", "../shared.csv")
    submission, findings = checked(recipe.write(tmp_path / "project"))
    assert not any("shared" in name for name in submission.files)
    assert any(f.place == "_quarto.yml:9" and "outside the project" in f.message for f in findings)


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_or_a_read_only_folder_keeps_the_earlier_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, step: str
) -> None:
    project = Recipe().write(tmp_path)
    [path] = packed(project)
    before = path.read_bytes()
    (tmp_path / "README.md").write_text("# Another hand-in\n")

    def fail(*_: object) -> None:
        raise OSError(fault, os.strerror(fault), str(path))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(HandinError, match=r"make room|writable"):
        packed(project)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.glob(".*")] == []


LOOP = """
import sys
from pathlib import Path
from handin.pack import pack
from handin.project import load_project
from handin.reading.submission import Submission
project = load_project(Path(sys.argv[1]))
submission = Submission.of(project)
number = 0
while True:
    number += 1
    files = {**submission.files, "README.md": b"# Hand-in %d" % number, "code/big.py": bytes(3_000_000)}
    object.__setattr__(submission, "files", files)
    pack(project, submission, [])
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("sent", "after"),
    [(signal.SIGINT, 0.03), (signal.SIGTERM, 0.07), (signal.SIGKILL, 0.0), (signal.SIGKILL, 0.11)],
)
def test_whenever_it_is_interrupted_a_complete_zip_stays(
    tmp_path: Path, sent: signal.Signals, after: float
) -> None:
    project = Recipe().write(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(archive.__file__).parents[1])},
    )
    assert process.stdout is not None
    process.stdout.readline()  # the first ZIP is there
    time.sleep(after)
    process.send_signal(sent)
    process.stdout.close()
    assert process.wait() != 0
    [path] = (tmp_path / "_output").glob("*.zip")
    with zipfile.ZipFile(path) as held:
        assert held.testzip() is None
    assert manifest(Submission(path.name, read_own(path), COURSE))[0].status is Status.PASS
    packed(load_project(project.root))  # what the killed one left behind is gone
    assert [p.name for p in path.parent.glob(".*")] == []


def test_a_zip_has_no_dates_owners_or_order_of_its_own() -> None:
    one, two = as_zip({"b": b"2", "a/ü": b"1"}), as_zip({"a/ü": b"1", "b": b"2"})
    assert one == two


def test_gathering_reads_documents_from_the_output_folder(tmp_path: Path) -> None:
    submission = Submission.of(Recipe().write(tmp_path))
    assert {"report.pdf", "notebook.pdf", "notebook.ipynb", "code/net/model.py"} <= set(submission.files)
    assert submission.faults == ()
