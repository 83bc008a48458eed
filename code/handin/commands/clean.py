"""`handin clean`: what a render writes is removed; with --memory, what is remembered of chunks."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import click

from handin.commands import current_project
from handin.files.lock import BUILD, alone
from handin.memory.entries import FOLDER
from handin.project import Project
from handin.render.collect import left_notebooks
from handin.render.figures import obsolete_figures


@click.command()
@click.option("--memory", is_flag=True, help="Remove instead what is remembered of chunks.")
@click.pass_context
def command(ctx: click.Context, memory: bool) -> None:
    """Remove what a render writes; kept results stay."""
    project = current_project(ctx)
    with alone(project.root, "handin clean", click.echo):
        for name in remove(project, [project.root / FOLDER] if memory else made(project)):
            click.echo(f"removed {name}")


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
