"""The documents belong to the sources beside them: the note of the build says what they were made from."""

from __future__ import annotations

from handin import sources
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

_RENDER = "run `handin render`"


def fresh(submission: Submission) -> list[Finding]:
    """Report and notebook are as the last build wrote them, from the present files and packages.

    Why: good practice, because a number in the report must be one that the code beside it computes.
    Fails: an edit of sections/2-experiments.qmd, and no `handin render` after it; a draft.
    Passes: `handin render`, then `handin pack`.
    """
    project = submission.project
    unreadable = {f"{name}.pdf" for name in (REPORT, NOTEBOOK) if submission.pdfs[name][0] is None}
    unreadable |= set() if submission.cells else {f"{NOTEBOOK}.ipynb"}  # other rules fail for these
    there = [name for name in submission.built if name not in unreadable]
    if not there:
        return [cannot_tell("there are no documents")]
    built, now = sources.Built(project.root), sources.fingerprint(project)
    found = []
    for name in there:
        path = project.output_dir / name
        if not built.is_ours(path):
            found.append(failed("it is not as the last build wrote it", name, _RENDER))
        elif not built.is_current(path, now):
            why = "built before the last change of a file, a package or a variable, or as a draft"
            found.append(failed(why, name, _RENDER))
    return found or [passed("built from these files and packages")]
