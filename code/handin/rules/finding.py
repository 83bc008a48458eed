"""What a rule says: passed, failed, cannot tell or a note, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial


class Status(StrEnum):
    """The answers a rule may give; only FAIL stops a hand-in."""

    PASS = "pass"
    FAIL = "fail"
    CANNOT_TELL = "cannot tell"
    NOTE = "note"  # good practice that no course demands


@dataclass(frozen=True)
class Finding:
    """One answer of one rule.

    `place` is `file:line`, `file, page N` or a file's name, empty where the finding is about the whole
    hand-in; `remedy` is empty where nothing is to be done.
    """

    status: Status
    message: str
    place: str = ""
    remedy: str = ""
    rule: str = ""  # the key of `RULES`


passed = partial(Finding, Status.PASS)  # asks for nothing
failed = partial(Finding, Status.FAIL)  # stops the hand-in; the remedy is what the student does next
cannot_tell = partial(Finding, Status.CANNOT_TELL)  # a person has to settle it by looking
noted = partial(Finding, Status.NOTE)  # would be better, and nobody demands it
