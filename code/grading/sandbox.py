"""Runs one function over many files that nobody vouches for, each in a process of its own within limits.

A file that makes a library loop, eat memory or crash costs its own process and nothing else. Two nurseries
(`grading.nursery`: fresh interpreters that have imported the function and nothing more) fork one child per
job, which takes milliseconds. What comes back from a child is JSON, so a child that a hostile file has taken
over can say wrong things but can make nobody run them.

The limits are the operating system's: CPU time, address space, no writing of files. Where it cannot enforce
one (`unenforced`) the caller has to say so.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    """Which limit this system does not enforce; empty on Linux."""
    return "" if sys.platform == "linux" else "the memory limit is not enforced on this system"


def run_all(
    function: str, jobs: Sequence[str], bounds: Bounds = BOUNDS, workers: int = 2
) -> Iterator[tuple[int, Outcome]]:
    """Run `function(job, say)` for every job, two at a time, and yield (index, outcome) as they end.

    Args:
        function: `module:name`, imported once per worker.
        jobs: One string each; the function knows what it means.
        bounds: The limits of every job.
        workers: How many run at the same time.

    Raises:
        HandinError: this system has no processes that can be limited.
    """
    if sys.platform == "win32":
        raise HandinError(
            "Windows cannot limit what reads strangers' files",
            remedy="use Linux, macOS or WSL for this command",
        )
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(jobs)):
        todo.put(index)
    done: queue.SimpleQueue[tuple[int, Outcome] | BaseException | None] = queue.SimpleQueue()
    nurseries: list[_Nursery] = []

    def work() -> None:
        try:
            with _Nursery(function, bounds) as nursery:
                nurseries.append(nursery)
                while True:
                    try:
                        index = todo.get_nowait()
                    except queue.Empty:
                        break
                    done.put((index, nursery.run(jobs[index])))
        except BaseException as error:
            done.put(error)
        done.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(jobs)))]
    for thread in threads:
        thread.start()
    try:
        working = len(threads)
        while working:
            item = done.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                working -= 1
            else:
                yield item
    finally:
        while not todo.empty():  # who stops listening wants no more jobs begun
            with contextlib.suppress(queue.Empty):
                todo.get_nowait()
        for nursery in nurseries:
            nursery.stop()
        for thread in threads:
            thread.join(timeout=5)


class _Nursery:
    """One interpreter that forks a child per job. Lines of JSON go in and come out."""

    def __init__(self, function: str, bounds: Bounds) -> None:
        source = str(Path(__file__).resolve().parents[1])
        paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        # -P: a module in the current folder, which may be the folder of hand-ins, must not be imported.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grading.nursery", function, json.dumps(asdict(bounds))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def __enter__(self) -> _Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # the nursery ends when nothing more can come
        self._process.stdout.close()
        self._process.wait()

    def stop(self) -> None:
        """End it, and the child that it has, at once."""
        self._process.terminate()

    def run(self, job: str) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker of handin ended with status {self._process.wait()}")
        return Outcome(**json.loads(line))
