"""One job can loop, starve, crash or lie: the others do not notice."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from grading import landlock
from grading.sandbox import Bounds, Outcome, run_all, unenforced
from handin.qmd import pandoc

Run = Callable[..., list[Outcome]]
needs_landlock = pytest.mark.skipif(landlock.version() < 4, reason="takes Linux 6.7: Landlock with TCP")
BOUNDS = Bounds(cpu=1, memory=200 * 2**20)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def run(*jobs: str, bounds: Bounds = BOUNDS, files: Sequence[Path] | None = None) -> list[Outcome]:
        outcomes = dict(run_all("sandbox_jobs:misbehave", jobs, bounds, files=files))
        return [outcomes[index] for index in range(len(jobs))]

    return run


def test_every_way_to_misbehave_is_named_and_the_rest_is_answered(run: Run, tmp_path: Path) -> None:
    told = {
        "loop": "1 s of CPU time",
        "eat": "needs more than 200 MiB",
        "crash": "crashed (SIGSEGV)",
        "hush": "crashed (SIGKILL)",
        "leave": "ended early (status 7)",
        "raise": "ValueError: a message",
        f"write {tmp_path / 'x'}": "File too large",
        "talk": "more than 4 MiB to say",
        "print": "",
    }
    jobs = [job for bad in told for job in (bad, f"answer to {bad}")]
    outcomes = dict(zip(jobs, run(*jobs), strict=True))
    for job, words in told.items():
        assert words in outcomes[job].fault, outcomes[job]
        assert bool(words) == bool(outcomes[job].fault)
        assert outcomes[job].known["kind"] == job.split()[0], "what was said before is kept"
        assert outcomes[f"answer to {job}"] == Outcome(
            {"kind": "answer", "answer": f"TO {job.upper()}"}, "answering"
        )
    assert not (tmp_path / "x").exists() or not (tmp_path / "x").read_text()


@needs_landlock
def test_a_confined_job_reads_its_file_and_nothing_else(run: Run, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "others" / "secret"
    other.parent.mkdir()
    own.write_text("mine")
    other.write_text("theirs")
    refused = [f"{verb} {other}" for verb in ("read", "write", "remove", "run /bin/cat")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        refused += [f"list {other.parent}", f"touch {other}-new", f"connect {server.getsockname()[1]}"]
        jobs = [*refused, f"read {own}"]
        *confined, read = run(*jobs, files=[own] * len(jobs))
        free = run(f"list {other.parent}", f"read {other}", refused[-1])
    for job, outcome in zip(refused, confined, strict=True):
        assert "Permission denied" in outcome.fault, (job, outcome)
        assert "held" not in outcome.known
    assert read.known["held"] == "mine"
    assert [outcome.fault for outcome in free] == [""] * 3  # it is the confinement that keeps it from that
    assert other.read_text() == "theirs"


@needs_landlock
def test_a_confined_job_may_run_pandoc(run: Run, tmp_path: Path) -> None:
    (outcome,) = run(f"run {pandoc.executable()} --version", files=[tmp_path], bounds=Bounds())
    assert outcome.known["held"].startswith("pandoc"), outcome


def test_where_confinement_is_not_to_be_had_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert not landlock.confine([], [])
    assert "nothing keeps the reader from other files" in unenforced()


def test_who_waits_too_long_is_stopped(run: Run) -> None:
    (outcome,) = run("sleep", bounds=Bounds(wall=1.0))
    assert outcome == Outcome({"kind": "sleep"}, "about to sleep", "stopped after 1 s")


def test_two_jobs_run_at_the_same_time(run: Run, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    assert [outcome.known.get("met") for outcome in run(f"meet {a} {b}", f"meet {b} {a}")] == [True, True]


def test_no_jobs_are_no_trouble() -> None:
    assert list(run_all("sandbox_jobs:misbehave", [])) == []


def test_who_stops_listening_stops_the_workers(run: Run, tmp_path: Path) -> None:
    marks = [tmp_path / str(number) for number in range(40)]
    jobs = ["answer", *(f"meet {mark} {tmp_path / 'nobody'}" for mark in marks)]
    for _ in run_all("sandbox_jobs:misbehave", jobs, Bounds(wall=0.3)):
        break
    assert sum(mark.exists() for mark in marks) < 10


def test_a_function_that_is_not_there_is_an_error(run: Run) -> None:
    with pytest.raises(RuntimeError, match="ended with status"):
        list(run_all("sandbox_jobs:nothing", ["x"]))
