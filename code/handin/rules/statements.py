"""Sentences that a call vouches for stand in the prose."""

from __future__ import annotations

from handin.errors import HandinError
from handin.qmd.statements import unstated
from handin.reading.submission import Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

STATEMENTS = "statements"


def statements(submission: Submission) -> list[Finding]:
    """The words that a call in a chunk vouches for (`handin: stated-by`) stand in the prose.

    Why: good practice, because a check without its sentence checks nothing that is handed in.

    Fails: `claim(a < b, "a is smaller", a=a)`, and no sentence with “a is smaller”.

    Passes: “Clearly, *a* is smaller.”
    """
    call = submission.course.stated_by
    if call is None:
        return [passed(STATEMENTS, "no call states sentences")]
    try:
        found = [
            failed(STATEMENTS, one.problem, str(one.place), one.remedy)
            for one in unstated(submission.project)
        ]
    except HandinError:  # the rule `code` says what cannot be read
        return [cannot_tell(STATEMENTS, "the sources cannot be read")]
    return found or [passed(STATEMENTS, f"every `{call}` has its sentence")]
