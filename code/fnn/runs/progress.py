"""How far a long computation is, told to whoever watches.

Told in the first place that applies: the file that the environment variable `PROGRESS_FILE` names, one JSON
object per line and update (a renderer sets it, because what a chunk prints ends in the document, and shows
at its own terminal what it reads there); standard error if that is a terminal, in one line that rewrites
itself; nowhere.

The work itself counts its steps with `count_steps`, here or in another process. A task may have parts whose
steps take differently long; how long is told as weights, which only the estimate uses.

A line of the file: `{"task": "m = 10, lm", "done": 300, "total": 1000, "eta_s": 4.2}`. `eta_s` is the time
left in seconds if the rest goes like what is done, and null until something is done.
"""

import json
import operator
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Self

PERIOD = 0.25  # seconds between updates

_tally: ContextVar[tuple[str | None, int]] = ContextVar("tally", default=(None, 0))


def count_steps(steps: int) -> None:
    """Say from within the work, in whatever process it runs, that so many more steps are done."""
    tally, part = _tally.get()
    if tally is not None:
        _append(tally, bytes([part]) * steps, create=False)  # on another machine of a cluster there is none


@contextmanager
def counted(tally: str | None, part: int = 0) -> Iterator[None]:
    """Within this context `count_steps` counts for this part of the `Progress` whose `tally` this is."""
    token = _tally.set((tally, part))
    try:
        yield
    finally:
        _tally.reset(token)


class Progress:
    """The progress of one task: `with Progress("m = 10", total=1000) as progress: progress.advance(100)`.

    While somebody watches, a thread tells a few times a second what `count_steps` has counted meanwhile: a
    file, `tally`, grows by a byte for every step, in whatever process it is done; the byte names the part.

    Args:
        task: what the work is called.
        total: the number of steps, of whatever kind the caller counts; or one number for each part.
        weights: the time that a step of each part takes, in any unit; equal by default. At most 256 parts.
    """

    def __init__(self, task: str, total: int | Sequence[int], weights: Sequence[float] | None = None) -> None:
        self.task = task
        self._totals = [total] if isinstance(total, int) else list(total)
        self._weights = [1.0] * len(self._totals) if weights is None else list(weights)
        self.tally: str | None = None
        self._done = [0] * len(self._totals)  # by `advance` and `skip`
        self._skipped = list(self._done)
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
    def total(self) -> int:
        """All steps of all parts."""
        return sum(self._totals)

    @property
    def done(self) -> int:
        """Steps done so far, counted from outside or from within, whichever is ahead."""
        return sum(self._done_by_part())

    def advance(self, steps: int = 1, part: int = 0) -> None:
        """Count `steps` more as done."""
        self._done[part] += steps

    def skip(self, steps: int, part: int = 0) -> None:
        """Count `steps` as done that took no time and tell nothing about the others."""
        self._skipped[part] += steps
        self._done[part] += steps

    def eta(self) -> float | None:
        """Seconds left, at the pace so far."""
        done = self._done_by_part()
        if done == self._totals:
            return 0.0
        worked = self._work(map(operator.sub, done, self._skipped))
        left = self._work(map(operator.sub, self._totals, done))
        return (time.monotonic() - self._started) * left / worked if worked else None

    def _done_by_part(self) -> list[int]:
        tallied = _read(self.tally)
        return [
            min(max(done, skipped + tallied.count(part)), total)
            for part, (done, skipped, total) in enumerate(
                zip(self._done, self._skipped, self._totals, strict=True)
            )
        ]

    def _work(self, steps: Iterable[int]) -> float:
        return sum(count * weight for count, weight in zip(steps, self._weights, strict=True))

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


def _read(path: str | None) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError:
        return b""


def _draw(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
