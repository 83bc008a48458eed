"""The formal rules of a hand-in.

A rule takes a `Submission` and returns its findings, at least one: what passed, what failed and where,
or why nothing can be said. A rule that needs a document which is missing cannot tell; the rule about
that document fails. So one mistake is one failing rule.
"""

from __future__ import annotations

from collections.abc import Callable

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
from handin.rules.finding import Finding, Status, cannot_tell
from handin.rules.fresh import FRESH, fresh

__all__ = ["RULES", "Finding", "Status", "Submission", "apply", "apply_rule"]

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
    return [finding for name in RULES for finding in apply_rule(name, submission)]


def apply_rule(name: str, submission: Submission) -> list[Finding]:
    """The findings of one rule; a rule that fails itself cannot tell, and the others still speak."""
    try:
        return RULES[name](submission)
    except Exception as error:  # files that were made to confuse do so in ways that nobody foresaw
        return [cannot_tell(name, f"the rule could not be applied: {type(error).__name__}: {error}")]
