"""Runs a notebook's chunks and inline expressions, in order, in a fresh kernel of this environment."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from handin import memory
from handin.errors import HandinError, Place
from handin.memory.entries import Entry
from handin.memory.recall import SWITCH, Recall, Request
from handin.qmd.chunks import Chunk, Prose, expressions
from handin.render.progress import VARIABLE, Progress

MEMORY_SETTINGS = Path(memory.__file__).parent / "ipython"  # what `_environment` names for Quarto
ANSI = re.compile(r"\x1b\[[0-9;]*m")
FRAME_IN_CHUNK = re.compile(r"Cell In\[\d+\], line (?P<line>\d+)")
FRAME_IN_FILE = re.compile(r"^File (?P<file>.+?\.py):(?P<line>\d+), in (?P<function>\S+?)\(", re.MULTILINE)

# What Quarto tells the kernel before the first chunk, as far as it bears on figures.
SETUP = """\
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
plt.rcParams["figure.figsize"] = ({width}, {height})
plt.rcParams["figure.dpi"] = 96
plt.rcParams["savefig.dpi"] = "figure"
set_matplotlib_formats("svg")
del plt, set_matplotlib_formats
"""


STARVED = "it may have run out of memory: close other programs, or raise the limit (`ulimit -v`)"


class ChunkError(HandinError):
    """Python code of a document failed; the message names chunk, line and error."""


def execute(
    notebook: NotebookNode,
    blocks: Sequence[Prose | Chunk],
    *,
    folder: Path,
    environment: dict[str, str],
    figure_size: tuple[float, float],
    progress: Progress,
    progress_file: Path,
    limit: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run the notebook in place: outputs go to its code cells, inline values to `user_expressions`.

    Args:
        notebook: Made of `blocks` by `to_notebook`.
        blocks: The prose and chunks, cell by cell.
        folder: Where chunks run.
        environment: The kernel's environment variables.
        figure_size: Default width and height of a figure, in inches.
        progress: Told of every chunk.
        progress_file: Handed to the kernel, see `handin.render.progress`.
        limit: Seconds that a chunk may take; None for any number.
        check: Called in a thread meanwhile; an error of its own ends the run and takes the place of others.

    Raises:
        ChunkError: A chunk or an inline expression raised an error, or the kernel died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the kernel is gone by then.
    """
    setup = SETUP.format(width=figure_size[0], height=figure_size[1])
    with tempfile.TemporaryDirectory(prefix="handin-ipython-") as profile:
        environment = {
            **environment,
            VARIABLE: str(progress_file),
            SWITCH: environment.get(SWITCH, "0"),  # set in any case: this kernel is no interactive one
            "IPYTHONDIR": profile,  # nobody's start-up files change the documents, nor is theirs changed
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the kernel's debugger must not warn in a chunk's output
        }
        shutil.copytree(MEMORY_SETTINGS, profile, dirs_exist_ok=True)
        with (Path(profile) / "log").open("w+b") as log:
            run = _Run(notebook, blocks, folder, environment, setup, progress, log, limit)
            asyncio.run(run.run_with(check))
            log.seek(0)
            for line in log.read().decode(errors="replace").splitlines():
                if line.startswith("memory: "):
                    progress.say(line)


def recall_all(
    notebook: NotebookNode,
    blocks: Sequence[Prose | Chunk],
    *,
    folder: Path,
    environment: dict[str, str],
    figure_size: tuple[float, float],
    report: Callable[[str], None],
) -> bool:
    """Fill the notebook from memory, as `execute` would; False, and nothing filled, if it takes a kernel."""
    if environment.get(SWITCH) != "1":
        return False
    setup = SETUP.format(width=figure_size[0], height=figure_size[1])
    recall = Recall(folder, folder, environment, lambda line: report(f"memory: {line}"))
    found: list[Entry] = []
    for request in (Request(setup, silent=True), *_requests(blocks)):
        entry = recall.find(request)
        if entry is None or any(kind == "clear_output" for kind, _ in entry.messages):
            return False  # only a front end makes sense of that message
        recall.follow(request, entry)
        found.append(entry)
    entries = iter(found[1:])
    number = 0
    for cell, block in zip(notebook.cells, blocks, strict=True):
        if isinstance(block, Chunk):
            if block.runs:
                number += 1
                cell.execution_count = number
                cell.outputs = [
                    output_from_msg({"header": {"msg_type": kind}, "content": content})
                    for kind, content in next(entries).messages
                ]
        elif asked := expressions(block.text):
            values = next(entries).reply["user_expressions"]
            cell.metadata["user_expressions"] = _values(asked, values)
    return True


