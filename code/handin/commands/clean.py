"""`handin clean`: what a render writes is removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from handin.commands import current_project
from handin.project import Project
from handin.render.builtin import BUILD
from handin.render.collect import KEPT
from handin.render.figures import obsolete_figures


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Remove what a render writes; kept results stay."""
    for name in clean_project(current_project(ctx)):
        click.echo(f"removed {name}")


def clean_project(project: Project) -> list[str]:
    """Remove documents, drawn figures and scratch folders; returns what was there."""
    made = [project.output_dir, project.root / BUILD, *obsolete_figures(project.figures_dir, kept=())]
    for name in project.documents:
        stem = (project.root / name).with_suffix("")
        made += [Path(f"{stem}{suffix}") for suffix in (*KEPT, "_files", ".typ")]
    found = [path for path in made if path.exists()]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [str(path.relative_to(project.root)) for path in found]
