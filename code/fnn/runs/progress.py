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


class Progress:
    """The progress of one task: `with Progress("m = 10", 1000, 20.0) as watched: watched.advance(100, 2.0)`.

    Args:
        task: what the work is called.
        total: the number of steps, of whatever kind the caller counts.
        work: what all steps together cost, in any unit; the estimate goes by it, as steps may differ.
    """

    def __init__(self, task: str, total: int, work: float) -> None:
        self.task, self.total, self.done = task, total, 0
        self._left, self._worked = work, 0.0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        self._tell()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _draws():
            _draw("")  # leave an empty line to whatever is printed next

    def advance(self, steps: int, work: float, *, stored: bool = False) -> None:
        """Count so many steps, which cost `work`, as done; those that were `stored` took no time."""
        self.done += steps
        self._left -= work
        if not stored:
            self._worked += work
        self._tell()

    def eta(self) -> float | None:
        """Seconds left, at the pace so far."""
        if self.done == self.total:
            return 0.0
        return (time.monotonic() - self._started) * self._left / self._worked if self._worked else None

    def _tell(self) -> None:
        eta = self.eta()
        if path := os.environ.get("PROGRESS_FILE"):
            line = {"task": self.task, "done": self.done, "total": self.total, "eta_s": eta}
            try:
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
            except OSError:
                pass  # progress is a courtesy: nobody's training ends because it cannot be shown
        elif _draws():
            left = "" if eta is None else f", about {eta:.0f} s left"
            _draw(f"{self.task}: {self.done} of {self.total}{left}")


def _draws() -> bool:
    return not os.environ.get("PROGRESS_FILE") and sys.stderr is not None and sys.stderr.isatty()


def _draw(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()