def _requests(blocks: Sequence[Prose | Chunk]) -> Iterator[Request]:
    """What the kernel is asked, in order, after the set-up."""
    for block in blocks:
        if isinstance(block, Chunk):
            if block.runs:
                yield Request(block.code)
        elif asked := expressions(block.text):
            yield Request("", user_expressions=_numbered(asked))


def _numbered(asked: Sequence[str]) -> dict[str, str]:
    return {str(number): code for number, code in enumerate(asked)}


def _values(asked: Sequence[str], values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"expression": code, "result": values[number]} for number, code in _numbered(asked).items()]


class _Run:
    def __init__(
        self,
        notebook: NotebookNode,
        blocks: Sequence[Prose | Chunk],
        folder: Path,
        environment: dict[str, str],
        setup: str,
        progress: Progress,
        log: BinaryIO,
        limit: int | None,
    ) -> None:
        self._notebook = notebook
        self._blocks = blocks
        self._folder = folder
        self._environment = environment
        self._setup = setup
        self._progress = progress
        self._log = log  # what the kernel itself says; a chunk's words do not pass here
        self._limit = limit
        self._running: Chunk | None = None
        self._client = NotebookClient(
            notebook,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,  # the same run leaves the same notebook
            coalesce_streams=False,  # `tidy` does, in one go
            shutdown_kernel="immediate",  # nothing is left to do; the memory is written with each reply
            timeout=None,
        )
        self._interrupted = False
        self._started = False
        self._checked: asyncio.Task[None]

    async def run_with(self, check: Callable[[], None]) -> None:
        """Run while `check` is made on another core; what that finds comes first."""
        task = asyncio.current_task()
        assert task is not None

        def stop(checked: asyncio.Task[None]) -> None:
            failed = not checked.cancelled() and checked.exception()  # of Ctrl-C, too, which Pandoc hears
            if failed and self._started and not self._interrupted:
                task.cancel()

        self._checked = asyncio.create_task(asyncio.to_thread(check))
        self._checked.add_done_callback(stop)
        try:
            await self.run()
        except (asyncio.CancelledError, ChunkError):
            self._checked.remove_done_callback(stop)
            await self._checked
            raise
        self._checked.remove_done_callback(stop)
        await self._checked

    async def run(self) -> None:
        task = asyncio.current_task()
        assert task is not None

        def interrupt() -> None:
            if not self._interrupted:
                self._interrupted = True
                task.cancel()

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            asyncio.get_running_loop().add_signal_handler(number, interrupt)
        try:
            async with self._kernel():
                self._started = True
                if self._checked.done():
                    await self._checked
                await self._run_blocks()
        except (asyncio.CancelledError, DeadKernelError) as error:
            if isinstance(error, DeadKernelError) and not self._interrupted:
                raise ChunkError(f"the kernel died{self._said()}", remedy=STARVED) from None
            if not self._interrupted:
                raise
            where = self._running
            told = f"{where.place}: interrupted in chunk `{where.name}`" if where else ""
            raise KeyboardInterrupt(told) from None
        except RuntimeError as error:
            if self._started:
                raise
            raise ChunkError(
                f"the kernel cannot start: {error}{self._said(lines=1)}", remedy=STARVED
            ) from None
        finally:
            for number, handler in before.items():
                asyncio.get_running_loop().remove_signal_handler(number)
                signal.signal(number, handler)

    @asynccontextmanager
    async def _kernel(self) -> AsyncIterator[None]:
        """A kernel, which is gone afterwards, whatever happens.

        nbclient's own `async_setup_kernel` takes the signals, kills the kernel and leaves us waiting for it.
        """
        manager = self._client.create_kernel_manager()
        # Sockets in a folder of ours: over TCP others could listen, and the kernel says so.
        manager.transport, manager.ip = "ipc", str(Path(self._environment["IPYTHONDIR"]) / "kernel")
        starting = asyncio.ensure_future(
            self._client.async_start_new_kernel(env=self._environment, stderr=self._log)
        )
        try:
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                await starting  # a kernel that is just starting would be left behind
                raise
            await self._client.async_start_new_kernel_client()
            yield
        finally:
            if self._client.km is not None:
                await self._client._async_cleanup_kernel()

    def _said(self, lines: int = 30) -> str:
        """The last words of the kernel itself, on lines of their own."""
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()[-lines:]
        return "\n".join(["", *said, ""]) if said else ""

    async def _run_blocks(self) -> None:
        await self._ask(self._setup)
        total = sum(isinstance(block, Chunk) and block.runs for block in self._blocks)
        done = 0
        for index, block in enumerate(self._blocks):
            if isinstance(block, Prose):
                await self._evaluate(index, block)
            elif block.runs:
                done += 1
                with self._progress.step(f"  {done:>{len(str(total))}}/{total} {block.name}"):
                    await self._run_chunk(index, block, done)

    async def _run_chunk(self, index: int, chunk: Chunk, number: int) -> None:
        cell = self._notebook.cells[index]
        cell.source = chunk.code  # a magic command must come first
        self._running = chunk
        try:
            async with asyncio.timeout(self._limit) as clock:
                await self._client.async_execute_cell(cell, index, execution_count=number)
            self._running = None
            broken = next((output for output in cell.outputs if output.output_type == "error"), None)
            if broken and not chunk.options.get("error"):  # a figure that cannot be drawn: IPython goes on
                problem = f"chunk `{chunk.name}` failed: {broken.ename}: {ANSI.sub('', broken.evalue)}"
                raise ChunkError(problem, place=chunk.place)
        except CellExecutionError as error:
            raise _failure(chunk, cell, error, self._folder) from None
        except (DeadKernelError, TimeoutError) as error:
            if self._interrupted:
                raise
            if isinstance(error, TimeoutError) or clock.expired():
                raise ChunkError(
                    f"chunk `{chunk.name}` ran for more than {self._limit} s",
                    place=chunk.place,
                    remedy="look for a loop that never ends, or raise `chunk-seconds` in _quarto.yml",
                ) from None
            raise ChunkError(
                f"the kernel died while it ran chunk `{chunk.name}`{self._said()}",
                place=chunk.place,
                remedy=f"{STARVED}, or run the chunk's code by itself",
            ) from None
        finally:
            cell.source = chunk.source

    async def _evaluate(self, index: int, prose: Prose) -> None:
        found = expressions(prose.text)
        if not found:
            return
        reply = await self._ask("", _numbered(found))
        values = _values(found, reply["user_expressions"])
        for number, code in enumerate(found):
            value = values[number]["result"]
            if value["status"] == "error":
                raise ChunkError(
                    f"the inline expression `{code}` failed: {value['ename']}: {value['evalue']}",
                    place=_place_of(prose, code),
                )
        self._notebook.cells[index].metadata["user_expressions"] = values

    async def _ask(self, code: str, user_expressions: dict[str, str] | None = None) -> dict[str, Any]:
        """Run code outside the notebook and return the content of the kernel's reply."""
        client = self._client.kc
        assert client is not None
        message = client.execute(code, silent=not user_expressions, user_expressions=user_expressions or {})
        reply = await self._client.async_wait_for_reply(message)
        assert reply is not None
        content: dict[str, Any] = reply["content"]
        if content["status"] != "ok":
            last = str(content.get("evalue")).strip().rpartition("\n")[2]
            raise ChunkError(
                f"the kernel cannot start: {content.get('ename')}: {last}",
                remedy=f"look at the packages: `.venv/bin/python -m pip check`; {STARVED}",
            )
        return content


