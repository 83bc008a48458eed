"""`handin rule`: what a rule asks, why, and an example that fails and one that passes."""

from __future__ import annotations

import inspect

import click

from handin.errors import HandinError, near
from handin.rules import RULES


@click.command()
@click.argument("name")
def command(name: str) -> None:
    """Explain the rule NAME; `handin check --list-rules` lists them."""
    if name not in RULES:
        meant = near(name, RULES)
        remedy = f"did you mean `{meant}`?" if meant else f"rules are {', '.join(RULES)}"
        raise HandinError(f"there is no rule `{name}`", remedy=remedy)
    click.echo(f"{name}\n\n{inspect.getdoc(RULES[name])}")
