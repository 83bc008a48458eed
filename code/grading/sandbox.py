"""Runs one function over many files that nobody vouches for, each in a process of its own within limits.

A file that makes a library loop, eat memory or crash costs its own process and nothing else. The nursery
(`grading.nursery`: a fresh interpreter that has imported the function and nothing more) forks one child per
job: importing takes 0.3 s of CPU time, a fork milliseconds, and a teacher has 200 hand-ins. What comes back
is JSON, so a child that a hostile file has taken over can say wrong things but can make nobody run them.

The limits are the operating system's: CPU time, address space, no writing of files; and by Landlock no file
to be read but the job's own and Python's, no program to be started but Pandoc, no TCP. Where it cannot
enforce one (`unenforced`) the caller has to say so.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grading import landlock
from handin.errors import HandinError

MIB = 2**20


@dataclass(frozen=True)
class Bounds:
    """What one job may use."""

    cpu: int = 8  # seconds of CPU time
    wall: float = 40.0  # seconds on the clock, for a job that waits instead of computing
    memory: int = 384 * MIB  # bytes of address space, interpreter included
    answer: int = 4 * MIB  # bytes of JSON

    def __str__(self) -> str:
        time = f"{self.cpu} s of CPU time ({self.wall:.0f} s on the clock)"
        return f"{time} and {self.memory // MIB} MiB of memory"


BOUNDS = Bounds()

Say = Callable[..., None]  # say("drawing page 1", pages=9): what comes next, and what is known by now


@dataclass(frozen=True)
class Outcome:
    """What a job said before it ended."""

    known: dict[str, Any]  # the keywords of every `say`, later ones over earlier ones
    stage: str  # what it was doing last
    fault: str = ""  # why it did not come to its end; empty where it did


def unenforced() -> str:
    """Which limit this system does not enforce; empty on Linux since 5.13."""
    missing = []
    if sys.platform != "linux":
        missing.append("the memory limit is not enforced")
    if not landlock.version():
        missing.append("nothing keeps the reader from other files, nor may it start Pandoc to read sources")
    return ", and ".join(missing)


def run_all(
    function: str,
    jobs: Sequence[str],
    bounds: Bounds = BOUNDS,
    workers: int = 2,
    files: Sequence[Path] | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Run `function(job, say)` for every job, some at a time, and yield (index, outcome) as they end.

    Args:
        function: `module:name`, imported once.
        jobs: One string each; the function knows what it means.
        bounds: The limits of every job.
        workers: How many run at the same time.
        files: What each job may read, a file or a folder with all in it, beside what Python and Pandoc need;
            None for jobs that are not confined.

    Raises:
        HandinError: this system has no processes that can be limited.
        RuntimeError: the nursery ended early, for the function is not there.
    """
    if sys.platform == "win32":
        raise HandinError(
            "Windows cannot limit what reads strangers' files",
            remedy="use Linux, macOS or WSL for this command",
        )
    source = str(Path(__file__).resolve().parents[1])
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    # -P: a module in the current folder, which may be the folder of hand-ins, must not be imported.
    nursery = subprocess.Popen(
        [sys.executable, "-P", "-m", "grading.nursery", function, json.dumps(asdict(bounds)), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    readable = None if files is None else [str(path.absolute()) for path in files]
    given = {"jobs": list(jobs), "files": readable}
    try:
        with contextlib.suppress(BrokenPipeError):  # it has ended; that is said below
            nursery.stdin.write(json.dumps(given).encode())
            nursery.stdin.close()
        waiting = len(jobs)
        for line in nursery.stdout:
            index, outcome = json.loads(line)
            waiting -= 1
            yield index, Outcome(**outcome)
        if waiting:
            raise RuntimeError(f"the worker of handin ended with status {nursery.wait()}")
    finally:
        nursery.terminate()  # who stops listening wants no more jobs begun
        nursery.stdout.close()
        nursery.wait()
