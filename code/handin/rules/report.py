"""One report, a document of its own, and its length: pages of the body, without references and appendix."""

from __future__ import annotations

from collections.abc import Iterator

from handin.qmd.outline import Section
from handin.reading.pdf import Bookmark, Pdf
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, noted, passed

REPORT_RULE = "report"
PAGES = "pages"
FILE = "report.pdf"
COPIED = 0.9  # of the report's lines, where it is the notebook


def report(submission: Submission) -> list[Finding]:
    """There is a PDF report, it can be read, and it is a document of its own.

    Why: "A single PDF report that contains answers to the tasks"; "Do not simply convert your Jupyter
    notebook to a PDF! Write a separate document".

    Fails: a report nearly all of whose lines stand in the notebook's PDF.

    Passes: report.pdf with the prose, notebook.pdf with the code.
    """
    if f"{REPORT}.qmd" not in submission.project.documents:
        place = str(submission.project.place("project", "render"))
        return [failed(REPORT_RULE, f"no document is called {REPORT}.qmd", place, "call the report so")]
    content, fault = submission.document(REPORT)
    if content is None:
        return [failed(REPORT_RULE, fault, FILE, "run `handin render`")]
    notebook, _ = submission.document(NOTEBOOK)
    if notebook and _copied(content, notebook):
        message = "the report is the notebook converted to PDF"
        return [failed(REPORT_RULE, message, FILE, "write a separate document")]
    return [passed(REPORT_RULE, f"{len(content.pages)} pages in all", FILE)]


def _copied(report: Pdf, notebook: Pdf) -> bool:
    """Whether nearly every line of the report stands in the notebook as well."""
    held = {line for page in notebook.pages for line in page.splitlines()}
    lines = [line for page in report.pages for line in page.splitlines() if len(line) > 30]
    return len(lines) > 5 and sum(line in held for line in lines) > COPIED * len(lines)


def pages(submission: Submission) -> list[Finding]:
    """The body stays below the page limit.

    Why: "You must stay below 10 pages, excluding references and appendix."

    Certain: the body goes from the first page to where the references or the appendix begin. A task that
    takes more pages than its budget (`handin: task-pages`, yours) is a note.

    Fails: a reference list that begins below text on page 10, with a limit of 10.

    Passes: 9 pages of text, 2 of references and 20 of appendix.
    """
    content, outline = submission.document(REPORT)[0], submission.outline(REPORT)
    if content is None or outline is None:
        return [cannot_tell(PAGES, "there is no report to read")]
    if len(content.bookmarks) != len(outline.sections):
        message = "its bookmarks are not the headings of its sources"
        return [cannot_tell(PAGES, message, FILE, "count the pages yourself")]
    headings = list(zip(outline.sections, content.bookmarks, strict=True))
    body = [pair for pair in headings if pair[0].part == "body"]
    behind = [mark for section, mark in headings if section.part != "body"]
    end = behind[0].position if behind else float(len(content.pages))
    count = behind[0].page - behind[0].first if behind else len(content.pages)
    limit = submission.course.page_limit
    tasks = list(_lengths(body, end))
    shares = ", ".join(f"task {task} {length:.1f}" for task, length, _ in tasks)
    found = []
    if count >= limit and outline.citations and not behind:
        message = f"{count} pages, and no heading “# References” says where the body ends"
        found.append(cannot_tell(PAGES, message, FILE, "write the heading above `::: {#refs}`"))
    elif count >= limit:
        message = f"the body covers {count} pages, it must stay below {limit}"
        remedy = "shorten it, or move what is not needed to follow it into the appendix"
        found.append(failed(PAGES, message, at(FILE, page=count), remedy))
    else:
        found.append(passed(PAGES, f"body {count} of at most {limit - 1} pages ({shares})", FILE))
    for task, length, page in tasks:
        budget = submission.course.task_pages.get(task)
        if budget and round(length, 1) > budget:
            message = (
                f"task {task} takes {length:.1f} pages with what its figures leave white, planned {budget:g}"
            )
            found.append(noted(PAGES, message, at(FILE, page=page), "shorten it, or change `task-pages`"))
    return found


def _lengths(body: list[tuple[Section, Bookmark]], end: float) -> Iterator[tuple[str, float, int]]:
    """Every top-level task: its number, its pages from its heading to the next one's, and where it begins."""
    tops = [(section.number, mark) for section, mark in body if section.level == 1]
    ends = [*(mark.position for _, mark in tops[1:]), end]
    for (number, mark), stop in zip(tops, ends, strict=True):
        if number:
            yield number, stop - mark.position, mark.page
