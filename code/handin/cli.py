"""The command line: `handin …`, the same as `python -m handin …`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from handin.errors import HandinError
from handin.project import Project, find_root, load_project


class _Commands(click.Group):
    """Prints a `HandinError` as its message alone and exits with status 1; Ctrl-C exits with 130."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except HandinError as error:
            click.echo(f"{click.style('error:', fg='red', bold=True)} {error}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted; the last complete documents are untouched", err=True)
            sys.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The project's folder, or one inside it. [default: here]",
)
@click.pass_context
def main(ctx: click.Context, folder: Path) -> None:
    """Renders, checks and packs a literate hand-in."""
    ctx.obj = folder


def current_project(ctx: click.Context) -> Project:
    """The project that the command was started in, read and checked."""
    return load_project(find_root(ctx.obj))


@main.command()
@click.argument("documents", nargs=-1)
@click.option("--renderer", type=click.Choice(["quarto", "builtin"]), help="[default: Quarto if on the PATH]")
@click.option("--draft", is_flag=True, help="Sets DRAFT=1 for the chunks.")
@click.option("--list-supported", is_flag=True, help="Lists what the built-in renderer knows, and stops.")
@click.pass_context
def render(
    ctx: click.Context, documents: tuple[str, ...], renderer: str | None, draft: bool, list_supported: bool
) -> None:
    """Build the PDFs, all DOCUMENTS or the named ones (as in `handin render report`)."""
    from rich.console import Console

    from handin.render.builtin import Builder

    project = current_project(ctx)
    paths = Builder(project, draft=draft, console=Console()).render(project.documents)
    for path in paths:
        click.echo(path)
