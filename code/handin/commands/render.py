"""`handin render`: the documents."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import pypdfium2
from rich.console import Console

from handin.commands import RENDERERS, current_project
from handin.environment import HAND_IN, Mode
from handin.errors import HandinError, Place, near
from handin.project import CONFIG, Project
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
@click.option("--no-memory", is_flag=True, help="Execute every chunk, whatever is remembered.")
@click.option("--to", type=click.Choice(["typst", "html"]), default="typst", help="PDFs, or web pages.")
@click.pass_context
def command(
    ctx: click.Context,
    documents: tuple[str, ...],
    renderer: str | None,
    draft: bool,
    quick: bool,
    no_memory: bool,
    to: str,
) -> None:
    """Build the PDFs of all DOCUMENTS, or of the named ones (`handin render report`)."""
    mode = Mode(draft, quick, memory=not no_memory)
    render_documents(current_project(ctx), documents, renderer=renderer, mode=mode, to=to)


def render_documents(
    project: Project, names: Sequence[str], *, renderer: str | None, mode: Mode = HAND_IN, to: str = "typst"
) -> None:
    """Render and say what has come of it.

    Args:
        project: The project.
        names: Documents, with or without `.qmd`; none means all.
        renderer: "quarto", "builtin", or None for Quarto if it is on the PATH.
        mode: A draft, say.
        to: "typst" for PDFs, "html" for web pages.

    Raises:
        HandinError: There is no such document or no Quarto, or the render failed.
    """
    documents = [document_name(name, project) for name in names] or project.documents
    version = _version(renderer)
    console = Console()
    started = time.perf_counter()
    if version:
        paths = render_by_quarto(project, documents, mode=mode, to=to, console=console)
    else:
        if to == "html":
            raise HandinError(
                "Quarto makes the web pages, and there is none here", remedy="install it from quarto.org"
            )
        paths = Builder(project, mode=mode, console=console).render(documents)
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
    """`12 pages: 8 with text, references on 9, appendix on 9 to 12`; the total where there are no parts.

    As the outline says; the text of the pages, which would take seconds, is not read.
    """
    document = pypdfium2.PdfDocument(path)
    count = len(document)
    words = f"{count} page{'s' if count > 1 else ''}"
    begins = [
        (bookmark.get_title(), *_begin(document, bookmark))
        for bookmark in document.get_toc()
        if bookmark.level == 0 and bookmark.get_dest() is not None
    ]
    titles = [title for title, _, _ in begins]
    if "References" not in titles:
        return words
    place = titles.index("References")
    ends = [page - whole for _, page, whole in begins[place + 1 :]] + [count]
    _, first, whole = begins[place]
    parts = [f"{first - whole} with text", f"references on {_span(first, ends[0])}"]
    if len(begins) > place + 1:
        parts.append(f"appendix on {_span(begins[place + 1][1], count)}")
    return f"{words}: {', '.join(parts)}"


def _span(first: int, last: int) -> str:
    return f"{first} to {last}" if last > first else str(first)


def _begin(document: pypdfium2.PdfDocument, bookmark: pypdfium2.PdfBookmark) -> tuple[int, bool]:
    """The page on which a part begins, from 1, and whether nothing stands above it there."""
    target = bookmark.get_dest()
    number = target.get_index()
    _, view = target.get_view()
    return number + 1, len(view) > 1 and view[1] > 0.9 * document[number].get_height()
