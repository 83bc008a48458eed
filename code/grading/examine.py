"""Looks at one hand-in, in a process of its own: unpacks, applies the rules, counts, draws the first page.

Runs in `grading.sandbox` only, and tells what it knows step by step, so that what a hostile file cuts short
is not lost. Nothing of the hand-in is executed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

from grading.intake import take_in
from grading.sandbox import Say
from handin.project import Handin
from handin.reading import pdf
from handin.reading.submission import Submission
from handin.rules import RULES, apply_rule
from handin.rules.fresh import FRESH

THUMBNAIL = 240  # pixels wide


def job_of(path: Path, course: Handin) -> str:
    """The job for `examine`: where the hand-in lies and what the course asks."""
    return json.dumps({"path": str(path), "course": course.model_dump_json()})


def examine(job: str, say: Say) -> None:
    """Tell everything that stands in a `Row`."""
    given = json.loads(job)
    course = Handin.model_validate_json(given["course"])
    path = Path(given["path"])
    nothing = Submission(path.name, {}, course)
    say("unpacking", asked=len(course.tasks), rules=1 + len(_rules(nothing)), logins=_logins(nothing))

    intake = take_in(path)
    findings = [finding.as_dict() for finding in intake.findings]
    say("reading the files", findings=findings)
    if intake.refused:
        return

    submission = Submission(intake.name, intake.files, course)
    sources = list(_python(submission))
    lines = sum(1 for source in sources for line in source.splitlines() if line.strip())
    size = sum(len(source.encode(errors="replace")) for source in sources)
    say("reading the PDFs", code_lines=lines, code_bytes=size, logins=_logins(submission))

    for path_of_pdf in submission.pdfs:
        say(f"reading {path_of_pdf}")
        submission.document(path_of_pdf)  # kept for the rules
    layout = submission.report.layout if submission.report else None
    if layout:
        found = {heading.number for heading in layout.headings}
        say(
            "counting",
            pages=len(layout.content.pages),
            body_pages=len(layout.body_pages),
            tasks=[task for task in course.tasks if task in found],
            figures=sum(caption.kind == "Figure" for caption in layout.captions),
        )
    say("applying the rules", rules=1 + len(_rules(submission)))
    for rule in _rules(submission):
        say(f"applying the rule {rule!r}", findings=findings)
        findings += [finding.as_dict() for finding in apply_rule(rule, submission)]
    say("ending", findings=findings)
    if layout and submission.report:
        say(f"drawing the first page of {submission.report.path}")
        say("ending", thumbnail=_thumbnail(submission.files[submission.report.path]))


def _rules(submission: Submission) -> list[str]:
    """The rules that apply: without its sources there is nothing to compare a document with."""
    return [rule for rule in RULES if rule != FRESH or submission.is_project]


def _logins(submission: Submission) -> list[str]:
    """Whose hand-in it is: by the name of the ZIP, of the folder it was unpacked to, or by `_quarto.yml`."""
    named = (
        submission.login_in_name or Submission(f"{submission.name}.zip", {}, submission.course).login_in_name
    )
    return [named] if named else [student.login for student in submission.students]


def _python(submission: Submission) -> Iterator[str]:
    """The Python of the hand-in, as counted: modules, and the code cells of notebooks."""
    for path, data in submission.files.items():
        if path.endswith(".py"):
            yield data.decode(errors="replace")
    for path in submission.notebooks:
        yield from (cell.source for cell in submission.cells(path) if cell.is_code)


def _thumbnail(report: bytes) -> str:
    try:
        return base64.b64encode(pdf.thumbnail(report, THUMBNAIL)).decode()
    except pdf.PdfError:
        return ""
