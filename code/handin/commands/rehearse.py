"""`handin rehearse`: from the ZIP's name to the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from handin.commands import RENDERERS
from handin.errors import HandinError, Place
from handin.project import Project, find_root, load_project
from handin.rehearse import require_own, unpack


@click.command()
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@click.option("--mine", is_flag=True, help="The ZIP is your own, though other students are named here.")
@click.option("--renderer", type=RENDERERS, help="[default: as for `render`]")
@click.pass_context
def command(ctx: click.Context, archive: Path | None, mine: bool, renderer: str | None) -> None:
    """Rebuild a packed hand-in from its own sources and compare. EXECUTES the code in it.

    ARCHIVE is a ZIP of your own; by default the one that `handin pack` wrote last. It is unpacked to an empty
    place and built there with a fresh kernel, nothing kept from earlier builds and, on Linux, no network. No
    other command executes what is in a ZIP.
    """
    sys.exit(0 if rehearse_archive(ctx.obj, archive, mine=mine, renderer=renderer) else 1)


def rehearse_archive(folder: Path, archive: Path | None, *, mine: bool, renderer: str | None) -> bool:
    """Rehearse a ZIP, or the one that was packed last, and print how it went.

    Args:
        folder: Where the command was started; the project there says whose ZIP may be executed.
        archive: The ZIP, or None for the one that `handin pack` wrote.
        mine: Whether the user says that the ZIP is theirs, whatever the project at hand says.
        renderer: quarto or builtin; None for what `handin render` chooses.

    Returns:
        Whether everything was reproduced.
    """
    ours = _project_at_hand(folder)
    archive = archive or _packed(ours)
    with unpack(archive) as unpacked:
        if not mine:
            require_own(unpacked, ours)
        click.echo(f"{archive}: building it from its own sources, which executes its code")
        rehearsal = unpacked.rehearse(renderer)
    for line in rehearsal.in_words():
        click.echo(line)
    return rehearsal.reproduced


def _project_at_hand(folder: Path) -> Project | None:
    try:
        root = find_root(folder)
    except HandinError:
        return None  # a ZIP can be rehearsed anywhere
    return load_project(root)


def _packed(project: Project | None) -> Path:
    if project is None:
        raise HandinError("no ZIP named, and no project here", remedy="name a ZIP, or go to the project")
    path = project.output_dir / project.handin.archive_name(project.authors[0].login)
    if not path.is_file():
        raise HandinError("there is no such ZIP", place=Place(path), remedy="run `handin pack` first")
    return path
