"""What is known about one hand-in of the folder: a row of the table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from handin.rules.finding import Finding, Status, grouped


@dataclass(frozen=True)
class Row:
    """One hand-in; None stands for what could not be found out."""

    name: str  # of the ZIP or folder, fit to be shown
    logins: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    body_pages: int | None = None  # of the report, without references and appendix
    pages: int | None = None  # of the report, all
    tasks: tuple[str, ...] = ()  # section numbers of the report that the course asks for
    asked: int = 0  # how many the course asks for
    rules: int = 0  # how many apply, intake included
    figures: int | None = None  # captions in the report
    code_lines: int = 0  # of Python, blank lines not counted
    code_bytes: int = 0
    thumbnail: str = ""  # the report's first page: PNG in base64

    @cached_property
    def _worst(self) -> dict[str, Status]:
        """The answer of every rule: a failure outweighs a doubt, a doubt the rest; notes pass."""
        order = [Status.NOTE, Status.PASS, Status.CANNOT_TELL, Status.FAIL]
        worst: dict[str, Status] = {}
        for finding in self.findings:
            worst[finding.rule] = max(worst.get(finding.rule, Status.PASS), finding.status, key=order.index)
        return worst

    @property
    def passed(self) -> int:
        return sum(status is Status.PASS for status in self._worst.values())

    @property
    def failed(self) -> tuple[str, ...]:
        """The rules that are broken."""
        return tuple(rule for rule, status in self._worst.items() if status is Status.FAIL)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Failures, then what a person has to look at; one of each rule and file, with a count.

        Rules that doubt alike speak as one.
        """
        failures: list[Finding] = []
        doubts: dict[tuple[str, str], Finding] = {}
        for alike in grouped(self.findings):
            more = f" (and {len(alike) - 1} more like this)" if len(alike) > 1 else ""
            finding = replace(alike[0], message=alike[0].message + more)
            key = (finding.message, finding.place)
            if finding.status is Status.FAIL:
                failures.append(finding)
            elif finding.status is Status.CANNOT_TELL:
                rules = f"{doubts[key].rule}, {finding.rule}" if key in doubts else finding.rule
                doubts[key] = replace(finding, rule=rules)
        return (*failures, *doubts.values())

    @property
    def login(self) -> str:
        return ", ".join(self.logins)


def in_words(finding: Finding) -> str:
    """A finding on one line."""
    place = f" ({finding.place})" if finding.place else ""
    return f"{finding.rule}: {finding.message}{place}"
