"""`handin clean`: what a render writes is removed; with --store, kept results that are never read again."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from handin.commands import current_project
from handin.errors import HandinError, Place
from handin.files.lock import BUILD, alone
from handin.memory.entries import FOLDER
from handin.project import Project
from handin.render.collect import left_notebooks
from handin.render.environment import environment
from handin.render.figures import obsolete_figures


@click.command()
@click.option("--memory", is_flag=True, help="Remove instead what is remembered of chunks.")
@click.option("--store", is_flag=True, help="Remove kept results instead, those that are never read again.")
@click.pass_context
def command(ctx: click.Context, memory: bool, store: bool) -> None:
    """Remove what a render writes; kept results stay."""
    project = current_project(ctx)
    if store:
        clean_store(project)
        return
    with alone(project.root, "handin clean", click.echo):
        for name in remove(project, [project.root / FOLDER] if memory else made(project)):
            click.echo(f"removed {name}")


def clean_store(project: Project) -> None:
    """Run the solution's own command, `handin: clean-store:`, for only the solution knows what it can read.

    Raises:
        HandinError: if there is none, or it fails.
    """
    command, place = project.handin.clean_store, Place("_quarto.yml")
    if command is None:
        raise HandinError(
            "there is no `clean-store` under `handin:`",
            place=place,
            remedy="name the command that removes results which the present sources cannot read",
        )
    try:
        program, *arguments = shlex.split(command)
    except ValueError as error:
        raise HandinError(
            f"`{command}` is no command ({error})", place=place, remedy="mend `handin: clean-store:`"
        ) from None
    program = sys.executable if program in ("python", "python3") else program
    try:
        subprocess.run([program, *arguments], cwd=project.root, env=environment(project), check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise HandinError(
            f"`{command}` failed ({error})", place=place, remedy="mend `handin: clean-store:`"
        ) from None


def made(project: Project) -> list[Path]:
    """Where a render writes: documents, drawn figures and scratch folders."""
    places = [project.output_dir, project.root / BUILD, *obsolete_figures(project.figures_dir, kept=())]
    for name in project.documents:
        stem = (project.root / name).with_suffix("")
        places += [
            *left_notebooks(project.root / name),
            *(Path(f"{stem}{suffix}") for suffix in ("_files", ".typ")),
        ]
    return places


def remove(project: Project, places: Iterable[Path]) -> list[str]:
    """Remove files and folders of the project; returns what was there."""
    found = [path for path in places if path.exists()]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [str(path.relative_to(project.root)) for path in found]
