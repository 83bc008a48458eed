"""`handin collect`: what `_quarto.yml` names as Quarto's post-render step."""

from __future__ import annotations

import click

from handin.commands import current_project
from handin.render.collect import collect


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Keep notebook and figures after `quarto render` (its post-render step)."""
    collect(current_project(ctx))
