"""How far a long computation is, told to whoever watches.

Told in the first place that applies: the file that the environment variable `PROGRESS_FILE` names, one JSON
object per line and update (a renderer sets it, because what a chunk prints ends in the document, and shows
at its own terminal what it reads there); standard error if that is a terminal, in one line that rewrites
itself; nowhere.

A line of the file: `{"task": "m = 10, lm", "done": 300, "total": 1000, "eta_s": 4.2}`. `eta_s` is the time
left in seconds if the rest goes like what is done, and null until something is done. `{"say": "…"}` is a line
to be shown as it is.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
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
        if _is_told({"task": self.task, "done": self.done, "total": self.total, "eta_s": eta}):
            return
        if _draws():
            left = "" if eta is None else f", about {eta:.0f} s left"
            _draw(f"{self.task}: {self.done} of {self.total}{left}")


def say(line: str) -> None:
    """Show a line to whoever watches, and never in a document: not where a kernel's cells print to."""
    if _is_told({"say": line}):
        return
    terminal = getattr(sys.stderr, "_original_stdstream_copy", None)  # of a kernel
    if terminal is None:
        print(line, file=sys.stderr)
    else:
        os.write(terminal, f"{line}\n".encode())


def _is_told(what: Mapping[str, object]) -> bool:
    """Append a line to the progress file, where there is one."""
    path = os.environ.get("PROGRESS_FILE")
    if path:
        with (
            suppress(OSError),
            open(path, "a", encoding="utf-8") as file,
        ):  # a courtesy: no training ends by it
            file.write(json.dumps(what) + "\n")
    return bool(path)


def _draws() -> bool:
    return not os.environ.get("PROGRESS_FILE") and sys.stderr is not None and sys.stderr.isatty()


def _draw(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()
