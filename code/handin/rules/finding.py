"""What a rule says: passed, failed, cannot tell or a note, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """The answers a rule may give; only FAIL stops a hand-in."""

    PASS = "pass"
    FAIL = "fail"
    CANNOT_TELL = "cannot tell"
    NOTE = "note"  # good practice that no course demands


@dataclass(frozen=True)
class Finding:
    """One answer of one rule.

    `rule` is the key of `RULES`; `place` is `file:line`, `file, page N` or a file's name, empty where
    the finding is about the whole hand-in; `remedy` is empty where nothing is to be done.
    """

    rule: str
    status: Status
    message: str
    place: str = ""
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding as it stands in JSON."""
        return {key: str(value) for key, value in asdict(self).items()}


def passed(rule: str, message: str, place: str = "") -> Finding:
    """A finding that asks for nothing."""
    return Finding(rule, Status.PASS, message, place)


def failed(rule: str, message: str, place: str = "", remedy: str = "") -> Finding:
    """A finding that stops the hand-in; the remedy is what the student does next."""
    return Finding(rule, Status.FAIL, message, place, remedy)


def cannot_tell(rule: str, message: str, place: str = "", remedy: str = "") -> Finding:
    """A finding that a person has to settle by looking."""
    return Finding(rule, Status.CANNOT_TELL, message, place, remedy)


def noted(rule: str, message: str, place: str = "", remedy: str = "") -> Finding:
    """A finding about what would be better and nobody demands."""
    return Finding(rule, Status.NOTE, message, place, remedy)


def at(file: str, *, page: int) -> str:
    """The place of a finding in a PDF; `page` counts from 1."""
    return f"{file}, page {page}"


def grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one rule and verdict in one file together, in the order of the first."""
    groups: dict[tuple[str, Status, str], list[Finding]] = {}
    for finding in findings:
        file = finding.place.partition(":")[0].partition(", ")[0]
        groups.setdefault((finding.rule, finding.status, file), []).append(finding)
    return list(groups.values())
