"""A folder of hand-ins becomes a table, whatever is in it."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import good_handin
import pytest
from click.testing import CliRunner
from hand_in_folder import FOLDER, fill, kinds, wrong_verdicts
from hostile import pack

from grading import Row, _row, find_handins, grade
from grading.intake import Limits
from grading.page import as_page
from grading.sandbox import BOUNDS, Bounds, Outcome
from grading.tables import COLUMNS, as_csv, as_table
from handin.cli import main
from handin.errors import HandinError
from handin.rules import RULES, Finding, Status

# Smaller than in earnest, so that the slowest attacks end soon.
QUICK = Bounds(cpu=2, memory=256 * 2**20)

EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://x","y")'


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], list[str]]:
    """The rows of a folder with every hostile PDF and source file, and what is wrong in them."""
    folder = tmp_path_factory.mktemp("handins")
    bad = [kind for kind in kinds() if kind.startswith(("report-", "source-"))]
    expected = fill(folder, 3, [*bad, FOLDER, "zip-slip", "bomb-by-overlap", "truncated"])
    rows = grade(folder, good_handin.COURSE, QUICK)
    return rows, wrong_verdicts(rows, expected)


def test_every_hand_in_gets_its_verdict_and_the_good_ones_pass(graded: tuple[list[Row], list[str]]) -> None:
    assert graded[1] == []


def test_a_row_says_what_a_teacher_wants_to_know(graded: tuple[list[Row], list[str]]) -> None:
    row = next(row for row in graded[0] if row.name == "dl24-1-student001.zip")
    assert row.login == "student001"
    assert (row.passed, row.failed, row.warnings) == (row.rules, (), ())
    assert row.rules == len(RULES)  # with the rule on intake, without the one on freshness
    assert (row.pages, row.body_pages, row.figures) == (7, 7, 8)
    assert (row.tasks, row.asked) == (good_handin.COURSE.tasks, 5)
    assert row.code_lines == 12
    assert row.thumbnail.startswith("iVBOR")


def test_rows_are_sorted_by_login_whatever_finished_first(graded: tuple[list[Row], list[str]]) -> None:
    logins = [row.login for row in graded[0]]
    assert logins == sorted(logins)


def test_nothing_of_a_hand_in_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "m"
    act = f"open({str(mark)!r}, 'w').close()\n".encode()
    names = [
        "code/mlp.py",
        "setup.py",
        "conftest.py",
        "sitecustomize.py",
        "__init__.py",
        "handin/__init__.py",
    ]
    hooks = {"Makefile": f"all:\n\ttouch {mark}\n".encode(), "_environment": f"PYTHONSTARTUP={mark}".encode()}
    (tmp_path / "in").mkdir()
    pack(tmp_path / "in" / "dl24-1-x.zip", {**good_handin.files(), **dict.fromkeys(names, act), **hooks})
    for name in ("json.py", "sitecustomize.py", "handin.py"):
        (tmp_path / "in" / name).write_bytes(act)
    monkeypatch.chdir(tmp_path / "in")  # where a teacher may well stand
    rows = grade(Path(), good_handin.COURSE)
    assert [row.pages for row in rows if row.name.endswith(".zip")] == [2]
    assert all("not a ZIP" in row.warnings[0].message for row in rows if row.name.endswith(".py"))
    assert not mark.exists()


def test_an_answer_without_sense_is_a_warning() -> None:
    for known in ({"pages": "many"}, {"findings": [{"rule": "x"}]}, {"logins": 3}, {"thing": 1, "tasks": 1}):
        row = _row(Path("a.zip"), Outcome(known, "reading"), BOUNDS)
        assert "made no sense" in row.warnings[0].message
        assert row.failed == ("limits",)


def test_what_reaches_the_terminal_is_printable_and_short() -> None:
    nasty = "\x1b[2J\x07\u202e" + "x" * 100_000
    finding = {"rule": "sections", "status": "fail", "message": nasty, "place": nasty, "remedy": ""}
    row = _row(Path("a\x1b.zip"), Outcome({"logins": [nasty], "findings": [finding]}, nasty, nasty), BOUNDS)
    for text in (row.name, row.login, *(text for one in row.warnings for text in (one.message, one.place))):
        assert text.isprintable()
        assert len(text) < 450


def test_rules_that_doubt_alike_speak_as_one(graded: tuple[list[Row], list[str]]) -> None:
    row = next(row for row in graded[0] if row.login == "report-noise")
    assert row.failed == ("report",)
    doubts = [finding for finding in row.warnings if finding.message == "there is no report to read"]
    assert [finding.rule.split(", ")[0] for finding in doubts] == ["pages"]


# ── which hand-ins ──


def test_folders_of_a_course_system_stand_for_the_zips_in_them(tmp_path: Path) -> None:
    for name in ("Muster_Maria_mmuster_123/dl24-1-mmuster.zip", "plain.zip", "unpacked/report.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "grades.csv").write_bytes(b"of the last run")
    (tmp_path / "empty").mkdir()
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "__MACOSX").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in find_handins(tmp_path)] == [
        "Muster_Maria_mmuster_123/dl24-1-mmuster.zip",
        "empty",
        "plain.zip",
        "unpacked",
    ]


def test_a_folder_without_hand_ins_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HandinError, match="no hand-ins here"):
        find_handins(tmp_path)
    with pytest.raises(HandinError, match="cannot be read"):
        find_handins(tmp_path / "nothing")


def test_an_unpacked_folder_is_graded_like_its_zip(tmp_path: Path) -> None:
    files = good_handin.files()
    for name, data in files.items():
        (tmp_path / "dl24-1-mmuster" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "dl24-1-mmuster" / name).write_bytes(data)
    pack(tmp_path / "dl24-1-mmuster.zip", files)
    folder, archive = grade(tmp_path, good_handin.COURSE)
    assert folder.login == archive.login == "mmuster"
    assert (folder.pages, folder.tasks, folder.thumbnail) == (archive.pages, archive.tasks, archive.thumbnail)
    assert folder.failed == archive.failed == ()


def test_the_command_prints_a_table_and_writes_two_files(tmp_path: Path) -> None:
    fill(tmp_path / "in", 1, ["truncated"])
    project = str(Path(__file__).parents[1] / "handin" / "project")
    command = ["--project", project, "grade", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "a truncated ZIP" in result.output
    assert "2 hand-ins in" in result.output
    assert "8 s of CPU time (40 s on the clock) and 384 MiB of memory; nothing was executed" in result.output
    header, *lines = csv.reader(io.StringIO((tmp_path / "out" / "grades.csv").read_text("utf-8-sig")))
    assert [line[header.index("login")] for line in lines] == ["student000", "truncated"]
    assert "student000" in (tmp_path / "out" / "grades.html").read_text("utf-8")


# ── what strangers wrote, in CSV and HTML ──


def _hostile_row(text: str) -> Row:
    finding = Finding("sections", Status.FAIL, text, text, text)
    doubt = Finding(text, Status.CANNOT_TELL, text, text)
    return Row(text, (text,), (finding, doubt), tasks=(text,), asked=1, thumbnail=f'" onload="{text}')


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n@", " ="])
def test_no_cell_of_the_csv_is_a_formula(start: str) -> None:
    text = as_csv([_hostile_row(start + FORMULA)])
    assert text.startswith("\ufeff")
    header, row = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    assert tuple(header) == COLUMNS
    assert len(row) == len(COLUMNS)
    assert not any(re.match(r"\s*[=+\-@]", cell) for cell in row), row


class _Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_runs_nothing_but_its_own_script() -> None:
    page = as_page([_hostile_row(EVIL), _hostile_row(f'"{EVIL}'), _hostile_row(f"'>{EVIL}")], EVIL, EVIL)
    seen = _Page(page)
    assert [tag for tag, _ in seen.tags].count("script") == 1
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on")]
    assert EVIL in seen.words, "what students wrote is shown as they wrote it"
    assert not any(tag == "img" for tag, _ in seen.tags), "a thumbnail that is no picture is not shown"
    policy = next(attributes["content"] for tag, attributes in seen.tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_the_page_stands_alone(graded: tuple[list[Row], list[str]]) -> None:
    page = as_page(graded[0], "Hand-ins", "limits")
    assert not re.search(r'(src|href)="(?!data:image/png;base64,)', page)
    assert "url(" not in page
    seen = _Page(page)
    pictures = [attributes for tag, attributes in seen.tags if tag == "img"]
    assert len(pictures) == sum(bool(row.thumbnail) for row in graded[0])
    assert all(attributes["alt"] for attributes in pictures)
    assert len(page) < 25_000 * len(graded[0])


def test_the_terminal_shows_markup_as_text() -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=200)
    console.print(as_table([_hostile_row("[red]x[/red] [link=http://x]y[/link]")]))
    assert "[red]x[/red]" in console.file.getvalue()  # type: ignore[attr-defined]


def test_limits_fit_into_one_gigabyte() -> None:
    assert 2 * BOUNDS.memory + 150 * 2**20 < 10**9
    assert Limits().total + Limits().file < BOUNDS.memory
