"""What the rules look at: the files of one hand-in, and what the course asks of it.

The project on disk, the ZIP that `pack` writes and a stranger's ZIP all become a `Submission`, so one
set of rules serves `check`, `pack`, `grade` and `rehearse`. Nothing in a submission is ever executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Course:
    """What the course asks for: the `handin:` block of the `_quarto.yml` of whoever checks."""

    assignment: int
    archive: str  # name of the ZIP, with {assignment} and {login}
    page_limit: int  # the report's body stays below, in pages
    tasks: tuple[str, ...]  # section numbers: "1", "1a", …
    name: str = ""  # of the course
    example_logins: tuple[str, ...] = ()  # placeholders, never handed in
    task_pages: Mapping[str, float] | None = None  # budget per numbered task, in pages
    banned_modules: tuple[str, ...] = ("numpy",)
    banned_names: tuple[str, ...] = ("vmap",)  # last parts of dotted names: torch.vmap, torch.func.vmap
    allowed_boundary: tuple[str, ...] = ()  # files in which .numpy() and from_numpy may stand


@dataclass(frozen=True)
class Submission:
    """The files of one hand-in, by their path inside it ('/' between parts, no leading one).

    `files` may read lazily (any Mapping); reading a file gives its bytes. Paths are as in the ZIP: a
    checked project shows `_output/report.pdf` as `report.pdf`, its sources at their own paths.
    """

    name: str  # the ZIP's file name, or the folder's
    files: Mapping[str, bytes]
    course: Course
    logins: tuple[str, ...] = ()  # who is known to hand in (from `_quarto.yml`, or the ZIP's name)
