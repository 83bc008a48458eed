"""The other side of `grading.sandbox`: forks a child per job, limits it, listens to it, ends it.

Runs as `python -m grading.nursery MODULE:FUNCTION BOUNDS WORKERS`; a list of jobs and one of what each may
read come in, outcomes go out as lines of JSON, each with its job's number. It has no threads, so a fork is
safe.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from grading import landlock
from grading.sandbox import MIB, Bounds, Outcome, Say
from handin.qmd import pandoc

LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")  # that Python's modules load on demand, and fonts


@dataclass
class _Child:
    """A job that runs."""

    job: int
    pid: int
    end: float  # when it has to have ended
    said: bytearray = field(default_factory=bytearray)
    late: str = ""  # why it had to be stopped


def nurse(
    function: str, bounds: Bounds, jobs: Sequence[str], files: Sequence[str] | None, workers: int
) -> None:
    """Fork a child for every job, some at a time, and write the outcomes to standard output."""
    module, name = function.split(":")
    call: Callable[[str, Say], None] = getattr(importlib.import_module(module), name)
    if files is not None:
        pandoc.executable()  # looked for once, by starting it
    selector = selectors.DefaultSelector()

    def stop(*_: object) -> NoReturn:
        for key in selector.get_map().values():
            _kill(key.data.pid, os.killpg)
            _kill(key.data.pid, os.kill)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us too; the parent decides
    signal.signal(signal.SIGTERM, stop)
    begun = 0
    while begun < len(jobs) or selector.get_map():
        while begun < len(jobs) and len(selector.get_map()) < workers:
            receive, pid = _bear(call, jobs[begun], bounds, files[begun] if files else None)
            selector.register(
                receive, selectors.EVENT_READ, _Child(begun, pid, time.monotonic() + bounds.wall)
            )
            begun += 1
        children = list(selector.get_map().values())
        first = min(key.data.end for key in children)
        heard = {key.fd for key, _ in selector.select(max(first - time.monotonic(), 0))}
        for key in children:
            if _listen(key.data, key.fd, key.fd in heard, bounds):
                selector.unregister(key.fd)
                os.close(key.fd)
                # One that has said all it can say, or closed its mouth, is given a second to end by itself.
                status = _end_of(key.data.pid, seconds=0.0 if key.data.late else 1.0)
                outcome = _outcome(bytes(key.data.said), status, key.data.late, bounds)
                sys.stdout.buffer.write(json.dumps([key.data.job, asdict(outcome)]).encode() + b"\n")
                sys.stdout.buffer.flush()


def _bear(call: Callable[[str, Say], None], job: str, bounds: Bounds, file: str | None) -> tuple[int, int]:
    """Start a child; gives the pipe that it speaks into, and its number."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        _live(call, job, bounds, file, send)
    os.close(send)
    return receive, child


def _listen(child: _Child, receive: int, heard: bool, bounds: Bounds) -> bool:
    """Take what a child says; whether it has come to its end, or is brought to it."""
    if heard:
        piece = os.read(receive, 65536)
        child.said += piece
        if len(child.said) > bounds.answer:
            child.late = f"stopped: more than {bounds.answer // MIB} MiB to say"
        return not piece or bool(child.late)
    if time.monotonic() >= child.end:
        child.late = f"stopped after {bounds.wall:.0f} s"
    return bool(child.late)


def _end_of(child: int, seconds: float) -> int:
    """The exit status of a child; one that does not end in time is killed, with all that it has started."""
    end = time.monotonic() + seconds
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < end:
        time.sleep(0.001)
        ended, status = os.waitpid(child, os.WNOHANG)
    _kill(child, os.killpg)  # it leads a group of its own, which may have outlived it
    if not ended:
        _kill(child, os.kill)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _kill(child: int, kill: Callable[[int, int], None]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        kill(child, signal.SIGKILL)


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
        known_signals = {one.value: one.name for one in signal.Signals}
        fault = f"the reader crashed ({known_signals.get(-status, f'signal {-status}')})"
        if status == -signal.SIGABRT:  # how libraries in C say that memory ran out
            fault += f", most likely because {bounds.memory // MIB} MiB of memory were not enough"
    elif not ended:
        fault = fault or f"the reader ended early (status {status})"
    return Outcome(known, stage, fault)


def _live(
    call: Callable[[str, Say], None], job: str, bounds: Bounds, file: str | None, send: int
) -> NoReturn:
    """The child: set the limits, do the job, say what happened, end."""

    def say(stage: str, *, ended: bool = False, fault: str = "", **known: Any) -> None:
        line = json.dumps({"stage": stage, "ended": ended, "fault": fault, "known": known}).encode() + b"\n"
        while line:
            line = line[os.write(send, line) :]

    status = 1
    try:
        _limit(bounds, send)
        _confine(file)
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
    os.setpgid(0, 0)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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


def _confine(file: str | None) -> None:
    """Leave the child its file, what Python loads on demand, and Pandoc; or, without Landlock, no process."""
    if file is not None:
        needed = {*filter(None, sys.path), sys.prefix, sys.base_prefix, *LIBRARIES, file}
        if landlock.confine(map(Path, sorted(needed)), [Path(pandoc.executable())]):
            return
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # holds for all but the superuser


if __name__ == "__main__":
    given = json.load(sys.stdin)
    nurse(sys.argv[1], Bounds(**json.loads(sys.argv[2])), given["jobs"], given["files"], int(sys.argv[3]))
