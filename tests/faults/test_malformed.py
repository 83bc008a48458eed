"""Whatever is typed into a file: a message with file, line and remedy; nothing is executed or changed."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from handin.cli import main
from handin.errors import HandinError
from handin.project import load_project
from handin.qmd import pandoc
from handin.render.builtin import Builder

ROWS = yaml.safe_load(Path(__file__).with_name("malformed.yml").read_text(encoding="utf-8"))
WITHOUT_LINE = ("templates/author-date.csl: ", "notebook.qmd: ", "references.bib: ")  # citeproc says none


@pytest.fixture(scope="module")
def sources(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project without the tool: what a student writes."""
    folder = tmp_path_factory.mktemp("sources") / "project"
    shutil.copytree(
        built, folder, ignore=shutil.ignore_patterns("handin", "tests", "_output", "_build", ".*")
    )
    return folder


def build(folder: Path) -> None:
    project = load_project(folder)
    Builder(project).render(project.documents)


def told(sources: Path, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
    """The message for an edit of a file, which is taken back afterwards."""

    def execute(*arguments: Any) -> None:
        check: Callable[[], None] = arguments[-1]
        check()  # what is found while the first chunks run
        raise AssertionError("it takes a chunk")

    monkeypatch.setattr(Builder, "_execute", execute)
    path = sources / row["file"]
    before = path.read_bytes()
    new = row["new"] if isinstance(row["new"], bytes) else row["new"].encode()
    if "old" in row:
        assert row["old"].encode() in before
        new = before.replace(row["old"].encode(), new, 1)
    path.write_bytes(new)
    try:
        with pytest.raises(HandinError) as caught:
            build(sources)
    finally:
        path.write_bytes(before)
    assert not (sources / "_output").exists()
    return str(caught.value)


def is_quick(row: dict[str, Any]) -> bool:
    """Is it found without Pandoc?"""
    return row["file"] in ("_quarto.yml", "_environment") or "#| " in str(row.get("old"))


@pytest.mark.parametrize("row", [row for row in ROWS if is_quick(row)], ids=lambda row: row["says"][:60])
def test_what_is_said_of_settings_and_chunks(
    sources: Path, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(sources, row, monkeypatch).replace(f"{sources}/", "").startswith(row["says"])


@pytest.mark.faults
@pytest.mark.parametrize("row", [row for row in ROWS if not is_quick(row)], ids=lambda row: row["says"][:60])
def test_what_is_said_of_documents(
    sources: Path, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(sources, row, monkeypatch).replace(f"{sources}/", "").startswith(row["says"])


def test_the_table_names_a_line_wherever_there_is_one() -> None:
    assert len(ROWS) >= 120
    for row in ROWS:
        says = row["says"]
        assert re.match(r"[\w./-]+:\d+: \S", says) or says.startswith(WITHOUT_LINE), says


def test_pandoc_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pandoc, "PATIENCE", 1)
    with pytest.raises(HandinError, match="did not come to an end within 1 s; look for brackets"):
        pandoc.parse("[" * 60, folder=tmp_path)


def as_is(_: Path) -> None:
    """Nothing is wrong with the project."""


def no_project(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


COMMANDS: list[tuple[Callable[[Path], object], list[str], str]] = [
    (no_project, ["render"], r"no _quarto\.yml in this folder or above it; run the command inside"),
    (no_project, ["check"], r"no _quarto\.yml"),
    (as_is, ["rendr"], "[Nn]o such command|[Nn]o command|rendr"),
    (as_is, ["render", "absent"], r"_quarto\.yml: there is no document `absent`; documents are"),
    (as_is, ["render", "reprt"], r"did you mean `report\.qmd`\?"),
    (as_is, ["render", "../report"], "there is no document"),
    (as_is, ["render", "--renderer", "word"], "'word' is not one of"),
    (as_is, ["render", "--nonsense"], "No such option"),
    (as_is, ["--project", "/absent", "render"], "does not exist"),
    (as_is, ["--project", "/dev/null", "render"], r"no _quarto\.yml"),
    (as_is, ["rule", "absent"], "absent"),
    (as_is, ["check", "absent.zip"], "absent.zip"),
    (as_is, ["check", "--format", "xml"], "'xml' is not one of"),
    (as_is, ["rehearse", "absent.zip"], "absent.zip"),
    (as_is, ["grade", "absent"], "does not exist"),
    (as_is, ["grade", "templates/typst-show.typ"], "is a file"),
    (as_is, ["init", "."], "there is something already"),
    (as_is, ["init", "x", "--number", "0"], "0 is not in the range"),
    (as_is, ["preview", "--port", "0", "--no-browser"], "0 is not in the range"),
    (as_is, ["preview", "absent", "--no-browser"], "there is no document `absent`"),
    (as_is, ["clean", "--store"], "there is no `clean-store`"),
    (as_is, ["pack"], "not packed: "),
]


@pytest.mark.parametrize(("prepare", "words", "says"), COMMANDS, ids=lambda value: str(value)[:40])
def test_what_is_said_of_command_lines(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Any, words: list[str], says: str
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(sources, folder)
    prepare(folder)
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (1, 2)
    assert re.search(says, result.output), result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
