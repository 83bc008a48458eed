"""The notebook: executed, rendered as a PDF, and every figure that it draws is in the PDF."""

from __future__ import annotations

from collections.abc import Iterator

from handin.reading.submission import NOTEBOOK as OURS
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, cannot_tell, failed, noted, passed
from handin.rules.floats import shown_on

NOTEBOOK = "notebook"


def notebook(submission: Submission) -> list[Finding]:
    """A notebook is rendered as a PDF with all its figures; without Jupyter none is asked for.

    Why: "A PDF document that renders your Jupyter notebook with all figures. (If you don't use Jupyter,
    then you obviously do not need to provide this.)"

    Certain: a notebook and no PDF beside the report; a PDF that cannot be read; a notebook with figures
    whose PDF shows no picture at all. Fewer pictures than the notebook draws may be several in one: "cannot
    tell". That all cells ran without an error is asked of our own notebook; of others it is a note.

    Fails: a01.ipynb and report.pdf alone.

    Passes: a01.ipynb, a01.pdf and report.pdf; or plain scripts.
    """
    rendered = [submission.document(path) for path in submission.roles.notebooks]
    if submission.is_project:
        return _ours(submission, rendered)
    if not submission.notebooks:
        return [passed(NOTEBOOK, "no Jupyter notebook, so no PDF of one is asked for")]
    if not rendered:
        others = len(submission.roles.reports) > 1
        say, place = (cannot_tell if others else failed), submission.notebooks[0]
        return [say(NOTEBOOK, "the notebook is not rendered as a PDF", place, "add its PDF")]
    if broken := [document for document in rendered if document.content is None]:
        message = f"it cannot be read: {broken[0].fault}"
        return [failed(NOTEBOOK, message, broken[0].path, "write the PDF again")]
    found = [*_unreadable(submission), *(noted(NOTEBOOK, *fault) for fault in _faults(submission))]
    drawn = sum(cell.pictures for path in submission.notebooks for cell in submission.cells(path))
    shown = sum(shown_on(page) for d in rendered if d.content for page in d.content.pages)
    remedy = "render the notebook again after running all cells"
    if drawn and not shown:
        message = f"the notebook draws {drawn} figures, its PDF shows none"
        return [*found, failed(NOTEBOOK, message, rendered[0].path, remedy)]
    if shown < drawn:
        message = f"the notebook draws {drawn} figures, {shown} were seen in its PDF"
        return [*found, cannot_tell(NOTEBOOK, message, rendered[0].path, remedy)]
    return [*found, passed(NOTEBOOK, f"rendered with all its figures ({drawn})", rendered[0].path)]


def _ours(submission: Submission, rendered: list[Document]) -> list[Finding]:
    """Our own notebook has run without an error, and its PDF shows what it draws."""
    remedy = "run `handin render`"
    if not rendered:
        return [failed(NOTEBOOK, "there is no notebook PDF", remedy=remedy)]
    document = rendered[0]
    if document.content is None:
        message = f"it cannot be read: {document.fault}"
        return [failed(NOTEBOOK, message, document.path, "write the PDF again")]
    if OURS not in submission.files:
        return [failed(NOTEBOOK, "there is no executed notebook", OURS, remedy)]
    found = [*_unreadable(submission), *(failed(NOTEBOOK, *fault) for fault in _faults(submission))]
    if found:
        return found
    drawn = sum(cell.pictures for cell in submission.cells(OURS))
    shown = sum(map(shown_on, document.content.pages))
    if shown < drawn:
        message = f"the notebook draws {drawn} figures, its PDF shows {shown}"
        return [failed(NOTEBOOK, message, document.path, remedy)]
    return [passed(NOTEBOOK, f"rendered with all its figures ({drawn})", document.path)]


def _unreadable(submission: Submission) -> Iterator[Finding]:
    for path in submission.notebooks:
        held = submission.notebook_json(path)
        if held is None or not all(isinstance(cell, dict) for cell in held["cells"]):
            yield failed(NOTEBOOK, "it is not a Jupyter notebook", path, "save it again in Jupyter")


def _faults(submission: Submission) -> Iterator[tuple[str, str, str]]:
    """Message, place and remedy of what went wrong in the notebooks."""
    for path in submission.notebooks:
        cells = submission.cells(path)
        code = [cell for cell in cells if cell.is_code]
        if code and not any(cell.has_run for cell in code):
            yield "it was never executed", path, "run all cells and save it"
        if errors := [cell.number for cell in cells if cell.failed]:
            yield "a cell ended in an error", f"{path}, cell {errors[0]}", "mend it and run all cells"
