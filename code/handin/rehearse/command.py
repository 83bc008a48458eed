"""What `handin rehearse` does, from the ZIP's name to the verdict."""

from __future__ import annotations

from pathlib import Path

import click

from handin.errors import HandinError, Place
from handin.project import Project, find_root, load_project
from handin.rehearse import require_own, unpack
from handin.rules import Course


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
    course = Course.of(project)
    path = project.output_dir / course.archive_name(project.authors[0].login)
    if not path.is_file():
        raise HandinError("there is no such ZIP", place=Place(path), remedy="run `handin pack` first")
    return path
