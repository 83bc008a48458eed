"""Runs one function over many files that nobody vouches for, each in a process of its own within limits.

A file that makes a library loop, eat memory or crash costs its own process and nothing else. Two nurseries
(fresh interpreters that have imported the function and nothing more) fork one child per job: a child starts
in milliseconds and inherits no threads. What comes back from a child is JSON, so a child that a hostile file
has taken over can say wrong things but can make nobody run them.

The limits are the operating system's: CPU time, address space, no writing of files. Where it cannot enforce
one (`unenforced`) the caller has to say so.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from handin.errors import HandinError

if sys.platform != "win32":
    import resource

MIB = 2**20


@dataclass(frozen=True)
class Bounds:
    """What one job may use."""

    cpu: int = 8  # seconds of CPU time
    wall: float = 40.0  # seconds on the clock, for a job that waits instead of computing
    memory: int = 384 * MIB  # bytes of address space, interpreter included
    answer: int = 4 * MIB  # bytes of JSON

    def __str__(self) -> str:
        return f"{self.cpu} s of CPU time ({self.wall:.0f} s on the clock) and {self.memory // MIB} MiB of memory"


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
    stop = threading.Event()

    def work() -> None:
        try:
            with _Nursery(function, bounds) as nursery:
                while not stop.is_set():
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
        stop.set()
        for thread in threads:
            thread.join(timeout=bounds.wall + 5)


class _Nursery:
    """One interpreter that forks a child per job. Lines of JSON go in and come out."""

    def __init__(self, function: str, bounds: Bounds) -> None:
        source = str(Path(__file__).resolve().parents[1])
        paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "handin.sandbox", function, json.dumps(asdict(bounds))],
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

    def run(self, job: str) -> Outcome:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker of handin ended with status {self._process.wait()}")
        return Outcome(**json.loads(line))


# ── the nursery's side ──


def nurse(function: str, bounds: Bounds) -> None:
    """Read jobs from standard input, fork a child for each, write the outcomes to standard output."""
    module, name = function.split(":")
    call: Callable[[str, Say], None] = getattr(importlib.import_module(module), name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the parent decides
    for line in sys.stdin.buffer:
        outcome = _bear(call, json.loads(line), bounds)
        sys.stdout.buffer.write(json.dumps(asdict(outcome)).encode() + b"\n")
        sys.stdout.buffer.flush()


def _bear(call: Callable[[str, Say], None], job: str, bounds: Bounds) -> Outcome:
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _live(call, job, bounds, send)
    os.close(send)
    said, late = _listen(receive, bounds)
    os.close(receive)
    if late:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return _outcome(said, status, late, bounds)


def _listen(receive: int, bounds: Bounds) -> tuple[bytes, str]:
    """What the child says until it ends, and why it had to be stopped."""
    said = bytearray()
    end = time.monotonic() + bounds.wall
    with selectors.DefaultSelector() as selector:
        selector.register(receive, selectors.EVENT_READ)
        while True:
            if not selector.select(max(end - time.monotonic(), 0)):
                return bytes(said), f"stopped after {bounds.wall:.0f} s"
            piece = os.read(receive, 65536)
            if not piece:
                return bytes(said), ""
            said += piece
            if len(said) > bounds.answer:
                return bytes(said), f"stopped: more than {bounds.answer // MIB} MiB to say"


def _outcome(said: bytes, status: int, late: str, bounds: Bounds) -> Outcome:
    known: dict[str, Any] = {}
    stage, fault, ended = "starting", "", False
    for line in said.split(b"\n")[:-1]:  # what follows the last line end was cut off
        try:
            message = json.loads(line)
            stage, fault = str(message["stage"]) or stage, str(message["fault"])
            ended = bool(message["ended"])
            known.update(message["known"])
        except (ValueError, KeyError, TypeError, RecursionError):
            fault = "said what nobody can read"
            break
    if late:
        fault = late
    elif status == -signal.SIGXCPU:
        fault = f"stopped after {bounds.cpu} s of CPU time"
    elif status < 0:
        fault = f"the reader crashed ({signal.Signals(-status).name})"
        if status == -signal.SIGABRT:  # how libraries in C say that memory ran out
            fault += f", most likely because {bounds.memory // MIB} MiB of memory were not enough"
    elif not ended:
        fault = fault or f"the reader ended early (status {status})"
    return Outcome(known, stage, fault)


def _live(call: Callable[[str, Say], None], job: str, bounds: Bounds, send: int) -> NoReturn:
    """The child: set the limits, do the job, say what happened, end."""

    def say(stage: str, *, ended: bool = False, fault: str = "", **known: Any) -> None:
        line = json.dumps({"stage": stage, "ended": ended, "fault": fault, "known": known}).encode() + b"\n"
        while line:
            line = line[os.write(send, line) :]

    status = 1
    try:
        _limit(bounds, send)
        call(job, say)
        say("", ended=True)
        status = 0
    except MemoryError:
        say("", fault=f"needs more than {bounds.memory // MIB} MiB of memory")
    except BaseException as error:
        say("", fault=f"{type(error).__name__}: {str(error)[:300]}")
    finally:
        os._exit(status)


def _limit(bounds: Bounds, send: int) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu, bounds.cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file can be written; pipes can
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    # The nursery's own channels are not the child's: standard streams lead nowhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.closerange(3, send)
    os.closerange(send + 1, 256)


if __name__ == "__main__":
    nurse(sys.argv[1], Bounds(**json.loads(sys.argv[2])))
