"""What `handin grade` does, from the folder to the table, the CSV file and the page."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from grading import OUTPUTS, grade
from grading.page import as_page
from grading.sandbox import BOUNDS, unenforced
from grading.tables import as_csv, as_table
from handin.files.publish import publish
from handin.project import Project
from handin.rules import Course


def grade_folder(project: Project, folder: Path, output: Path | None) -> None:
    """Look at every hand-in of a folder by the course's rules; print the table, write the two files.

    Args:
        project: Its `handin:` block says what the course asks.
        folder: The hand-ins.
        output: Where grades.csv and grades.html go; None for the project's output folder.
    """
    course = Course.of(project)
    output = output or project.output_dir
    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("hand-ins", total=None)
        rows = grade(folder, course, progress=lambda n, of: progress.update(task, completed=n, total=of))
    seconds = time.monotonic() - began

    limits = f"Each was read within {BOUNDS}; nothing was executed."
    if unenforced():
        limits += f" On this system {unenforced()}."
    title = f"{course.name}, assignment {course.assignment}: hand-ins"
    paths = [output / name for name in OUTPUTS]
    publish(dict(zip(paths, (as_csv(rows).encode(), as_page(rows, title, limits).encode()), strict=True)))

    console = Console()
    if not console.is_terminal:
        console = Console(width=200)  # a file or a pipe has no edge to wrap at
    console.print(as_table(rows))
    broken = sum(bool(row.failed) for row in rows)
    click.echo(f"\n{len(rows)} hand-ins in {seconds:.0f} s, {broken} with a broken rule. {limits}")
    for path in paths:
        click.echo(path)
