"""One error for everything a person can put right: it names the place, the problem and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where something stands: a file, as the person knows it, and a line counted from 1."""

    file: Path | str
    line: int | None = None

    def __str__(self) -> str:
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class HandinError(Exception):
    """A mistake in the project, or a limit of this tool, with its place and remedy.

    The command line prints it without a trace and exits with status 1.

    Attributes:
        problem: What is wrong, without a full stop.
        place: File and line, or None where no file is to blame.
        remedy: What to do about it; may be empty.
    """

    def __init__(self, problem: str, *, place: Place | None = None, remedy: str = "") -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        where = f"{place}: " if place else ""
        super().__init__(f"{where}{problem}" + (f"; {remedy}" if remedy else ""))
