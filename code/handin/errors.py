"""One error for everything a person can put right: it names the place, the problem and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
        others: Further mistakes that were found with it.
    """

    def __init__(
        self,
        problem: str,
        *,
        place: Place | None = None,
        remedy: str = "",
        others: Sequence[HandinError] = (),
    ) -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        self.others = tuple(others)
        where = f"{place}: " if place else ""
        itself = f"{where}{problem}" + (f"; {remedy}" if remedy else "")
        super().__init__("\n".join([itself, *map(str, self.others)]))

    def without_others(self) -> HandinError:
        """This mistake without the others."""
        return HandinError(self.problem, place=self.place, remedy=self.remedy)


class Faults:
    """Collects mistakes, so that all of a document are told at once."""

    def __init__(self) -> None:
        self.found: list[HandinError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """A step whose mistake does not hide those of the next one."""
        try:
            yield
        except HandinError as error:
            self.found.append(error)

    def raise_all(self) -> None:
        """Raise what was found as one error; nothing where all was well."""
        raise_all(self.found)


def as_text(data: bytes, name: str) -> str:
    """The text of the file `name`, without a byte order mark.

    Raises:
        HandinError: It is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise HandinError("not UTF-8 text", place=Place(name, line), remedy="save it as UTF-8") from None


def unwritable(error: OSError, path: Path) -> HandinError:
    """The error for a file that cannot be written: `path`, where the operating system names none."""
    place = Place(Path(error.filename2 or error.filename or path))
    remedy = "make room on the disk, make it writable, or move away what stands in its place"
    return HandinError(f"cannot write: {error.strerror}", place=place, remedy=remedy)


def raise_all(faults: Iterable[HandinError]) -> None:
    """Raise the faults as one error, each told once, in the order of files and lines; none raise nothing."""
    known = {str(one): one for fault in faults for one in (fault.without_others(), *fault.others)}
    if not known:
        return
    first, *others = sorted(known.values(), key=_position)
    raise HandinError(first.problem, place=first.place, remedy=first.remedy, others=others)


def near(name: str, known: Iterable[str]) -> str:
    """The known name that was most likely meant; empty where none is close."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return found[0] if found else ""


def _position(fault: HandinError) -> tuple[str, int]:
    return (str(fault.place.file), fault.place.line or 0) if fault.place else ("", 0)
