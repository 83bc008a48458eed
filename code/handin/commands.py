"""The commands `handin check`, `handin pack` and `handin doctor`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from handin.archive import NotReadyError
from handin.project import find_root, load_project
from handin.rules import RULES, Course, Finding, Status

_FORMAT = click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
_COLOURS = {Status.PASS: "green", Status.FAIL: "bold red", Status.CANNOT_TELL: "yellow"}


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@_FORMAT
@click.pass_obj
def check(folder: Path, path: Path | None, form: str) -> None:
    """Check the project, or a ZIP or folder at PATH, against every formal rule.

    Nothing in a ZIP is executed. Ends with status 1 if a rule fails.
    """
    from handin.check import as_json, check_path, check_project, is_broken

    project = load_project(find_root(folder))
    if path is None or path.resolve() == project.root:
        _, findings = check_project(project)
    else:
        findings = check_path(path, Course.of(project))
    if form == "json":
        click.echo(as_json(findings))
    else:
        _show(findings)
    sys.exit(1 if is_broken(findings) else 0)


@click.command()
@click.pass_obj
def pack(folder: Path) -> None:
    """Write the ZIP that is handed in, one per student; refuse while a rule fails."""
    from handin.archive import pack as write
    from handin.check import check_project

    project = load_project(find_root(folder))
    submission, findings = check_project(project)
    try:
        paths = write(project, submission, findings)
    except NotReadyError as error:
        _show(error.findings)
        raise
    for path in paths:
        shown = path.relative_to(project.root)
        click.echo(f"{shown}  {path.stat().st_size / 1e6:.1f} MB, {len(submission.files) + 1} files")
    for finding in findings:
        if finding.status is Status.CANNOT_TELL:
            click.echo(f"look yourself: {finding.rule}: {finding.message} {finding.place}".rstrip())
    if len(paths) > 1:
        click.echo("Both students must hand in: each uploads the ZIP with their own login.")


@click.command()
@_FORMAT
@click.pass_obj
def doctor(folder: Path, form: str) -> None:
    """Look at what a build relies on: packages, renderer, kernel, fonts, disk, store."""
    from handin.doctor import examine

    results = examine(folder)
    if form == "json":
        click.echo(json.dumps([result.as_dict() for result in results], indent=1, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for result in results:
            mark = {"ok": "[green]ok[/]", "problem": "[bold red]problem[/]", "note": "[yellow]note[/]"}
            remedy = f"\n[dim]→ {escape(result.remedy)}[/]" if result.remedy else ""
            table.add_row(mark[result.status], escape(result.what), escape(result.detail) + remedy)
        _console().print(table)
    sys.exit(1 if any(result.status == "problem" for result in results) else 0)


def _show(findings: Sequence[Finding]) -> None:
    """A table: rule, verdict, what and where, and below a failure what to do."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        colour = _COLOURS[finding.status]
        text = escape(finding.message)
        if finding.place:
            text = f"{text}\n[cyan]{escape(finding.place)}[/]" if finding.status is Status.FAIL else text
        if finding.remedy:
            text += f"\n[dim]→ {escape(finding.remedy)}[/]"
        table.add_row(f"[{colour}]{finding.status}[/]", escape(finding.rule), text)
    console = _console()
    console.print(table)
    count = {status: sum(f.status is status for f in findings) for status in Status}
    console.print(
        f"\n{len(RULES)} rules; findings: {count[Status.PASS]} passed, {count[Status.FAIL]} failed, "
        f"{count[Status.CANNOT_TELL]} for you to judge",
        highlight=False,
    )


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=200, highlight=False)
