"""What `handin check`, `handin pack` and `handin doctor` do and print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from handin.check import as_json, check_path, check_project, is_broken
from handin.doctor import examine
from handin.pack import NotReadyError, pack
from handin.project import Project
from handin.rules import RULES, Course, Finding, Status

_COLOURS = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.CANNOT_TELL: "yellow",
    Status.NOTE: "blue",
}
_MARKS = {"ok": "[green]ok[/]", "problem": "[bold red]problem[/]", "note": "[yellow]note[/]"}


def rules_in_words() -> str:
    """Every rule by name, with what it asks for."""
    width = max(map(len, RULES))
    return "\n".join(
        f"{name:<{width}}  {(rule.__doc__ or '').splitlines()[0]}" for name, rule in RULES.items()
    )


def check_hand_in(project: Project, path: Path | None, form: str) -> bool:
    """Print what the rules say about the project, or the ZIP or folder at `path`; whether none fails."""
    if path is None or path.resolve() == project.root:
        _, findings = check_project(project)
    else:
        findings = check_path(path, Course.of(project))
    if form == "json":
        click.echo(as_json(findings))
    else:
        _show(findings)
    return not is_broken(findings)


def pack_project(project: Project) -> None:
    """Write the ZIPs and say where they are.

    Raises:
        NotReadyError: A rule fails; the failures have been printed.
    """
    submission, findings = check_project(project)
    try:
        paths = pack(project, submission, findings)
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


def examine_machine(folder: Path, form: str) -> bool:
    """Print what a build in `folder` relies on; whether there is no problem."""
    results = examine(folder)
    if form == "json":
        click.echo(json.dumps([result.as_dict() for result in results], indent=1, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for result in results:
            remedy = f"\n[dim]→ {escape(result.remedy)}[/]" if result.remedy else ""
            table.add_row(_MARKS[result.status], escape(result.what), escape(result.detail) + remedy)
        _console().print(table)
    return all(result.status != "problem" for result in results)


def _show(findings: Sequence[Finding]) -> None:
    """A table: rule, verdict, what and where, and below a failure what to do."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        colour = _COLOURS[finding.status]
        text = escape(finding.message)
        if finding.place and finding.status is not Status.PASS:
            text += f"\n[cyan]{escape(finding.place)}[/]"
        if finding.remedy:
            text += f"\n[dim]→ {escape(finding.remedy)}[/]"
        table.add_row(f"[{colour}]{finding.status}[/]", escape(finding.rule), text)
    console = _console()
    console.print(table)
    count = {status: sum(f.status is status for f in findings) for status in Status}
    console.print(
        f"\n{len(RULES)} rules; findings: {count[Status.PASS]} passed, {count[Status.FAIL]} failed, "
        f"{count[Status.CANNOT_TELL]} for you to judge, {count[Status.NOTE]} notes",
        highlight=False,
    )


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=200, highlight=False)