def _place_of(prose: Prose, code: str) -> Place:
    return next((line.place for line in prose.lines if code in line.text), prose.lines[0].place)


def _failure(chunk: Chunk, cell: NotebookNode, error: CellExecutionError, folder: Path) -> ChunkError:
    """The error of a chunk: its line in the document, and the innermost line in the project's code."""
    output = next((output for output in cell.outputs if output.output_type == "error"), None)
    trace = ANSI.sub("", "\n".join(output.traceback)) if output else str(error)
    frame = FRAME_IN_CHUNK.search(trace)
    line = chunk.code_line + int(frame["line"]) - 1 if frame else chunk.code_line
    written = chunk.code.split("\n")[line - chunk.code_line].strip() if frame else ""
    message = [f"chunk `{chunk.name}` failed: {error.ename}: {ANSI.sub('', error.evalue)}"]
    if written:
        message.append(f"  {chunk.place.file}:{line}: {written}")
    own = [match for match in FRAME_IN_FILE.finditer(trace) if "site-packages" not in match["file"]]
    for match in own:
        file = Path(match["file"])
        name = file.relative_to(folder) if file.is_relative_to(folder) else file
        message.append(f"  {name}:{match['line']}: in {match['function']}")
    return ChunkError("\n".join(message), place=Place(chunk.place.file, line))
