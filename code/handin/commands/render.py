"""`handin render`: the documents."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console

from handin.commands import RENDERERS, current_project
from handin.errors import HandinError, Place, near
from handin.project import CONFIG, Project
from handin.reading import pdf
from handin.reading.layout import Layout, Part
from handin.render.builtin import Builder
from handin.render.progress import duration
from handin.render.quarto import quarto_version, render_by_quarto


@click.command()
@click.argument("documents", nargs=-1)
@click.option(
    "--renderer", type=RENDERERS, help="[default: Quarto if it is on the PATH, else the built-in one]"
)
@click.option("--draft", is_flag=True, help="Mark a false claim in the text, and go on.")
@click.option("--quick", is_flag=True, help="A draft from few runs, for a first look.")
@click.option("--to", type=click.Choice(["typst", "html"]), default="typst", help="PDFs, or web pages.")
@click.pass_context
def command(
    ctx: click.Context,
    documents: tuple[str, ...],
    renderer: str | None,
    draft: bool,
    quick: bool,
    to: str,
) -> None:
    """Build the PDFs of all DOCUMENTS, or of the named ones (`handin render report`)."""
    render_documents(current_project(ctx), documents, renderer=renderer, draft=draft, quick=quick, to=to)


def render_documents(
    project: Project,
    names: Sequence[str],
    *,
    renderer: str | None,
    draft: bool,
    quick: bool,
    to: str = "typst",
) -> None:
    """Render and say what has come of it.

    Args:
        project: The project.
        names: Documents, with or without `.qmd`; none means all.
        renderer: "quarto", "builtin", or None for Quarto if it is on the PATH.
        draft: Mark a false claim in the text instead of stopping there.
        quick: A draft from few runs.
        to: "typst" for PDFs, "html" for web pages.

    Raises:
        HandinError: There is no such document or no Quarto, or the render failed.
    """
    documents = [document_name(name, project) for name in names] or project.documents
    version = _version(renderer)
    console = Console()
    started = time.perf_counter()
    if version:
        paths = render_by_quarto(project, documents, draft=draft, quick=quick, to=to, console=console)
    else:
        paths = Builder(project, draft=draft, quick=quick, to=to, console=console).render(documents)
    seconds = time.perf_counter() - started
    made_by = f"Quarto {version}" if version else "the built-in renderer"
    click.echo(summary(paths, project.root, made_by, seconds))


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
    """The file of a document that is named with or without `.qmd`.

    Raises:
        HandinError: There is no such document.
    """
    document = name if name.endswith(".qmd") else f"{name}.qmd"
    if document not in project.documents:
        meant = near(document, project.documents)
        remedy = f"did you mean `{meant}`?" if meant else f"documents are {', '.join(project.documents)}"
        raise HandinError(f"there is no document `{name}`", place=Place(CONFIG), remedy=remedy)
    return document


def summary(paths: Iterable[Path], root: Path, renderer: str, seconds: float) -> str:
    """Where the files are, how many pages they have, who made them and how long it took."""
    lines = [
        f"{path.relative_to(root)}  "
        + (pages(path) if path.suffix == ".pdf" else f"{path.stat().st_size / 1000:,.0f} kB")
        for path in paths
    ]
    return "\n".join([*lines, f"built by {renderer} in {duration(seconds)}"])


def pages(path: Path) -> str:
    """`12 pages: 8 with text, references on 9, appendix on 9 to 12`; the total where there are no parts."""
    content = pdf.read(path.read_bytes())
    layout = Layout(content)
    count = len(content.pages)
    words = f"{count} page{'s' if count > 1 else ''}"
    where = {part: _pages_of(part, layout) for part in (Part.REFERENCES, Part.APPENDIX)}
    if not any(where.values()):
        return words
    parts = [
        f"{len(layout.body_pages)} with text",
        *(f"{part} on {span}" for part, span in where.items() if span),
    ]
    return f"{words}: {', '.join(parts)}"


def _pages_of(part: Part, layout: Layout) -> str:
    found = [line.page for line, its in zip(layout.lines, layout.parts, strict=True) if its is part]
    if not found:
        return ""
    first, last = min(found), max(found)
    return str(first) if first == last else f"{first} to {last}"
