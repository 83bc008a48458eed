"""Progress reaches a file or a terminal, and never disturbs the work it counts."""

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fnn.runs import progress
from fnn.runs.progress import Progress, count_steps, counted


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress.jsonl"
    monkeypatch.setenv("PROGRESS_FILE", str(path))
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    threads = threading.active_count()
    yield
    assert list(folder.iterdir()) == []
    assert threading.active_count() == threads


def read(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def wait_for_line(file: Path, done: int) -> dict[str, object]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in read(file):
            if line["done"] == done:
                return line
        time.sleep(0.02)
    raise AssertionError(f"{done} is never reported: {file.read_text()}")


def test_the_file_hears_of_start_and_end(file: Path) -> None:
    with Progress("m = 2", total=4) as reporter:
        reporter.advance(3)
        reporter.advance()
    lines = read(file)
    assert lines[0] == {"task": "m = 2", "done": 0, "total": 4, "eta_s": None}
    assert lines[-1] == {"task": "m = 2", "done": 4, "total": 4, "eta_s": 0.0}


def test_the_file_hears_of_steps_counted_within_the_work(file: Path) -> None:
    with Progress("m = 2", total=10) as reporter:
        with counted(reporter.tally):
            count_steps(2)
            count_steps(3)
        line = wait_for_line(file, 5)
        assert isinstance(line["eta_s"], float)
        reporter.advance(5)  # the same steps, seen from outside
        assert reporter.done == 5
        count_steps(1)  # nobody's
    assert read(file)[-1]["done"] == 5


def test_steps_in_another_process_count(file: Path) -> None:
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(Path(progress.__file__).parents[2])!r})
        from fnn.runs.progress import count_steps, counted
        with counted(sys.argv[1]):
            count_steps(7)
    """
    with Progress("m = 2", total=10) as reporter:
        assert reporter.tally is not None
        subprocess.run([sys.executable, "-c", code, reporter.tally], check=True)
        wait_for_line(file, 7)


def test_the_estimate_is_the_pace_of_what_took_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = Progress("m = 2", total=10)
    started = time.monotonic()
    reporter.skip(4)  # stored
    assert reporter.eta() is None
    reporter.advance(2)
    monkeypatch.setattr(progress.time, "monotonic", lambda: started + 6)
    assert reporter.eta() == pytest.approx(12, abs=0.1)  # 4 are left, 2 took 6 s
    reporter.advance(4)
    assert reporter.eta() == 0


def test_several_tasks_append_to_one_file(file: Path) -> None:
    for task in ("a", "b"):
        with Progress(task, total=1) as reporter:
            reporter.advance()
    tasks = [line["task"] for line in read(file)]
    assert tasks == sorted(tasks)
    assert set(tasks) == {"a", "b"}


def test_unwritable_file_is_given_up_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path))  # a folder
    with Progress("m = 2", total=2) as reporter, counted("/no/such/place"):
        count_steps(1)
        reporter.advance(2)
    assert reporter.done == 2
    assert capfd.readouterr() == ("", "")


def test_a_tally_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with counted(str(tmp_path / "gone")):
        count_steps(1)
    assert not (tmp_path / "gone").exists()


def test_estimate_weighs_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress"))
    monkeypatch.setattr("time.monotonic", iter([0.0, *[8.0] * 100]).__next__)
    reporter = Progress("two widths", total=[6, 2], weights=[1.0, 10.0])
    with reporter:
        reporter.skip(2, part=0)
        with counted(reporter.tally, part=0):
            count_steps(4)
        assert reporter.eta() == pytest.approx(8.0 / 4 * 20)
        with counted(reporter.tally, part=1):
            count_steps(1)
        assert (reporter.done, reporter.total) == (7, 8)
        assert reporter.eta() == pytest.approx(8.0 / 14 * 10)


def test_terminal_gets_one_line_that_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress("m = 2", total=10) as reporter:
        reporter.advance(5)
    written = terminal.getvalue()
    assert "\r\x1b[Km = 2: 5 of 10, about 0 s left" in written
    assert "\n" not in written
    assert written.endswith("\r\x1b[K")


def test_the_line_is_cleared_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(RuntimeError, match="halt"), Progress("m = 2", total=10):
        raise RuntimeError("halt")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_silence_where_nobody_watches(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress("m = 2", total=1) as reporter, counted(reporter.tally):
        assert reporter.tally is None
        count_steps(1)
        reporter.advance()
    assert capfd.readouterr() == ("", "")
