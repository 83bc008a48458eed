"""Applies the rules to the project at hand, or to any ZIP or folder, and says what they found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from grading.intake import RULE as INTAKE
from grading.intake import take_in
from grading.sandbox import Say, run_all
from handin.pack import gather
from handin.project import Project
from handin.rules import RULES, Course, Finding, Status, Submission, apply
from handin.rules.finding import failed

_COURSE = TypeAdapter(Course)
_FINDINGS = TypeAdapter(list[Finding])


def check_submission(submission: Submission) -> list[Finding]:
    """What every rule says about a hand-in. For a stranger's, call it in a process with limits."""
    return apply(submission)


def check_project(project: Project) -> tuple[Submission, list[Finding]]:
    """The project as a hand-in, and what every rule says about it."""
    submission, faults = gather(project)
    return submission, _ordered([*faults, *apply(submission)])


def check_path(path: Path, course: Course) -> list[Finding]:
    """What every rule says about a ZIP or a folder of files, read in a process of its own within limits."""
    job = json.dumps({"path": str(path), "course": _COURSE.dump_python(course, mode="json")})
    [(_, outcome)] = run_all("handin.check:examine", [job], workers=1)
    findings = _FINDINGS.validate_python(outcome.known.get("findings", []))
    if outcome.fault:
        place = path.name
        remedy = "look at the file that was being read; a file that no program can read cannot be graded"
        findings.append(failed(INTAKE, f"{outcome.fault}, while {outcome.stage}", place, remedy))
    return findings


def examine(job: str, say: Say) -> None:
    """One hand-in, in the process that `check_path` starts."""
    given = json.loads(job)
    course = _COURSE.validate_python(given["course"])
    say("unpacking")
    intake = take_in(Path(given["path"]))
    findings = list(intake.findings)
    say("reading the PDFs", findings=[finding.as_dict() for finding in findings])
    if intake.refused:
        return
    submission = Submission(intake.name, intake.files, course)
    for name, rule in RULES.items():
        findings += rule(submission)
        say(f"checking {name}", findings=[finding.as_dict() for finding in findings])


def is_broken(findings: Sequence[Finding]) -> bool:
    """Whether a rule failed."""
    return any(finding.status is Status.FAIL for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings for programs, with the verdict."""
    held = {"ok": not is_broken(findings), "findings": [finding.as_dict() for finding in findings]}
    return json.dumps(held, indent=1, ensure_ascii=False)


def _ordered(findings: list[Finding]) -> list[Finding]:
    """By rule, in the order of the rules; a rule that found a fault elsewhere does not also pass."""
    order = {name: position for position, name in enumerate(RULES)}
    broken = {finding.rule for finding in findings if finding.status is Status.FAIL}
    kept = [f for f in findings if f.rule not in broken or f.status is not Status.PASS]
    return sorted(kept, key=lambda finding: order.get(finding.rule, -1))
