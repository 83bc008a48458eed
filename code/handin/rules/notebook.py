"""The notebook: executed, rendered as a PDF, and every figure of the report is in it."""

from __future__ import annotations

from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, failed, passed

_RENDER = "run `handin render`"


def notebook(submission: Submission) -> list[Finding]:
    """The notebook is there as it was executed, and as a PDF with all figures.

    Why: "A PDF document that renders your Jupyter notebook with all figures. (If you don't use Jupyter,
    then you obviously do not need to provide this.)"
    Fails: a figure of the report whose chunk is hidden in the notebook.
    Passes: notebook.ipynb and notebook.pdf as the build writes them.
    """
    if f"{NOTEBOOK}.qmd" not in submission.project.documents:
        return [passed("no notebook is rendered, so no PDF of one is asked for")]
    content, fault = submission.pdfs[NOTEBOOK]
    file = f"{NOTEBOOK}.ipynb"
    if content is None:
        return [failed(fault, f"{NOTEBOOK}.pdf", _RENDER)]
    if file not in submission.files:
        remedy = f"write `notebook: true` at the top of {NOTEBOOK}.qmd if it is missing, and {_RENDER}"
        return [failed("there is no executed notebook", file, remedy)]
    if not submission.cells:
        return [failed("it is not a Jupyter notebook with cells", file, _RENDER)]
    outline, shown = submission.outlines[REPORT], submission.outlines[NOTEBOOK]
    remedy = "include its chunk in notebook.qmd, with its output"
    found = [
        failed(f"the notebook lacks `{one.label}` of the report", one.place, remedy)
        for one in (outline.floats if outline else ())
        if shown and one.label not in shown.labels and one.place.rpartition(":")[0] in shown.files
    ]
    drawn = sum(cell.draws for cell in submission.cells)
    return found or [passed(f"{len(submission.cells)} cells, {drawn} with pictures", file)]
