"""Sections and subsections carry the numbers of the tasks: none missing, none extra, none misnumbered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handin.qmd.outline import Section
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed


def sections(submission: Submission) -> list[Finding]:
    """The numbers of the body's headings are the task list, in its order, in report and notebook.

    Why: "use the tasks numbers of the assignments as your section and subsection numbers".
    Fails: a numbered section “Outlook” behind the last task.
    Passes: an unnumbered one, and parts of a task on the third level.
    """
    course = submission.project.handin
    found: list[Finding] = []
    absent: list[str] = []
    for name in (REPORT, NOTEBOOK):
        outline = submission.outlines[name]
        if outline is None:
            continue
        headings = [h for h in outline.sections if h.number and h.in_body and h.level <= 2]
        numbers = [h.number for h in headings]
        wanted = [t for t in course.tasks if t not in course.optional_tasks or t in numbers]
        absent = [t for t in course.optional_tasks if t not in numbers]
        found += _differences(headings, wanted, course.tasks, f"{name}.qmd")
    if submission.outlines[REPORT] is None and not found:
        return [cannot_tell("the report's sources cannot be read")]
    note = f" (optional and absent: {', '.join(absent)})" if absent else ""
    return found or [passed(f"sections numbered like the tasks{note}")]


def _differences(
    headings: list[Section], wanted: list[str], tasks: Sequence[str], name: str
) -> Iterator[Finding]:
    """Sections that are no task, and tasks that have no section; what is numbered is in order."""
    remedy = "number it like a task, leave it unnumbered ({.unnumbered}), or move it into the appendix"
    for one in headings:
        if one.number not in wanted:
            yield failed(f"“{one.number} {one.title[:50]}” is no task", one.place, remedy)
    numbers = [one.number for one in headings]
    if absent := [task for task in wanted if task not in numbers]:
        before = [one.place for one in headings if one.number in tasks[: tasks.index(absent[0])]]
        message = f"{name}: no section for {', '.join(absent)}"
        yield failed(message, [name, *before][-1], f"add a section numbered {absent[0]}")
