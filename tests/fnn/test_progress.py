"""Progress reaches a file or a terminal, and never disturbs the work it counts."""

import io
import json
import time
from pathlib import Path

import pytest

from fnn.runs import progress
from fnn.runs.progress import Progress


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("PROGRESS_FILE", str(path))
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_file_hears_of_start_steps_and_end(file: Path) -> None:
    with Progress("m = 2", total=4, work=4.0) as watched:
        watched.advance(3, 3.0)
        watched.advance(1, 1.0)
    start, middle, end = read(file)
    assert start == {"task": "m = 2", "done": 0, "total": 4, "eta_s": None}
    assert middle["done"] == 3
    assert isinstance(middle["eta_s"], float)
    assert end == {"task": "m = 2", "done": 4, "total": 4, "eta_s": 0.0}


def test_the_estimate_is_the_pace_of_what_took_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Progress("two widths", total=8, work=6 * 1.0 + 2 * 10.0)
    started = time.monotonic()
    watched.advance(2, 2.0, stored=True)
    assert watched.eta() is None
    monkeypatch.setattr(progress.time, "monotonic", lambda: started + 8)
    watched.advance(4, 4.0)
    assert watched.eta() == pytest.approx(8 / 4 * 20, abs=0.1)  # the dear two are left
    watched.advance(1, 10.0)
    assert watched.eta() == pytest.approx(8 / 14 * 10, abs=0.1)
    watched.advance(1, 10.0)
    assert watched.eta() == 0


def test_several_tasks_append_to_one_file(file: Path) -> None:
    for task in ("a", "b"):
        with Progress(task, total=1, work=1.0) as watched:
            watched.advance(1, 1.0)
    assert [line["task"] for line in read(file)] == ["a", "a", "b", "b"]


def test_unwritable_file_is_given_up_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path))  # a folder
    with Progress("m = 2", total=2, work=1.0) as watched:
        watched.advance(2, 1.0)
    assert watched.done == 2
    assert capfd.readouterr() == ("", "")


def test_terminal_gets_one_line_that_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress("m = 2", total=10, work=10.0) as watched:
        watched.advance(5, 5.0)
    written = terminal.getvalue()
    assert "\r\x1b[Km = 2: 5 of 10, about 0 s left" in written
    assert "\n" not in written
    assert written.endswith("\r\x1b[K")


def test_the_line_is_cleared_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(RuntimeError, match="halt"), Progress("m = 2", total=10, work=1.0):
        raise RuntimeError("halt")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_silence_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress("m = 2", total=1, work=1.0) as watched:
        watched.advance(1, 1.0)
    assert capfd.readouterr() == ("", "")


def test_a_line_is_told_to_the_file_or_to_the_terminal_behind_a_kernel(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.say("an entry is damaged")
    assert read(file) == [{"say": "an entry is damaged"}]
    monkeypatch.delenv("PROGRESS_FILE")
    progress.say("to standard error")
    terminal = file.with_name("terminal")
    with terminal.open("wb") as held:
        kernel = Terminal()
        kernel._original_stdstream_copy = held.fileno()  # type: ignore[attr-defined]
        monkeypatch.setattr("sys.stderr", kernel)
        progress.say("past the document")
    assert kernel.getvalue() == ""
    assert terminal.read_text() == "past the document\n"
    monkeypatch.undo()
    assert capsys.readouterr().err == "to standard error\n"
