"""Sections and subsections carry the numbers of the tasks: none missing, none extra, none misnumbered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from handin.qmd.outline import Section
from handin.reading.layout import HEADING, Layout, Part, task_number
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed
from handin.rules.report import on_report

SECTIONS = "sections"


@on_report(SECTIONS)
def sections(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """The numbers of the body's headings are the task list, in its order.

    Why: "use the tasks numbers of the assignments as your section and subsection numbers".

    Certain: the PDF has bookmarks with the tasks' own numbers, and one of them is missing, with nothing in
    the text that may stand for it, or two of them have changed places. Anything else, such as 1.1 for 1a or
    a further section, is "cannot tell".

    Fails: bookmarks 1, 1a, 2, 2a and no “1b” or “b)” in the text.

    Passes: “Task 1”, “a)”, “b)”, “Task 2” as headings.
    """
    if submission.outline:
        return _exact(submission, document)
    tasks = submission.course.tasks
    body = [h for h in layout.headings if layout.parts[h.index] is Part.BODY]
    numbers = [h.number for h in body if h.number in tasks]
    wanted = [t for t in tasks if t not in submission.course.optional_tasks or t in numbers]
    extra = [h.number for h in body if h.number and h.number not in tasks and not _deeper(h.number, tasks)]
    if numbers == wanted and not extra:
        return [passed(SECTIONS, f"{len(numbers)} sections numbered like the tasks", document.path)]
    if not extra and _in_order(wanted, layout):
        return [passed(SECTIONS, f"all {len(wanted)} tasks begin a line, in order", document.path)]
    if layout.content.outline and any(not number.isdigit() for number in numbers):
        sure = [t for t in wanted if t not in numbers and not _hinted(t, layout)]
        if sure:
            message = _absent(sure)
            return [failed(SECTIONS, message, document.path, "number the sections like the tasks")]
        if sorted(numbers) == sorted(wanted) and numbers != wanted:
            message = f"the sections stand in the order {', '.join(numbers)}"
            return [failed(SECTIONS, message, document.path, "keep the order of the tasks")]
    there = ", ".join(h.number for h in body if h.number) or "no numbers"
    message = f"found {there}; asked are {', '.join(wanted)}"
    return [cannot_tell(SECTIONS, message, document.path, "compare with the task list")]


def _in_order(tasks: Sequence[str], layout: Layout) -> bool:
    """Whether for every task a short line begins with its number, one after the other."""
    waiting, above = list(tasks), ""
    for one in layout.lines:
        number, _ = task_number(one.text, above) if len(one.text) < HEADING else ("", "")
        if waiting and number == waiting[0]:
            above = number if number.isdigit() else above
            waiting.pop(0)
    return not waiting


def _hinted(task: str, layout: Layout) -> bool:
    """Whether something in the text may stand for a task: its number, or its letter at a line's start."""
    text = "\n".join(one.text for one in layout.lines)
    match = re.fullmatch(r"(\d+)([a-z])", task)
    if not match:
        return bool(re.search(rf"\b{re.escape(task)}\b", text))
    letter = match[2]
    decimal = rf"{match[1]}\.{ord(letter) - ord('a') + 1}\b"
    return bool(re.search(rf"(?m)\b{match[1]}\W{{0,3}}{letter}\b|^\W*{letter}\W{{0,2}}[).:]|{decimal}", text))


def _exact(submission: Submission, document: Document) -> list[Finding]:
    """Report and notebook by their sources, and sources that neither includes."""
    found = [*_left_out(submission)]
    optional: list[str] = []
    for name in ("report.qmd", "notebook.qmd"):
        outline = submission.outline_of(name)
        if outline is None:
            continue
        course = submission.course
        body = [s for s in outline.sections if s.number and s.part == "body"]
        headings = [h for h in body if not _deeper(h.number, course.tasks)]
        numbers = [h.number for h in headings]
        wanted = [t for t in course.tasks if t not in course.optional_tasks or t in numbers]
        optional = [t for t in course.optional_tasks if t not in numbers]
        found += _differences(headings, wanted, course.tasks, name)
    note = f" (optional and absent: {', '.join(optional)})" if optional else ""
    return found or [passed(SECTIONS, f"sections numbered like the tasks{note}", document.path)]


def _differences(
    headings: list[Section], wanted: list[str], tasks: Sequence[str], name: str
) -> Iterator[Finding]:
    """What must be changed so that the headings are the tasks."""
    numbers = [h.number for h in headings]
    matcher = SequenceMatcher(None, numbers, wanted, autojunk=False)
    for operation, first, last, begin, end in matcher.get_opcodes():
        if operation == "equal":
            continue
        there, lacking = headings[first:last], wanted[begin:end]
        for position, heading in enumerate(there):
            yield _wrong(heading, lacking[position : position + 1], numbers, tasks)
        absent = [task for task in lacking[len(there) :] if task not in numbers]
        if absent:
            before = [h for h in headings if h.number in tasks[: tasks.index(absent[0])]]
            place = before[-1].place if before else name
            yield failed(SECTIONS, f"{name}: {_absent(absent)}", place, f"add a section numbered {absent[0]}")


def _absent(tasks: Sequence[str]) -> str:
    one = len(tasks) == 1
    return f"task{'' if one else 's'} {', '.join(tasks)} {'has' if one else 'have'} no section"


def _wrong(heading: Section, lacking: list[str], numbers: list[str], tasks: Sequence[str]) -> Finding:
    shown = f"“{heading.number} {heading.title[:50]}”"
    if lacking and lacking[0] not in numbers:
        remedy = f"the task at this place is {lacking[0]}; number it so"
        return failed(SECTIONS, f"{shown} is misnumbered", heading.place, remedy)
    if numbers.count(heading.number) > 1:
        message = f"{shown} has a number that occurs twice"
        return failed(SECTIONS, message, heading.place, "give every task one section")
    if heading.number in tasks:
        return failed(SECTIONS, f"{shown} is out of order", heading.place, "keep the order of the tasks")
    remedy = "leave the heading unnumbered ({.unnumbered}), or move it into the appendix"
    return failed(SECTIONS, f"{shown} is no task", heading.place, remedy)


def _left_out(submission: Submission) -> Iterator[Finding]:
    """Files of sections that no document includes."""
    outlines = [o for name in ("report.qmd", "notebook.qmd") if (o := submission.outline_of(name))]
    included = {file for outline in outlines for file in outline.files}
    for path in submission.files:
        if path.startswith("sections/") and path.endswith(".qmd") and path not in included:
            yield failed(SECTIONS, "no document includes it", path, "include it in report.qmd, or remove it")


def _deeper(number: str, tasks: Sequence[str]) -> bool:
    """Whether a number belongs below a task, as 1a.1 does."""
    return (
        any(number.startswith(f"{task}.") and not task.isdigit() for task in tasks) or number.count(".") > 1
    )
