"""One job can loop, starve, crash or lie: the others do not notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grading.sandbox import Bounds, Outcome, run_all

Run = Callable[..., list[Outcome]]
BOUNDS = Bounds(cpu=1, memory=200 * 2**20)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def run(*jobs: str, bounds: Bounds = BOUNDS) -> list[Outcome]:
        outcomes = dict(run_all("sandbox_jobs:misbehave", jobs, bounds))
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
