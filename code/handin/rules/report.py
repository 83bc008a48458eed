"""One report, a document of its own, and its length: pages of the body, without references and appendix."""

from __future__ import annotations

from handin.reading.pdf import Pdf
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

_PDF = "report.pdf"
_ALIKE = 0.9  # of the report's lines, where it is the notebook


def report(submission: Submission) -> list[Finding]:
    """There is a PDF report, it can be read, and it is a document of its own.

    Why: "A single PDF report that contains answers to the tasks"; "Do not simply convert your Jupyter
    notebook to a PDF! Write a separate document".
    Fails: a report nearly all of whose lines stand in the notebook's PDF.
    Passes: report.pdf with the prose, notebook.pdf with the code.
    """
    if f"{REPORT}.qmd" not in submission.project.documents:
        place = str(submission.project.place("project", "render"))
        return [failed(f"no document is called {REPORT}.qmd", place, "call the report so")]
    content, fault = submission.pdfs[REPORT]
    if content is None:
        return [failed(fault, _PDF, "run `handin render`")]
    notebook, _ = submission.pdfs[NOTEBOOK]
    if notebook and _copied(content, notebook):
        message = "the report is the notebook converted to PDF"
        return [failed(message, _PDF, "write a separate document")]
    return [passed(f"{len(content.pages)} pages in all", _PDF)]


def _copied(report: Pdf, notebook: Pdf) -> bool:
    """Whether nearly every line of the report stands in the notebook as well."""
    held = {line for page in notebook.pages for line in page.splitlines()}
    lines = [line for page in report.pages for line in page.splitlines() if len(line) > 30]
    return len(lines) > 5 and sum(line in held for line in lines) > _ALIKE * len(lines)


def pages(submission: Submission) -> list[Finding]:
    """The body stays below the page limit.

    Why: "You must stay below 10 pages, excluding references and appendix."
    Certain: the body goes from the first page to where the references or the appendix begin.
    Fails: a reference list that begins below text on page 10, with a limit of 10.
    Passes: 9 pages of text, 2 of references and 20 of appendix.
    """
    content, outline = submission.pdfs[REPORT][0], submission.outlines[REPORT]
    if content is None or outline is None:
        return [cannot_tell("there is no report to read")]
    if len(content.bookmarks) != len(outline.sections):
        return [
            cannot_tell("its bookmarks are not the headings of its sources", _PDF, "count the pages yourself")
        ]
    headings = zip(outline.sections, content.bookmarks, strict=True)
    behind = next((mark for section, mark in headings if not section.in_body), None)
    count = behind.page - behind.first if behind else len(content.pages)
    limit = submission.project.handin.page_limit
    if count < limit:
        return [passed(f"body {count} of at most {limit - 1} pages", _PDF)]
    if outline.citations and not behind:
        message = f"{count} pages, and no heading “# References” says where the body ends"
        return [cannot_tell(message, _PDF, "write the heading above `::: {#refs}`")]
    message = f"the body covers {count} pages, it must stay below {limit}"
    remedy = "shorten it, or move what is not needed to follow it into the appendix"
    return [failed(message, f"{_PDF}, page {count}", remedy)]
