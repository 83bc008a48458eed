"""Sections and subsections carry the numbers of the tasks: none missing, none extra, none misnumbered."""

from __future__ import annotations

from difflib import SequenceMatcher

from handin.reading.layout import Heading, Part
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, passed
from handin.rules.report import no_report

SECTIONS = "sections"


def sections(submission: Submission) -> list[Finding]:
    """The numbers of the body's headings are the task list, in its order."""
    document = submission.report
    if document is None or document.layout is None:
        return [no_report(SECTIONS)]
    layout, course = document.layout, submission.course
    body = [h for h in layout.headings if h.number and layout.parts[h.index] is Part.BODY]
    headings = [h for h in body if not _deeper(h.number, course.tasks)]
    if not headings:
        return [
            cannot_tell(
                SECTIONS,
                "no numbered headings were found",
                document.path,
                f"number the sections like the tasks: {', '.join(course.tasks[:4])}, …",
            )
        ]
    numbers = [h.number for h in headings]
    wanted = [t for t in course.tasks if t not in course.optional_tasks or t in numbers]
    found: list[Finding] = []
    matcher = SequenceMatcher(None, numbers, wanted, autojunk=False)
    for operation, first, last, begin, end in matcher.get_opcodes():
        if operation == "equal":
            continue
        there, lacking = headings[first:last], wanted[begin:end]
        for position, heading in enumerate(there):
            found.append(_wrong(heading, lacking[position : position + 1], numbers, submission, document))
        absent = [task for task in lacking[len(there) :] if task not in numbers]
        if absent:
            found.append(_missing(absent, headings, submission, document))
    if not found:
        optional = [t for t in course.optional_tasks if t not in numbers]
        note = f" (optional and absent: {', '.join(optional)})" if optional else ""
        return [passed(SECTIONS, f"{len(numbers)} sections numbered like the tasks{note}", document.path)]
    if not document.content or not document.content.outline:
        # Headings were guessed from the look of lines: what seems to be missing may only look different.
        return [
            cannot_tell(
                SECTIONS,
                f"found {', '.join(numbers)}; the PDF has no bookmarks to be sure",
                document.path,
                "compare with the task list",
            )
        ]
    return found


def _wrong(
    heading: Heading, lacking: list[str], numbers: list[str], submission: Submission, document: Document
) -> Finding:
    shown = f"“{heading.number} {heading.title[:50]}”"
    place = heading_place(submission, document, heading)
    if lacking and lacking[0] not in numbers:
        return failed(
            SECTIONS,
            f"{shown} is misnumbered",
            place,
            f"the task at this place is {lacking[0]}; number it so",
        )
    if numbers.count(heading.number) > 1:
        return failed(
            SECTIONS, f"{shown} has a number that occurs twice", place, "give every task one section"
        )
    if heading.number in submission.course.tasks:
        return failed(SECTIONS, f"{shown} is out of order", place, "keep the order of the tasks")
    return failed(
        SECTIONS,
        f"{shown} is no task",
        place,
        "leave the heading unnumbered ({.unnumbered}), or move it into the appendix",
    )


def _missing(
    tasks: list[str], headings: list[Heading], submission: Submission, document: Document
) -> Finding:
    order = submission.course.tasks
    before = [h for h in headings if h.number in order[: order.index(tasks[0])]]
    place = heading_place(submission, document, before[-1]) if before else at(document.path, page=1)
    listed = ", ".join(tasks)
    if len(tasks) == 1:
        return failed(SECTIONS, f"task {listed} has no section", place, f"add a section numbered {listed}")
    return failed(SECTIONS, f"tasks {listed} have no sections", place, "add a section for each")


def heading_place(submission: Submission, document: Document, heading: Heading) -> str:
    """File and line of a heading where the sources are there, else its page."""
    if submission.outline:
        same = [h for h in submission.outline.sections if _same_title(h.title, heading.title)]
        if len(same) == 1:
            return same[0].place
    return at(document.path, page=heading.page)


def _same_title(source: str, shown: str) -> bool:
    """Whether a heading of the sources is the one shown; marks such as backticks are not shown."""

    def letters(text: str) -> str:
        return "".join(sign for sign in text.casefold() if sign.isalnum())

    return letters(source) == letters(shown)


def _deeper(number: str, tasks: tuple[str, ...]) -> bool:
    """Whether a number belongs below a task, as 1a.1 does."""
    return (
        any(number.startswith(f"{task}.") and not task.isdigit() for task in tasks) or number.count(".") > 1
    )
