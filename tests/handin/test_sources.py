"""One list of files, their fingerprint, and outputs that replace nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from handin import sources
from handin.cli import main
from handin.environment import Mode
from handin.errors import HandinError
from handin.project import Project, load_project
from handin.sources import Built, fingerprint, locked, project_files, put_in_place, state_of

CONFIG = """\
project: {output-dir: _output, execute-dir: project, render: [report.qmd]}
author: {name: Ada, login: ada}
handin: {course: A, assignment: 1, archive: "a-{login}.zip", page-limit: 9, tasks: ["1"], quick: {RUNS: few}}
"""
SOURCES = [
    "_environment", "_quarto.yml", "code/a.py", "figures/sketch.svg", "_images/photo.png", ".pictures/b.svg",
    "data/a b.csv", "chapters/one.qmd", "report.qmd", "src/envelope/x.py", "notes.pdf",
    "code/handin/ipython/profile_default/ipython_kernel_config.py", "data/profile_north/2024/wind.csv",
    "data/#1.csv",
]  # fmt: skip
OTHERS = [
    "_output/report.pdf", "_output/figures/fig-a.svg", "_build/built.json", "_store/net.pt", ".venv/a.py",
    "env/pyvenv.cfg", "env/lib/x.py", "code/__pycache__/a.pyc", "code/a.pyc", ".quarto/x", "report.ipynb",
    "report_files/figure/x.svg", "report.quarto_ipynb_1", "code/a.egg-info/PKG", "data/.a.csv.swp", "x.csv~",
    "code/handin/ipython/profile_default/startup/README", "#draft.qmd#", ".#draft.qmd",
    "code/handin/ipython/profile_default/history.sqlite",
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in (*SOURCES, *OTHERS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "_quarto.yml").write_text(CONFIG)
    (tmp_path / "_environment").write_text("SEED=24\nPYTHONPATH=code\n")
    return load_project(tmp_path)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True)


def test_all_that_belongs_is_listed(project: Project) -> None:
    assert project_files(project.root) == sorted(SOURCES)


def test_git_adds_what_it_ignores_and_no_more(project: Project) -> None:
    root = project.root
    (root / ".gitignore").write_text("secret*\n")
    for name in ("secret.txt", "data/secret.csv", "inner/a.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("")
    git(root, "init", "-q")
    git(root / "inner", "init", "-q")
    git(root, "add", "code")
    (root / "code/gone.py").write_text("")
    git(root, "add", "code")
    (root / "code/gone.py").unlink()
    assert project_files(root) == sorted([*SOURCES, ".gitignore", "inner/a.txt"])


def test_a_project_in_an_ignored_folder_has_files_all_the_same(project: Project, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    inner = tmp_path / "_build/unpacked"
    inner.mkdir()
    (tmp_path / ".gitignore").write_text("_build/\n")
    for name in ("_quarto.yml", "a.txt"):
        (inner / name).write_text("")
    assert project_files(inner) == ["_quarto.yml", "a.txt"]


def test_every_file_counts_by_its_content(project: Project) -> None:
    seen = {fingerprint(project)}
    for name in {*SOURCES} - {"_quarto.yml", "_environment"}:
        now = os.stat(project.root / name)
        (project.root / name).write_text(name.swapcase())
        os.utime(project.root / name, ns=(now.st_atime_ns, now.st_mtime_ns))
        seen.add(fingerprint(project))
    (project.root / "data/a b.csv").rename(project.root / "new")
    seen.add(fingerprint(project))
    assert len(seen) == len(SOURCES)


def test_what_a_link_leads_to_counts(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.csv"
    outside.write_text("1")
    (project.root / "data/link.csv").symlink_to(outside)
    before = fingerprint(project)
    outside.write_text("2")
    assert fingerprint(project) != before


def test_a_folder_counts_by_all_names_but_those_that_a_build_gives(project: Project) -> None:
    seen = {state_of(project.root)}
    for name in ("report.tex", "report.quarto_ipynb", "__pycache__"):
        (project.root / name).touch()
    assert state_of(project.root) in seen
    for name in ("b.csv~", "#b#", "report.quarto_ipynb_backup", "node_modules"):
        (project.root / name).touch()
        seen.add(state_of(project.root))
    assert len(seen) == 5


def test_outputs_do_not_count(project: Project) -> None:
    before = fingerprint(project)
    for name in OTHERS:
        (project.root / name).write_text("other")
    assert fingerprint(project) == before


def test_variables_count_with_the_value_in_force(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    before = fingerprint(project)
    monkeypatch.setenv("PYTHONPATH", f"{project.root / 'code'}{os.pathsep}code")
    monkeypatch.setenv("OTHER", "1")
    assert fingerprint(project) == before
    seen = {before, fingerprint(project, Mode(draft=True)), fingerprint(project, Mode(quick=True))}
    for name, value in {"SEED": "25", "PYTHONPATH": "/elsewhere"}.items():
        monkeypatch.setenv(name, value)
        seen.add(fingerprint(project))
    assert len(seen) == 5


def test_a_package_installed_anew_under_its_version_counts(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path_factory.mktemp("site")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    record = site / "mypkg-1.0.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text("mypkg.py,sha256=a,1")
    before = fingerprint(project)
    record.write_text("mypkg.py,sha256=b,1")
    assert fingerprint(project) != before


def build(project: Project, files: dict[str, str], results: str = "") -> None:
    """As a renderer does."""
    contents = {project.root / name: text.encode() for name, text in files.items()}
    put_in_place(project.root, contents, fingerprint(project), results)


def test_a_file_is_current_until_it_or_its_sources_change(project: Project) -> None:
    pdf = project.output_dir / "report.pdf"
    assert not Built(project.root).is_current(pdf, fingerprint(project))
    build(project, {"_output/report.pdf": "new"}, results="r")
    built = Built(project.root)
    assert pdf.read_text() == "new"
    assert built.is_current(pdf, fingerprint(project))
    assert built.results(pdf) == "r"
    build(project, {"_output/other.pdf": "other"})
    assert Built(project.root).is_current(pdf, fingerprint(project))
    pdf.write_text("by hand")
    assert not Built(project.root).is_current(pdf, fingerprint(project))
    pdf.write_text("new")
    (project.root / "report.qmd").write_text("edited")
    assert not Built(project.root).is_current(pdf, fingerprint(project))


@pytest.mark.parametrize("damage", ["", "{", "[]"])
def test_a_damaged_note_says_that_nothing_is_ours(project: Project, damage: str) -> None:
    build(project, {"_output/report.pdf": "new"})
    (project.root / "_build/built.json").write_text(damage)
    assert Built(project.root).written() == []
    build(project, {"_output/report.pdf": "new"})
    assert Built(project.root).written() == [project.output_dir / "report.pdf"]


def test_cleaning_leaves_what_others_wrote(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.root / "_build").mkdir(exist_ok=True)
    for own in ("report.quarto_ipynb_backup", "_build/notes.txt"):
        (project.root / own).touch()
    before = {path for path in project.root.rglob("*") if path.is_file()}
    build(project, {"_output/report.pdf": "new", "_output/notebook.pdf": "a"})
    (project.output_dir / "notebook.pdf").write_text("edited")
    (project.root / "_build/render-1").mkdir()
    monkeypatch.chdir(project.root / "data")
    assert "removed _output/report.pdf\n" in CliRunner().invoke(main, ["clean"]).output
    gone = {"_output/report.pdf", "_build/built.json", "report.quarto_ipynb_1"}
    left = {path for path in project.root.rglob("*") if path.is_file()} - {project.root / "_build/lock"}
    assert left == (before | {project.output_dir / "notebook.pdf"}) - {project.root / name for name in gone}


def test_a_scratch_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_build").symlink_to(tmp_path)
    with pytest.raises(HandinError, match=r"_build: a link"), locked(tmp_path, print):
        pass


def test_no_file_changes_if_one_cannot_be_written(project: Project) -> None:
    (project.root / "a file").touch()
    old = (project.output_dir / "report.pdf").read_bytes()
    with pytest.raises(HandinError, match="a file: cannot write"):
        build(project, {"_output/report.pdf": "new", "a file/b.pdf": "new"})
    assert (project.output_dir / "report.pdf").read_bytes() == old
    assert not list(project.output_dir.glob(".*"))
    assert Built(project.root).written() == []


def test_what_is_moved_before_a_kill_is_not_current(project: Project) -> None:
    """Here a folder in the place of the second file stops the moves; the note is moved last."""
    pdf = project.output_dir / "report.pdf"
    (project.output_dir / "b.pdf").mkdir()
    with pytest.raises(HandinError, match=r"b\.pdf: cannot write"):
        build(project, {"_output/report.pdf": "new", "_output/b.pdf": "new"})
    assert pdf.read_text() == "new"
    assert not Built(project.root).is_ours(pdf)


def test_the_second_command_waits_and_says_so(project: Project) -> None:
    said: list[str] = []
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with sources.locked(project.root, lambda line: (said.append(line), waits.set())):  # type: ignore[func-returns-value]
            order.append("second")

    with sources.locked(project.root, said.append) as build:
        assert build == project.root / "_build"
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert said == ["waiting for another command that works in this project"]


def test_leftovers_of_a_killed_build_are_removed(project: Project) -> None:
    (project.root / "_build/render-x").mkdir()
    with sources.locked(project.root, print) as build:
        assert not list(build.glob("render-*"))
