"""What the teacher's tool adds to `handin`: the command `grade`, and `check` of what others made."""

from __future__ import annotations

import time
from pathlib import Path

import click
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import Progress

from grading import OUTPUTS, grade
from grading.examine import job_of
from grading.intake import RULE as INTAKE
from grading.page import as_page
from grading.sandbox import BOUNDS, run_all, unenforced
from grading.tables import as_csv, as_table
from handin.commands import console, current_project
from handin.files.publish import publish
from handin.project import Project
from handin.reading.submission import demands
from handin.rules import Finding
from handin.rules.finding import failed

_FINDINGS = TypeAdapter(list[Finding])


@click.command("grade")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where grades.csv and grades.html go. [default: the project's output folder]",
)
@click.pass_context
def command(ctx: click.Context, folder: Path, output: Path | None) -> None:
    """Look at every hand-in in FOLDER: a table here, a CSV file, a web page with pictures.

    ZIPs and unpacked folders are checked against the `handin:` block of this project's _quarto.yml. Each is
    read in a process of its own with limits of time and memory; nothing in it is executed.
    """
    grade_folder(current_project(ctx), folder, output)


COMMANDS = {"grade": command}


def check_archive(path: Path, project: Project) -> list[Finding]:
    """What every rule says about a ZIP or a folder of files, read in a process of its own within limits."""
    job = job_of(path, demands(project))
    [(_, outcome)] = run_all("grading.examine:examine", [job], workers=1, files=[path])
    findings = _FINDINGS.validate_python(outcome.known.get("findings", []))
    if outcome.fault:
        remedy = "look at the file that was being read; a file that no program can read cannot be graded"
        findings.append(failed(INTAKE, f"{outcome.fault}, while {outcome.stage}", path.name, remedy))
    return findings


def grade_folder(project: Project, folder: Path, output: Path | None) -> None:
    """Look at every hand-in of a folder by the course's rules; print the table, write the two files.

    Args:
        project: Its `handin:` block says what the course asks.
        folder: The hand-ins.
        output: Where grades.csv and grades.html go; None for the project's output folder.
    """
    course = demands(project)
    output = output or project.output_dir
    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("hand-ins", total=None)
        rows = grade(folder, course, progress=lambda n, of: progress.update(task, completed=n, total=of))
    seconds = time.monotonic() - began

    limits = f"Each was read within {BOUNDS}; nothing was executed."
    if unenforced():
        limits += f" On this system {unenforced()}."
    title = f"{course.course}, assignment {course.assignment}: hand-ins"
    paths = [output / name for name in OUTPUTS]
    publish(dict(zip(paths, (as_csv(rows).encode(), as_page(rows, title, limits).encode()), strict=True)))

    console().print(as_table(rows))
    broken = sum(bool(row.failed) for row in rows)
    click.echo(f"\n{len(rows)} hand-ins in {seconds:.0f} s, {broken} with a broken rule. {limits}")
    for path in paths:
        click.echo(path)
