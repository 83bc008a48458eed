"""`_quarto.yml` is read with the line of every value, and every mistake in it is named by that line."""

from pathlib import Path

import pytest

from handin.errors import HandinError
from handin.project import find_root, load_project

GOOD = """\
project:
  output-dir: _output
  execute-dir: project
  render: [report.qmd]
author:
  - name: Ada Lovelace
    login: alovelac
dataset: {name: D1}
handin:
  course: Deep Learning
  assignment: 1
  archive: "dl24-{assignment}-{login}.zip"
  page-limit: 10
  tasks: ["1", 1a]
"""


def write(folder: Path, text: str) -> Path:
    (folder / "_quarto.yml").write_text(text, encoding="utf-8")
    (folder / "report.qmd").write_text("# One\n", encoding="utf-8")
    (folder / "data/north").mkdir(parents=True, exist_ok=True)
    (folder / "data/north/train.csv").touch()
    return folder


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, GOOD))
    assert project.documents == ["report.qmd"]
    assert [(author.name, author.login) for author in project.authors] == [("Ada Lovelace", "alovelac")]
    assert project.handin.tasks == ("1", "1a")
    assert project.output_dir == tmp_path / "_output"
    assert load_project(write(tmp_path, GOOD + "fig-formt: of Quarto's\n")).documents == ["report.qmd"]
    assert "project" not in project.metadata
    assert project.metadata["dataset"] == {"name": "D1"}
    assert str(project.place("handin", "page-limit")) == "_quarto.yml:13"


def test_one_author_needs_no_list(tmp_path: Path) -> None:
    text = GOOD.replace("  - name: Ada Lovelace\n    login:", "  name: Ada Lovelace\n  login:")
    assert [author.login for author in load_project(write(tmp_path, text)).authors] == ["alovelac"]


def test_the_root_is_found_from_inside(tmp_path: Path) -> None:
    (write(tmp_path, GOOD) / "sections" / "deep").mkdir(parents=True)
    assert find_root(tmp_path / "sections" / "deep") == tmp_path


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("  execute-dir: project", "  execute-dir: file", 3, "should be 'project'"),
        ("  render: [report.qmd]", "  render: []", 4, "at least 1 item"),
        ("  render: [report.qmd]", "  render: [absent.qmd]", 4, "no file `absent.qmd`"),
        ("  render: [report.qmd]", "  render: ['*.qmd']", 4, "one by one"),
        ("  render: [report.qmd]", "  render: [a/report.qmd]", 4, "`a/report.qmd` stands in a folder"),
        ("  output-dir: _output", "  output-dir: ../elsewhere", 2, "inside the project"),
        ("  output-dir: _output", "  output-dir: data/../out", 2, "inside the project"),
        ("  output-dir: _output", "  output-dir: data", 2, "count no more: data/north/train.csv"),
        ("    login: alovelac", "    login: 1234", 7, 'in quotes, "1234"'),
        ("    login: alovelac", "", 6, "`author.0.login` is missing"),
        ("    login: alovelac", "    login: ''", 7, "at least 1 character"),
        ("author:", "authors:", 5, "`author` is missing; did you mean it by `authors`?"),
        ("  page-limit: 10", "  page-limt: 10", 13, "did you mean `page-limit`?"),
        ("  page-limit: 10", "  page-limit: ten", 13, "valid integer"),
        ("  page-limit: 10", "  page-limit: 0", 13, "greater than or equal to 1"),
        ('  tasks: ["1", 1a]', "  tasks: [1, 1a]", 14, 'in quotes, "1"'),
        ("  assignment: 1", "    assignment: 1", 11, "not YAML"),
        ("  assignment: 1", "  assignment: 1\n  assignment: 2", 12, "set twice, first on line 11"),
    ],
)
def test_a_mistake_is_named_by_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    with pytest.raises(HandinError) as caught:
        load_project(write(tmp_path, GOOD.replace(old, new)))
    message = str(caught.value)
    assert words in message
    assert f"_quarto.yml:{line}: " in message


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("login: alovelac", "login: 7").replace("page-limit: 10", "page-limit: ten")
    with pytest.raises(HandinError) as caught:
        load_project(write(tmp_path, text))
    assert "_quarto.yml:7: " in str(caught.value)
    assert "_quarto.yml:13: " in str(caught.value)


def test_no_project_is_told_apart_from_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(HandinError, match=r"no _quarto\.yml in this folder or above it"):
        find_root(tmp_path)
    (tmp_path / "_quarto.yml").write_bytes(b"author:\n  name: J\xfcrgen\n")
    with pytest.raises(HandinError, match=r"_quarto\.yml:2: not UTF-8"):
        load_project(tmp_path)
