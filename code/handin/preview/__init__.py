"""The documents in a browser, built anew at every save: sources → worker → PDF → pages → browser.

A worker builds in a process of its own, which a newer save ends; `server` shows the pages that came of it.
Documents of the preview stand in `_build/preview`, never among those of `handin render`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import webbrowser
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import click
import pypdfium2
from watchfiles import awatch

from handin.preview.server import Board, serve
from handin.project import Project
from handin.sources import project_files

PREVIEWED = "_build/preview"
State = dict[str, tuple[int, int]]
LONGEST_LINE = 2**24  # bytes that a worker says at once


async def preview(project: Project, first: str, draft: bool, port: int, browser: bool) -> None:
    """Show the documents and build them at every save, until Ctrl-C, which leaves no process.

    Args:
        first: The document to look at first, `report.qmd` say.
        draft: Mark false claims in the text, else stop there.
        port: To serve at; where it is taken, any.
        browser: Open one.
    """
    before = state(project)
    board = Board(project.root.name, [Path(name).stem for name in project.documents], Path(first).stem)
    for name in board.documents:  # what there is, before anything is built
        places = [folder / f"{name}.pdf" for folder in (project.root / PREVIEWED, project.output_dir)]
        if built := [path for path in places if path.exists()]:
            with suppress(pypdfium2.PdfiumError):  # a broken one is none
                board.show(max(built, key=lambda path: path.stat().st_mtime_ns))
    builds = Builds(board, [str(project.root), "draft" if draft else "strict"])
    with serve(board, port) as address:
        click.echo(f"{address}  shows the documents; Ctrl-C ends")
        try:
            await builds.start()
            if browser:
                webbrowser.open(address)
            async for changed in saves(project, before):
                what = ", ".join(changed) if len(changed) <= 3 else f"{len(changed)} sources"
                click.echo(f"{what} saved")
                await builds.start()
        finally:
            await builds.stop()


async def saves(project: Project, before: State) -> AsyncIterator[list[str]]:
    """The names of the sources that changed since the last time, save by save; never ends.

    Folders are watched one by one: what is no source, `.venv` say, is not. What was saved while no watch was
    set is noticed within seconds.
    """
    root = project.root
    while True:
        folders = {(root / name).parent for name in before} | {root}
        async with aclosing(
            awatch(*folders, recursive=False, watch_filter=None, debounce=500, yield_on_timeout=True)
        ) as events:
            async for _ in events:
                now = state(project)
                changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
                before = now
                if changed:
                    yield changed
                if {(root / name).parent for name in now} | {root} != folders:
                    break


def state(project: Project) -> State:
    """Name → time of last change (ns) and size (bytes) of every source."""
    found = {}
    for name in project_files(project.root, project.settings.project.output_dir):
        with suppress(FileNotFoundError):  # an editor is just replacing it
            stat = (project.root / name).stat()
            found[name] = (stat.st_mtime_ns, stat.st_size)
    return found


class Builds:
    """Builds of one project, of which the newest counts."""

    def __init__(self, board: Board, arguments: list[str]) -> None:
        self._board = board
        self._command = [sys.executable, "-m", "handin.preview.worker", *arguments]
        self._waiting: Process | None = None  # has imported everything, or is about to
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Build; a build that still runs is overtaken."""
        await self._end_running()
        worker, self._waiting = self._waiting or await self._worker(), None
        self._running = asyncio.create_task(self._follow(worker))

    async def stop(self) -> None:
        """End the build that runs, and the worker that waits."""
        await self._end_running()
        if self._waiting:
            await _end(self._waiting)

    async def _end_running(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _follow(self, worker: Process) -> None:
        began = time.perf_counter()
        self._board.say("building")
        assert worker.stdin is not None
        assert worker.stdout is not None
        error = "the build has died; what it printed stands in the terminal"
        try:
            worker.stdin.write(f"{self._board.looked_at}\n".encode())
            async for line in worker.stdout:
                match json.loads(line):
                    case {"step": step}:
                        self._board.say(step)
                    case {"document": path}:
                        self._board.show(Path(path))
                    case {"error": error}:
                        pass
        finally:
            await _end(worker)
        took = f"{time.perf_counter() - began:.1f} s"
        self._board.say(f"failed after {took}" if error else f"built in {took}", error)
        click.echo(f"{time.strftime('%X')}  {error or f'built in {took}'}")
        self._waiting = await self._worker()  # for the next save

    async def _worker(self) -> Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, limit=LONGEST_LINE, start_new_session=True
        )  # in a session of its own: Ctrl-C is ours to pass on


async def _end(worker: Process) -> None:
    with suppress(ProcessLookupError):
        worker.terminate()
    await worker.wait()
