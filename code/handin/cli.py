"""The command line: `handin …`, the same as `python -m handin …`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click

from handin.errors import HandinError
from handin.project import Project, find_root, load_project


class _Commands(click.Group):
    """Prints a `HandinError` as its message alone and exits with status 1; Ctrl-C exits with 130."""

    def invoke(self, ctx: click.Context) -> object:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # leave by the same door as Ctrl-C
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


FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
RENDERERS = click.Choice(["quarto", "builtin"])


@main.command()
@click.argument("documents", nargs=-1)
@click.option(
    "--renderer", type=RENDERERS, help="[default: Quarto if it is on the PATH, else the built-in one]"
)
@click.option("--draft", is_flag=True, help="Mark a false claim in the text, and go on.")
@click.option("--list-supported", is_flag=True, help="List what the built-in renderer knows, and stop.")
@click.pass_context
def render(
    ctx: click.Context, documents: tuple[str, ...], renderer: str | None, draft: bool, list_supported: bool
) -> None:
    """Build the PDFs of all DOCUMENTS, or of the named ones (`handin render report`)."""
    from handin.render.command import render_documents
    from handin.render.refusals import SUPPORTED

    if list_supported:
        width = max(len(name) for name in SUPPORTED)
        click.echo("\n".join(f"{name:<{width}}  {what}" for name, what in SUPPORTED.items()))
        return
    render_documents(current_project(ctx), documents, renderer=renderer, draft=draft)


@main.command()
@click.argument("document", required=False)
@click.option("--renderer", type=RENDERERS, default="builtin", show_default=True)
@click.option("--draft/--strict", default=True, help="Mark false claims or stop there. [default: mark]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 4321; any other where it is taken]")
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed in any case.")
@click.pass_context
def preview(
    ctx: click.Context, document: str | None, renderer: str, draft: bool, port: int | None, no_browser: bool
) -> None:
    """Show the documents in the browser, DOCUMENT first, and build them anew at every save."""
    from handin.preview.command import preview_documents

    project = current_project(ctx)
    preview_documents(
        project, document, renderer=renderer, draft=draft, port=port or 0, browser=not no_browser
    )


@main.command()
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@FORMAT
@click.option("--list-rules", is_flag=True, help="List the rules, and stop.")
@click.pass_context
def check(ctx: click.Context, path: Path | None, form: str, list_rules: bool) -> None:
    """Check the project, or the ZIP or folder at PATH, against every formal rule.

    Status 1 if a rule fails. Nothing in a ZIP is executed.
    """
    from handin.commands import check_hand_in, rules_in_words

    if list_rules:
        click.echo(rules_in_words())
        return
    sys.exit(0 if check_hand_in(current_project(ctx), path, form) else 1)


@main.command()
@click.pass_context
def pack(ctx: click.Context) -> None:
    """Write the ZIP that is handed in, one per student; refuse while a rule fails."""
    from handin.commands import pack_project

    pack_project(current_project(ctx))


@main.command()
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@click.option("--mine", is_flag=True, help="The ZIP is your own, though other students are named here.")
@click.option("--renderer", type=RENDERERS, help="[default: as for `render`]")
@click.pass_context
def rehearse(ctx: click.Context, archive: Path | None, mine: bool, renderer: str | None) -> None:
    """Rebuild a packed hand-in from its own sources and compare. EXECUTES the code in it.

    ARCHIVE is a ZIP of your own; by default the one that `handin pack` wrote last. It is unpacked to an empty
    place and built there with a fresh kernel, nothing kept from earlier builds and, on Linux, no network. No
    other command executes what is in a ZIP.
    """
    from handin.rehearse.command import rehearse_archive

    sys.exit(0 if rehearse_archive(ctx.obj, archive, mine=mine, renderer=renderer) else 1)


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where grades.csv and grades.html go. [default: the project's output folder]",
)
@click.pass_context
def grade(ctx: click.Context, folder: Path, output: Path | None) -> None:
    """Look at every hand-in in FOLDER: a table here, a CSV file, a web page with pictures.

    ZIPs and unpacked folders are checked against the `handin:` block of this project's _quarto.yml. Each is
    read in a process of its own with limits of time and memory; nothing in it is executed.
    """
    from grading.command import grade_folder

    grade_folder(current_project(ctx), folder, output)


@main.command()
@FORMAT
@click.pass_context
def doctor(ctx: click.Context, form: str) -> None:
    """Look at what a build relies on: packages, renderer, kernel, fonts, disk, store."""
    from handin.commands import examine_machine

    sys.exit(0 if examine_machine(ctx.obj, form) else 1)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--course", help="The course's name.")
@click.option("--number", type=click.IntRange(1), help="Of the assignment.")
@click.option("--title", help="Of the report.")
@click.option("--tasks", help='In order, as in "1 Implement it; 1a The class; 1b; 2 Experiments".')
@click.option("--author", "authors", multiple=True, help='"Name <login>"; twice for a pair.')
@click.option("--archive", help='Name of the ZIP, as in "dl24-{assignment}-{login}.zip".')
@click.option("--ban", "banned", multiple=True, help="A module that the solution must not import.")
@click.option("--require", "requires", multiple=True, help="A package that the solution needs, as torch.")
@click.option("--package", help="Name of the solution's package in code/.")
def init(folder: Path, **given: Any) -> None:
    """Start a new assignment in FOLDER, with all that `make` needs.

    What no option says is asked at a terminal, and an example elsewhere. Nothing is overwritten.
    """
    from handin.starter.command import start

    start(folder, given)


@main.command()
@click.pass_context
def collect(ctx: click.Context) -> None:
    """Keep notebook and figures after `quarto render` (its post-render step)."""
    from handin.render.collect import collect

    collect(current_project(ctx))


@main.command()
@click.pass_context
def clean(ctx: click.Context) -> None:
    """Remove what a render writes; trained models stay."""
    from handin.render.command import clean_project

    for name in clean_project(current_project(ctx)):
        click.echo(f"removed {name}")
