"""The formal rules of a hand-in.

A rule takes the `Submission` and returns its findings, at least one: what passed, what failed and where, or
why nothing can be said. A rule that needs what is missing cannot tell; the rule about that fails. So one
mistake is one failing rule.
"""

from __future__ import annotations

from collections.abc import Callable

from handin.reading.submission import Submission
from handin.rules import (
    archive,
    bans,
    citations,
    code,
    floats,
    fresh,
    identity,
    notebook,
    report,
    sections,
    statements,
)
from handin.rules.finding import Finding, Status

__all__ = ["RULES", "Finding", "Status", "Submission", "apply"]

RULES: dict[str, Callable[[Submission], list[Finding]]] = {
    report.REPORT_RULE: report.report,
    report.PAGES: report.pages,
    identity.IDENTITY: identity.identity,
    sections.SECTIONS: sections.sections,
    floats.CAPTIONS: floats.captions,
    floats.MENTIONS: floats.mentions,
    citations.CITATIONS: citations.citations,
    citations.CROSS_REFERENCES: citations.cross_references,
    statements.STATEMENTS: statements.statements,
    bans.MODULES: bans.banned_modules,
    bans.NAMES: bans.banned_names,
    notebook.NOTEBOOK_RULE: notebook.notebook,
    code.CODE: code.code,
    fresh.FRESH: fresh.fresh,
    archive.ARCHIVE: archive.archive,
}


def apply(submission: Submission) -> list[Finding]:
    """The findings of all rules, in their order."""
    return [finding for rule in RULES.values() for finding in rule(submission)]
