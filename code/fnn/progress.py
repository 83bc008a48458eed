"""How far a long computation is, told to whoever watches.

Told in the first place that applies: the file that the environment variable `PROGRESS_FILE` names, one JSON
object per line and update (a renderer sets it, because what a chunk prints ends in the document, and shows
at its own terminal what it reads there); standard error if that is a terminal, in one line that rewrites
itself; nowhere.

A line of the file: `{"task": "m = 10, lm", "done": 300, "total": 1000, "eta_s": 4.2}`. `eta_s` is the time
left in seconds if the rest goes like what is done, and null until something is done.
"""

import json
import os
import sys
import time
from types import TracebackType
from typing import Self

SECONDS_BETWEEN_UPDATES = 0.25


class Progress:
    """The progress of one task: `with Progress("m = 10", total=1000) as progress: progress.advance(100)`."""

    def __init__(self, task: str, total: int) -> None:
        self.task = task
        self.total = total  # steps, of whatever kind the caller counts
        self.done = 0
        self._file = os.environ.get("PROGRESS_FILE")
        self._draws = not self._file and sys.stderr is not None and sys.stderr.isatty()
        self._started = time.monotonic()
        self._told = -float("inf")  # when the last update went out

    def __enter__(self) -> Self:
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._draws:
            _draw("\r\x1b[K")  # leave an empty line to whatever is printed next
            self._draws = False

    def advance(self, steps: int = 1) -> None:
        """Count `steps` more as done; updates go out a few times a second at most, the last one always."""
        self.done += steps
        if self.done >= self.total or time.monotonic() - self._told >= SECONDS_BETWEEN_UPDATES:
            self._tell()

    def eta(self) -> float | None:
        """Seconds left, at the pace so far."""
        if not self.done:
            return None
        elapsed = time.monotonic() - self._started
        return elapsed * max(self.total - self.done, 0) / self.done

    def _tell(self) -> None:
        self._told = time.monotonic()
        eta = self.eta()
        if self._file:
            line = {"task": self.task, "done": self.done, "total": self.total, "eta_s": eta}
            self._file = self._file if _append(self._file, json.dumps(line) + "\n") else None
        elif self._draws:
            left = "" if eta is None else f", about {eta:.0f} s left"
            _draw(f"\r\x1b[K{self.task}: {self.done} of {self.total}{left}")


def _append(path: str, line: str) -> bool:
    """Append in one write, so that lines of several processes do not mix; False if that is impossible."""
    try:
        with open(path, "ab", buffering=0) as file:
            file.write(line.encode())
    except OSError:
        return False  # progress is a courtesy: nobody's training ends because it cannot be shown
    return True


def _draw(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
