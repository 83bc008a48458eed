"""The formal rules of a hand-in.

A rule takes the `Submission` and returns its findings, at least one: what passed, what failed and where, or
why nothing can be said. A rule that needs what is missing cannot tell; the rule about that fails. So one
mistake is one failing rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handin.reading.submission import Submission
from handin.rules.archive import archive
from handin.rules.bans import banned_modules, banned_names
from handin.rules.code import code
from handin.rules.finding import Finding, Status
from handin.rules.floats import captions, mentions
from handin.rules.fresh import fresh
from handin.rules.identity import identity
from handin.rules.notebook import notebook
from handin.rules.references import references
from handin.rules.report import pages, report
from handin.rules.sections import sections

__all__ = ["RULES", "Finding", "Status", "Submission", "apply"]

_RULES: tuple[Callable[[Submission], list[Finding]], ...] = (
    report, pages, identity, sections, captions, mentions, references,
    banned_modules, banned_names, notebook, code, fresh, archive,
)  # fmt: skip
RULES = {rule.__name__.replace("_", "-"): rule for rule in _RULES}


def apply(submission: Submission) -> list[Finding]:
    """The findings of all rules, in their order."""
    return [replace(one, rule=name) for name, rule in RULES.items() for one in rule(submission)]
