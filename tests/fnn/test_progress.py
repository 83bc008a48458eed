"""Progress reaches a file or a terminal, and never disturbs the work it counts."""

import io
import json
from pathlib import Path

import pytest

from fnn import progress
from fnn.progress import Progress


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


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


def test_file_gets_a_line_per_update_with_an_estimate(file: Path, clock: Clock) -> None:
    with Progress("m = 2", total=4) as reporter:
        for _ in range(4):
            clock.now += 2
            reporter.advance()
    assert read(file) == [
        {"task": "m = 2", "done": done, "total": 4, "eta_s": eta}
        for done, eta in [(0, None), (1, 6.0), (2, 4.0), (3, 2.0), (4, 0.0)]
    ]


def test_updates_are_few_but_the_last_one_comes(file: Path, clock: Clock) -> None:
    with Progress("m = 2", total=1000) as reporter:
        for _ in range(1000):
            clock.now += 0.001
            reporter.advance()
    lines = read(file)
    assert len(lines) <= 6
    assert lines[-1]["done"] == 1000


def test_several_tasks_append_to_one_file(file: Path) -> None:
    for task in ("a", "b"):
        with Progress(task, total=1) as reporter:
            reporter.advance()
    assert [line["task"] for line in read(file)] == ["a", "a", "b", "b"]


def test_unwritable_file_is_given_up_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path))  # a folder
    with Progress("m = 2", total=2) as reporter:
        reporter.advance(2)
    assert reporter.done == 2
    assert capfd.readouterr() == ("", "")


def test_terminal_gets_one_line_that_is_cleared(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress("m = 2", total=10) as reporter:
        clock.now += 3
        reporter.advance(5)
    written = terminal.getvalue()
    assert "\rm = 2: 5 of 10, about 3 s left" in written.replace("\x1b[K", "")
    assert "\n" not in written
    assert written.endswith("\r\x1b[K")


def test_silence_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress("m = 2", total=1) as reporter:
        reporter.advance()
    assert capfd.readouterr() == ("", "")


def test_the_line_is_cleared_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(RuntimeError, match="halt"), Progress("m = 2", total=10):
        raise RuntimeError("halt")
    assert terminal.getvalue().endswith("\r\x1b[K")
