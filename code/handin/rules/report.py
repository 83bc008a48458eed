"""One report, and its length: pages of the body, without references and appendix, and per task."""

from __future__ import annotations

from handin.reading.layout import Layout, Part
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed

REPORT = "report"
PAGES = "pages"


def report(submission: Submission) -> list[Finding]:
    """There is exactly one PDF report, it can be read, and it is a document of its own."""
    if not submission.report_pdfs:
        remedy = "run `handin render`" if submission.is_project else "add the report as one PDF"
        return [failed(REPORT, "there is no PDF report", remedy=remedy)]
    if len(submission.report_pdfs) > 1:
        names = ", ".join(submission.report_pdfs)
        remedy = "keep one report; call the notebook's PDF like the notebook"
        return [
            failed(
                REPORT, f"{len(submission.report_pdfs)} PDFs that may be the report: {names}", remedy=remedy
            )
        ]
    document = submission.document(submission.report_pdfs[0])
    if document.content is None:
        return [failed(REPORT, f"it cannot be read: {document.fault}", document.path, "write the PDF again")]
    if len("".join(document.content.text.split())) < 200 * len(document.content.pages) ** 0.5:
        return [
            cannot_tell(
                REPORT,
                f"{len(document.content.pages)} pages with hardly any text: scanned or handwritten?",
                document.path,
                "write the report as text",
            )
        ]
    if _is_notebook(document, submission.notebook):
        return [
            failed(
                REPORT,
                "the report is the notebook converted to PDF",
                document.path,
                "write a separate document",
            )
        ]
    return [passed(REPORT, f"{len(document.content.pages)} pages in all", document.path)]


def _is_notebook(document: Document, notebook: Document | None) -> bool:
    """Whether nearly every line of the report stands in the notebook as well."""
    if document.content is None or notebook is None or notebook.content is None:
        return False
    held = {line.text for page in notebook.content.pages for line in page.lines}
    lines = [line.text for page in document.content.pages for line in page.lines if len(line.text) > 30]
    return len(lines) > 5 and sum(text in held for text in lines) > 0.9 * len(lines)


def pages(submission: Submission) -> list[Finding]:
    """The body stays below the page limit, and every task within its budget."""
    document, layout = submission.report, None
    if document:
        layout = document.layout
    if document is None or layout is None:
        return [no_report(PAGES)]
    limit = submission.course.page_limit
    count = len(layout.body_pages)
    found = []
    if count >= limit:
        last = layout.body_pages[-1]
        found.append(
            failed(
                PAGES,
                f"the body covers {count} pages, it must stay below {limit}",
                at(document.path, page=last),
                "shorten it, or move what is not needed to follow it into the appendix",
            )
        )
    lengths = task_lengths(layout)
    # Budgets are the authors' own; a stranger's report has none.
    for task, budget in submission.course.task_pages.items() if submission.is_project else ():
        if lengths.get(task, 0.0) > budget:
            start = next(h for h in layout.headings if h.number == task)
            found.append(
                failed(
                    PAGES,
                    f"task {task} takes {lengths[task]:.1f} pages, its budget is {budget:g}",
                    at(document.path, page=start.page),
                    "shorten it, or change `handin: task-pages`",
                )
            )
    shares = ", ".join(f"task {task} {length:.1f}" for task, length in lengths.items())
    return found or [
        passed(
            PAGES,
            f"body {count} of at most {limit - 1} pages" + (f" ({shares})" if shares else ""),
            document.path,
        )
    ]


def task_lengths(layout: Layout) -> dict[str, float]:
    """Length of every top-level task in pages, from its heading to the next one or the end of the body."""
    tops = [h for h in layout.headings if h.number.isdigit() and layout.parts[h.index] is Part.BODY]
    parts = layout.parts
    found: dict[str, float] = {}
    for heading in tops:
        end = heading.index + 1
        starts = {other.index for other in tops if other is not heading}
        while end < len(parts) and parts[end] is Part.BODY and end not in starts:
            end += 1
        # A part that begins on a new page ends this one with the last line before it.
        stop = layout.position(end) if end < len(parts) else layout.position(end - 1)
        if end < len(parts) and layout.lines[end].page > layout.lines[end - 1].page:
            stop = min(stop, layout.position(end - 1))
        found[heading.number] = found.get(heading.number, 0.0) + stop - layout.position(heading.index)
    return found


def no_report(rule: str) -> Finding:
    """What a rule about the report says where there is none to read; the rule `report` says why."""
    return cannot_tell(rule, "there is no report to read")
