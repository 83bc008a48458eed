"""What `handin render` and `clean` do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from handin.errors import HandinError, Place
from handin.project import CONFIG, Project
from handin.render.builtin import BUILD, Builder
from handin.render.collect import KEPT
from handin.render.figures import obsolete_figures
from handin.render.quarto import quarto_version, render_by_quarto
from handin.render.summary import summary


def render_documents(project: Project, names: Sequence[str], *, renderer: str | None, draft: bool) -> None:
    """Render and say what has come of it.

    Args:
        project: The project.
        names: Documents, with or without `.qmd`; none means all.
        renderer: "quarto", "builtin", or None for Quarto if it is on the PATH.
        draft: Quick settings.

    Raises:
        HandinError: There is no such document or no Quarto, or the render failed.
    """
    documents = [document_name(name, project) for name in names] or project.documents
    version = _version(renderer)
    console = Console()
    started = time.perf_counter()
    if version:
        paths = render_by_quarto(project, documents, draft=draft, console=console)
    else:
        paths = Builder(project, draft=draft, console=console).render(documents)
    seconds = time.perf_counter() - started
    made_by = f"Quarto {version}" if version else "the built-in renderer"
    click.echo(summary(paths, project.root, made_by, seconds))


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


def _version(renderer: str | None) -> str | None:
    """The version of the Quarto to be used, None for the built-in renderer."""
    if renderer == "builtin":
        return None
    version = quarto_version()
    if renderer == "quarto" and version is None:
        raise HandinError(
            "there is no Quarto on the PATH", remedy="install it from quarto.org, or use --renderer builtin"
        )
    return version


def document_name(name: str, project: Project) -> str:
    document = name if name.endswith(".qmd") else f"{name}.qmd"
    if document not in project.documents:
        raise HandinError(
            f"there is no document `{name}`",
            place=Place(CONFIG),
            remedy=f"documents are {', '.join(project.documents)}",
        )
    return document
