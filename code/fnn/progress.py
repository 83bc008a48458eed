"""How far a long computation is, told to whoever watches.

Told in the first place that applies: the file that the environment variable `PROGRESS_FILE` names, one JSON
object per line and update (a renderer sets it, because what a chunk prints ends in the document, and shows
at its own terminal what it reads there); standard error if that is a terminal, in one line that rewrites
itself; nowhere.

The work itself counts its steps with `count_steps`, here or in another process.

A line of the file: `{"task": "m = 10, lm", "done": 300, "total": 1000, "eta_s": 4.2}`. `eta_s` is the time
left in seconds if the rest goes like what is done, and null until something is done.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Self

PERIOD = 0.25  # seconds between updates

_tally: ContextVar[str | None] = ContextVar("tally", default=None)


def count_steps(steps: int) -> None:
    """Say from within the work, in whatever process it runs, that so many more steps are done."""
    tally = _tally.get()
    if tally is not None:
        _append(tally, b"." * steps, create=False)  # on another machine of a cluster there is none


@contextmanager
def counted(tally: str | None) -> Iterator[None]:
    """Within this context `count_steps` counts for the `Progress` whose `tally` this is."""
    token = _tally.set(tally)
    try:
        yield
    finally:
        _tally.reset(token)


class Progress:
    """The progress of one task: `with Progress("m = 10", total=1000) as progress: progress.advance(100)`.

    While somebody watches, a thread tells a few times a second what `count_steps` has counted meanwhile: a
    file, `tally`, grows by a byte for every step, in whatever process it is done.
    """

    def __init__(self, task: str, total: int) -> None:
        self.task = task
        self.total = total  # steps, of whatever kind the caller counts
        self.tally: str | None = None
        self._done = 0  # by `advance` and `skip`
        self._skipped = 0
        self._file = os.environ.get("PROGRESS_FILE")
        self._draws = not self._file and sys.stderr is not None and sys.stderr.isatty()
        self._started = time.monotonic()
        self._ends = threading.Event()
        self._teller = threading.Thread(target=self._tell_on, daemon=True)

    def __enter__(self) -> Self:
        if self._file or self._draws:
            handle, self.tally = tempfile.mkstemp(prefix="progress-")
            os.close(handle)
            self._tell()
            self._teller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.tally is None:
            return
        self._ends.set()
        self._teller.join()
        self._tell()
        if self._draws:
            _draw("\r\x1b[K")  # leave an empty line to whatever is printed next
        Path(self.tally).unlink(missing_ok=True)

    @property
    def done(self) -> int:
        """Steps done so far, counted from outside or from within, whichever is ahead."""
        return min(max(self._done, self._skipped + _size(self.tally)), self.total)

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more as done."""
        self._done += steps

    def skip(self, steps: int) -> None:
        """Count `steps` as done that took no time and tell nothing about the others."""
        self._skipped += steps
        self._done += steps

    def eta(self) -> float | None:
        """Seconds left, at the pace so far."""
        done = self.done
        worked = done - self._skipped
        if done == self.total:
            return 0.0
        return (time.monotonic() - self._started) * (self.total - done) / worked if worked else None

    def _tell_on(self) -> None:
        while not self._ends.wait(PERIOD):
            self._tell()

    def _tell(self) -> None:
        done, eta = self.done, self.eta()
        if self._file:
            line = {"task": self.task, "done": done, "total": self.total, "eta_s": eta}
            _append(self._file, (json.dumps(line) + "\n").encode(), create=True)
        elif self._draws:
            left = "" if eta is None else f", about {eta:.0f} s left"
            _draw(f"\r\x1b[K{self.task}: {done} of {self.total}{left}")


def _append(path: str, text: bytes, *, create: bool) -> None:
    """Append in one write, so that what several processes append does not mix."""
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT if create else 0)
    try:
        with open(os.open(path, flags, 0o666), "ab", buffering=0) as file:
            file.write(text)
    except OSError:
        pass  # progress is a courtesy: nobody's training ends because it cannot be shown


def _size(path: str | None) -> int:
    try:
        return os.path.getsize(path) if path else 0
    except OSError:
        return 0


def _draw(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
