"""`handin preview`: serves the pages, builds at every save, until Ctrl-C."""

from __future__ import annotations

import tempfile
import time
import webbrowser
from contextlib import suppress
from pathlib import Path

import click

from handin.commands import RENDERERS, current_project
from handin.commands.render import document_name
from handin.errors import HandinError
from handin.files.fingerprint import TOOL
from handin.preview.builds import Builds
from handin.preview.server import Board, Message, serve
from handin.preview.watching import saves
from handin.preview.worker import Job
from handin.project import Project, load_project
from handin.render.quarto import quarto_version


@click.command()
@click.argument("document", required=False)
@click.option("--renderer", type=RENDERERS, default="builtin", show_default=True)
@click.option("--draft/--strict", default=True, help="Mark false claims or stop there. [default: mark]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 4321; any other where it is taken]")
@click.option("--no-browser", is_flag=True, help="Open no browser; the address is printed in any case.")
@click.pass_context
def command(
    ctx: click.Context, document: str | None, renderer: str, draft: bool, port: int | None, no_browser: bool
) -> None:
    """Show the documents in the browser, DOCUMENT first, and build them anew at every save."""
    project = current_project(ctx)
    preview_documents(
        project, document, renderer=renderer, draft=draft, port=port or 0, browser=not no_browser
    )


def preview_documents(
    project: Project, name: str | None, *, renderer: str, draft: bool, port: int, browser: bool
) -> None:
    """Build all documents at every save, and show their pages.

    Args:
        project: The project.
        name: The document to look at first; None for the first.
        renderer: "builtin" or "quarto".
        draft: Mark false claims in the text instead of stopping there.
        port: To serve at; 0 for any.
        browser: Open one.

    Raises:
        HandinError: There is no such document or no Quarto, or the port is taken.
        KeyboardInterrupt: Ctrl-C, the only end; every process is gone by then.
    """
    if renderer == "quarto" and quarto_version() is None:
        raise HandinError("there is no Quarto on the PATH", remedy="leave out --renderer quarto")
    first = Path(document_name(name, project) if name else project.documents[0]).stem
    board = Board([Path(document).stem for document in project.documents], first)

    def tell(message: Message) -> None:
        board.post(message)
        if "error" in message:
            click.secho(str(message["error"]), fg="red", err=True)
        elif "done" in message:
            click.echo(f"{time.strftime('%H:%M:%S')}  built in {message['seconds']:.1f} s")
            _tidy(pages, board)

    with tempfile.TemporaryDirectory(prefix="handin-preview-") as folder:
        pages = Path(folder)
        title = f"Preview: {project.root.name}"
        builds = Builds(project.root, tell)
        try:
            with serve(board, pages, title, port) as address:
                click.echo(f"{address}  shows the documents; Ctrl-C ends")
                builds.start(_job(project, board, renderer, draft, pages))
                if browser:
                    webbrowser.open(address)
                for changed in saves(project.root):
                    what = ", ".join(changed) if len(changed) <= 3 else f"{len(changed)} sources"
                    click.echo(f"{what} saved")
                    afresh = any(name.startswith(TOOL) for name in changed)
                    builds.start(_job(project, board, renderer, draft, pages), afresh=afresh)
        finally:
            builds.stop()


def _job(project: Project, board: Board, renderer: str, draft: bool, pages: Path) -> Job:
    """What to build now: the document that is looked at comes first."""
    with suppress(HandinError):  # half edited; the build says so
        project = load_project(project.root)
    documents = sorted(project.documents, key=lambda document: Path(document).stem != board.looked_at)
    return Job(str(project.root), documents, renderer, draft, str(pages))


def _tidy(pages: Path, board: Board) -> None:
    """Remove what belongs to pages that are no longer shown."""
    shown = {Path(name).stem for name in board.files}
    for path in pages.iterdir():
        if path.stem not in shown:
            path.unlink(missing_ok=True)
