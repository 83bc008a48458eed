"""The formal rules of a hand-in.

A rule takes a `Submission` and returns its findings, at least one: what passed, what failed and where,
or why nothing can be said. A rule that needs a document which is missing cannot tell; the rule about
that document fails. So one mistake is one failing rule.
"""

from __future__ import annotations

from collections.abc import Callable

from handin.course import Course
from handin.reading.submission import Submission
from handin.rules import (
    bans,
    citations,
    floats,
    fonts,
    identity,
    notebook,
    originals,
    packing,
    report,
    sections,
)
from handin.rules.finding import Finding, Status
from handin.rules.fresh import FRESH, fresh

__all__ = ["RULES", "Course", "Finding", "Status", "Submission", "apply"]

RULES: dict[str, Callable[[Submission], list[Finding]]] = {
    report.REPORT: report.report,
    report.PAGES: report.pages,
    identity.IDENTITY: identity.identity,
    sections.SECTIONS: sections.sections,
    floats.CAPTIONS: floats.captions,
    floats.MENTIONS: floats.mentions,
    floats.PLACEMENT: floats.placement,
    citations.CITATIONS: citations.citations,
    citations.CROSS_REFERENCES: citations.cross_references,
    bans.MODULES: bans.banned_modules,
    bans.NAMES: bans.banned_names,
    notebook.NOTEBOOK: notebook.notebook,
    originals.CODE: originals.code,
    fonts.FONTS: fonts.fonts,
    fonts.TEXT_SIZE: fonts.text_size,
    FRESH: fresh,
    packing.ARCHIVE: packing.archive,
    packing.MANIFEST: packing.manifest,
}


def apply(submission: Submission) -> list[Finding]:
    """The findings of all rules, in their order."""
    return [finding for rule in RULES.values() for finding in rule(submission)]
