"""`handin check`: what the rules say about the project."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click
from rich.markup import escape
from rich.table import Table

from handin.commands import FORMAT, console, current_project
from handin.reading.submission import Submission
from handin.rules import RULES, Finding, Status, apply
from handin.rules.finding import grouped

_COLOURS = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.CANNOT_TELL: "yellow",
    Status.NOTE: "blue",
}
_FIRST = 3  # places shown of findings that say the same


@click.command()
@FORMAT
@click.option("--list-rules", is_flag=True, help="List the rules, and stop.")
@click.option("--verbose", is_flag=True, help="Show every finding, not one row per rule and file.")
@click.pass_context
def command(ctx: click.Context, form: str, list_rules: bool, verbose: bool) -> None:
    """Check the project against every formal rule.

    Status 1 if a rule fails. `handin rule NAME` explains a rule.
    """
    if list_rules:
        width = max(map(len, RULES))
        for name, rule in RULES.items():
            click.echo(f"{name:<{width}}  {(rule.__doc__ or '').splitlines()[0]}")
        return
    findings = apply(Submission.of(current_project(ctx)))
    if form == "json":
        held = {"ok": not is_broken(findings), "findings": [finding.as_dict() for finding in findings]}
        click.echo(json.dumps(held, indent=1, ensure_ascii=False))
    else:
        show(findings, verbose=verbose)
    sys.exit(1 if is_broken(findings) else 0)


def is_broken(findings: Sequence[Finding]) -> bool:
    """Whether a rule failed."""
    return any(finding.status is Status.FAIL for finding in findings)


def show(findings: Sequence[Finding], *, of: Sequence[Finding] = (), verbose: bool = False) -> None:
    """A table: rule, verdict, what and where, and below a failure what to do.

    Args:
        findings: What the table shows.
        of: All that was found, where the table shows a part of it.
        verbose: A row for each finding; otherwise those of a rule in a file have one.
    """
    table = Table(box=None, pad_edge=False, show_header=False)
    for alike in [[finding] for finding in findings] if verbose else grouped(findings):
        first = alike[0]
        colour = _COLOURS[first.status]
        text = escape(first.message) + (f" (and {len(alike) - 1} more like this)" if len(alike) > 1 else "")
        places = list(dict.fromkeys(finding.place for finding in alike if finding.place))
        if places and first.status is not Status.PASS:
            text += f"\n[cyan]{escape(', '.join(places[:_FIRST]))}{', …' if len(places) > _FIRST else ''}[/]"
        if first.remedy:
            text += f"\n[dim]→ {escape(first.remedy)}[/]"
        table.add_row(f"[{colour}]{first.status}[/]", escape(first.rule), text)
    terminal = console()
    terminal.print(table)
    count = {status: sum(f.status is status for f in of or findings) for status in Status}
    notes = f", {count[Status.NOTE]} noted" if count[Status.NOTE] else ""
    terminal.print(
        f"\n{len(RULES)} rules; findings: {count[Status.PASS]} passed, {count[Status.FAIL]} failed, "
        f"{count[Status.CANNOT_TELL]} for you to judge{notes}",
        highlight=False,
    )
