"""The formal rules of a hand-in, one module each.

A rule takes a `Submission` and returns its findings, at least one: what passed, what failed and where,
or why nothing can be said.
"""

from handin.rules.course import Course
from handin.rules.finding import Finding, Status
from handin.rules.submission import Submission

__all__ = ["Course", "Finding", "Status", "Submission"]
