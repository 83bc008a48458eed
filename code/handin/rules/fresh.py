"""The documents belong to the sources beside them: their fingerprint is that of the files."""

from __future__ import annotations

from handin.files import fingerprint
from handin.files.fingerprint import Fingerprint
from handin.reading.submission import NOTEBOOK, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

FRESH = "fresh"
_NAMED = 4  # changes named in a message


def fresh(submission: Submission) -> list[Finding]:
    """Report, notebook PDF and notebook carry the fingerprint of the sources, data and package versions.

    Why: good practice, because a number in the report must be one that the code beside it computes.
    Fails: an edit of sections/2-experiments.qmd, and no `handin render` after it.
    Passes: `handin render`, then `handin pack`. A document without our fingerprint is never judged.
    """
    carried = _carried(submission)
    if not submission.is_project and not any(carried.values()):
        return [cannot_tell(FRESH, "the documents carry no fingerprint of their sources")]
    if not carried:
        return [cannot_tell(FRESH, "there are no documents")]
    now = fingerprint.of_files(submission.files, submission.versions)
    found = []
    render = "run `handin render`"
    for path, held in carried.items():
        if held is None:
            found.append(failed(FRESH, "it carries no fingerprint, so it may be stale", path, render))
        elif fingerprint.DRAFT in held.versions:
            remedy = "run `handin render` without --draft and --quick"
            found.append(failed(FRESH, "it is a draft, with claims unchecked", path, remedy))
        elif changes := held.changes(now):
            found.append(failed(FRESH, f"it was built before {_listed(changes)}", path, render))
    if found:
        return found
    first_path, first = next((path, held) for path, held in carried.items() if held)
    for path, held in carried.items():
        if held and (changes := first.changes(held)):
            message = f"it was not built together with {first_path}: {_listed(changes)}"
            return [failed(FRESH, message, path, render)]
    return [passed(FRESH, f"built from these {len(now.files)} sources, fingerprint {first.digest}")]


def _carried(submission: Submission) -> dict[str, Fingerprint | None]:
    """The fingerprint in every document that can be read."""
    found = {path: fingerprint.from_pdf(content.info) for path, content in submission.readable}
    if submission.is_project and (held := submission.notebook_json(NOTEBOOK)) is not None:
        found[NOTEBOOK] = fingerprint.from_notebook(held)
    return found


def _listed(changes: list[str]) -> str:
    more = len(changes) - _NAMED
    return ", ".join(changes[:_NAMED]) + (f" and {more} more" if more > 0 else "")
