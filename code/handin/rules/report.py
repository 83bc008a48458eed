"""One report, and its length: pages of the body, without references and appendix, and per task."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from handin.reading.layout import Layout, Part
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed

REPORT = "report"
PAGES = "pages"
TEXT = 100  # letters of a page on average, at least; scanned pages have none
COPIED = 0.9  # of the report's lines, where it is the notebook

Rule = Callable[[Submission], list[Finding]]


def on_report(name: str) -> Callable[[Callable[[Submission, Document, Layout], list[Finding]]], Rule]:
    """Makes a rule of a function about the report: without one that has text, the rule cannot tell."""

    def made(function: Callable[[Submission, Document, Layout], list[Finding]]) -> Rule:
        @wraps(function)
        def rule(submission: Submission) -> list[Finding]:
            document = submission.report
            if document is None or document.layout is None:
                return [cannot_tell(name, "there is no report to read")]
            if not document.layout.lines:
                return [cannot_tell(name, "the report holds no text to read", document.path)]
            return function(submission, document, document.layout)

        return rule

    return made


def report(submission: Submission) -> list[Finding]:
    """There is one PDF report, it can be read, and it is a document of its own.

    Why: "A single PDF report that contains answers to the tasks"; "Do not simply convert your Jupyter
    notebook to a PDF! Write a separate document".

    Certain: no PDF at all, none but renders of a notebook, one that cannot be read, or one whose lines
    nearly all stand in the notebook's PDF. Among several PDFs the likeliest is taken by name, first page,
    page size and producer, and the candidates are listed.

    Fails: the only PDF of the hand-in begins with "In [1]: import torch".

    Passes: report.pdf beside notebook.pdf and ten PDFs of figures.
    """
    reports = submission.roles.reports
    if not reports:
        remedy = "run `handin render`" if submission.is_project else "add the report as one PDF"
        only = f"{submission.roles.notebooks[0]} shows a notebook" if submission.roles.notebooks else ""
        return [failed(REPORT, "there is no PDF report", only, remedy)]
    document = submission.document(reports[0])
    if not submission.roles.certain:
        say = failed if submission.is_project else cannot_tell
        message = f"{len(reports)} PDFs may be the report: {', '.join(reports)}; the first is judged"
        return [say(REPORT, message, remedy="keep one report; call the notebook's PDF like the notebook")]
    if document.content is None:
        return [failed(REPORT, f"it cannot be read: {document.fault}", document.path, "write the PDF again")]
    count = len(document.content.pages)
    if len("".join(document.content.text.split())) < TEXT * count:
        message = f"{count} pages with hardly any text: scanned or handwritten?"
        return [cannot_tell(REPORT, message, document.path, "write the report as text")]
    if _is_notebook(document, submission.notebook):
        message = "the report is the notebook converted to PDF"
        return [failed(REPORT, message, document.path, "write a separate document")]
    return [passed(REPORT, f"{count} pages in all", document.path)]


def _is_notebook(document: Document, notebook: Document | None) -> bool:
    """Whether nearly every line of the report stands in the notebook as well."""
    if document.content is None or notebook is None or notebook.content is None:
        return False
    held = {line.text for page in notebook.content.pages for line in page.lines}
    lines = [line.text for page in document.content.pages for line in page.lines if len(line.text) > 30]
    return len(lines) > 5 and sum(text in held for text in lines) > COPIED * len(lines)


def pages(submission: Submission) -> list[Finding]:
    """The body stays below the page limit, and every task within its budget.

    Why: "You must stay below 10 pages, excluding references and appendix."

    Certain: the pages from the first numbered section to where the references or the appendix begin, or to
    the last numbered section where neither was found, are more than the limit (another sentence of the
    assignment says "does not exceed 10 pages"). Title, contents and pages that may be an appendix are not
    counted against anybody.

    Fails: section 2b begins on page 12.

    Passes: 9 pages of text, 2 of references and 20 of appendix.
    """
    document = submission.report
    if document is None or document.layout is None:
        return [cannot_tell(PAGES, "there is no report to read")]
    layout, limit = document.layout, submission.course.page_limit
    count = len(layout.body_pages)
    found = []
    if count >= limit:
        say = failed if submission.is_ours or _certain(layout) > limit else cannot_tell
        message = f"the body covers {count} pages, it must stay below {limit}"
        remedy = "shorten it, or move what is not needed to follow it into the appendix"
        found.append(say(PAGES, message, at(document.path, page=layout.body_pages[-1]), remedy))
    lengths = task_lengths(layout)
    # Budgets are the authors' own; a stranger's report has none.
    for task, budget in submission.course.task_pages.items() if submission.is_ours else ():
        if lengths.get(task, 0.0) > budget:
            start = next(h for h in layout.headings if h.number == task)
            message = f"task {task} takes {lengths[task]:.1f} pages, its budget is {budget:g}"
            remedy = "shorten it, or change `handin: task-pages`"
            found.append(failed(PAGES, message, at(document.path, page=start.page), remedy))
    shares = ", ".join(f"task {task} {length:.1f}" for task, length in lengths.items())
    message = f"body {count} of at most {limit - 1} pages" + (f" ({shares})" if shares else "")
    return found or [passed(PAGES, message, document.path)]


def _certain(layout: Layout) -> int:
    """How many pages belong to the body beyond doubt."""
    numbered = [h.page for h in layout.headings if h.number and layout.parts[h.index] is Part.BODY]
    if not numbered:
        return 0
    end = layout.body_pages[-1] if layout.parts[-1] is not Part.BODY else numbered[-1]
    return sum(numbered[0] <= page <= end for page in layout.body_pages)


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
