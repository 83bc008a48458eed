"""`handin grade`: a folder of hand-ins becomes a table, a CSV file and a web page.

Every hand-in is looked at in a process of its own, two at a time, within the limits of `grading.sandbox`;
nothing in a hand-in is ever executed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from grading.examine import job_of
from grading.intake import names
from grading.row import Row
from grading.sandbox import BOUNDS, Bounds, Outcome, run_all
from handin.errors import HandinError, Place
from handin.project import Handin
from handin.rules import Finding, Status

__all__ = ["Row", "find_handins", "grade"]

_KNOWN = TypeAdapter(Row)
OUTPUTS = ("grades.csv", "grades.html")  # what a run leaves, perhaps among the hand-ins
RULE = "limits"  # the rule that a hand-in breaks whose reader had to be stopped


def find_handins(folder: Path) -> list[Path]:
    """The hand-ins of a folder, by name: its files and folders, clutter left out.

    A folder that holds nothing but ZIPs, as course systems pack one per student, stands for those ZIPs.

    Raises:
        HandinError: there is no such folder, or nothing in it.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise HandinError(
            f"cannot be read: {error.strerror}", place=Place(folder), remedy="name the folder of hand-ins"
        ) from error
    ignored = [path for path in entries if path.name in OUTPUTS or names.clutter(path.name)]
    found = [one for path in entries if path not in ignored for one in _inside(path)]
    if not found:
        raise HandinError("no hand-ins here", place=Place(folder), remedy="put the ZIPs into this folder")
    return found


def _inside(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return [path]
    try:
        with os.scandir(path) as listing:
            inside = sorted(entry.name for entry in listing)
    except PermissionError:
        return [path]
    archives = [name for name in inside if name.lower().endswith(".zip")]
    others = [name for name in inside if name not in archives and not names.clutter(name)]
    return [path / name for name in archives] if archives and not others else [path]


def grade(
    folder: Path,
    course: Handin,
    bounds: Bounds = BOUNDS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Row]:
    """Look at every hand-in of a folder; the rows are sorted by login, then by name.

    Args:
        folder: ZIPs and unpacked folders; see `find_handins`.
        course: What the hand-ins are checked against.
        bounds: What looking at one of them may cost.
        progress: Told after each hand-in how many are done, of how many.

    Raises:
        HandinError: the folder holds no hand-ins.
    """
    paths = find_handins(folder)
    jobs = [job_of(path, course) for path in paths]
    rows: list[Row] = []
    for index, outcome in run_all("grading.examine:examine", jobs, bounds, files=paths):
        rows.append(_row(paths[index].relative_to(folder), outcome, bounds))
        progress(len(rows), len(paths))
    return sorted(rows, key=lambda row: (not row.login, row.login.casefold(), row.name))


def _row(path: Path, outcome: Outcome, bounds: Bounds) -> Row:
    name = names.printable(path.as_posix())
    try:
        row = _KNOWN.validate_python({**outcome.known, "name": name})
    except ValidationError:
        # Only a reader that a hostile file has taken over speaks like this.
        row, outcome = Row(name), replace(outcome, fault="the reader's answer made no sense")
    findings = [*row.findings]
    if outcome.fault:
        message = f"{outcome.fault}, while {outcome.stage}"
        remedy = f"look at it by hand, with care; a hand-in may use {bounds}"
        findings.append(Finding(RULE, Status.FAIL, message, name, remedy))
    return replace(
        row,
        logins=tuple(names.printable(login) for login in row.logins),
        findings=tuple(_printable(finding) for finding in findings),
    )


def _printable(finding: Finding) -> Finding:
    """What a rule quotes from a hand-in may be anything."""
    message, place = names.printable(finding.message, 400), names.printable(finding.place)
    return replace(finding, message=message, place=place)
