"""One file a command, read when it is called."""

from __future__ import annotations

import pkgutil

import click
from rich.console import Console

from handin.files.publish import complete
from handin.project import Project, find_root, load_project

FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
RENDERERS = click.Choice(["quarto", "builtin"])


def names() -> list[str]:
    """The commands here."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def current_project(ctx: click.Context) -> Project:
    """The project that the command was started in, read and checked."""
    project = load_project(find_root(ctx.obj))
    complete(project.output_dir)  # what a killed command left half done
    return project


def console() -> Console:
    """Where tables are printed; a file or a pipe has no edge to wrap at."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(width=200, highlight=False)
