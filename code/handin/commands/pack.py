"""`handin pack`: the ZIPs, or the failures that stand in the way."""

from __future__ import annotations

import click

from handin.commands import current_project
from handin.commands.check import show
from handin.files.lock import alone
from handin.pack import NotReadyError, pack
from handin.reading.submission import Submission
from handin.rules import Status, apply


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Write the ZIP that is handed in, one per student; refuse while a rule fails."""
    project = current_project(ctx)
    with alone(project.root, "handin pack", click.echo):
        submission = Submission.of(project)
        findings = apply(submission)
        try:
            paths = pack(project, submission, findings)
        except NotReadyError as error:
            show(error.findings, of=findings)
            raise
    for path in paths:
        shown = path.relative_to(project.root)
        click.echo(f"{shown}  {path.stat().st_size / 1e6:.1f} MB, {len(submission.files) + 1} files")
    for finding in findings:
        if finding.status is Status.CANNOT_TELL:
            click.echo(f"look yourself: {finding.rule}: {finding.message} {finding.place}".rstrip())
    if len(paths) > 1:
        click.echo("Both students must hand in: each uploads the ZIP with their own login.")
