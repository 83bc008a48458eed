"""Runs chunks and inline expressions, in order, in a fresh kernel of this environment; or remembers them."""

from __future__ import annotations

import queue
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

import handin
from handin.environment import SWITCH
from handin.errors import HandinError, Place
from handin.memory import Memory, Request
from handin.qmd.chunks import Chunk, Prose, expressions
from handin.render.notebook import CellResult, asks
from handin.render.progress import Progress

KERNEL_SETTINGS = Path(handin.__file__).parent / "ipython"  # what `_environment` names for Quarto
PATIENCE = 0.5  # s between two looks whether the kernel is alive
ANSI = re.compile(r"\x1b\[[0-9;]*m")
FRAME_IN_CHUNK = re.compile(r"Cell In\[\d+\], line (?P<line>\d+)")
FRAME_IN_FILE = re.compile(r"^File (?P<file>.+?\.py):(?P<line>\d+), in (?P<function>\S+?)\(", re.MULTILINE)
STARVED = "it may have run out of memory: close other programs, or raise the limit (`ulimit -v`)"

# What Quarto tells the kernel before the first chunk, as far as it bears on figures.
SETUP = """\
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
plt.rcParams["figure.figsize"] = ({}, {})
plt.rcParams["figure.dpi"] = 96
plt.rcParams["savefig.dpi"] = "figure"
set_matplotlib_formats("svg")
del plt, set_matplotlib_formats
"""


class ChunkError(HandinError):
    """Python code of a document failed; the message names chunk, line and error."""


def requests(blocks: Sequence[Prose | Chunk], figure_size: tuple[float, float]) -> list[Request]:
    """What the kernel is asked for a document, in order: the set-up first.

    Args:
        blocks: Its prose and chunks.
        figure_size: Default width and height of a figure, in inches.
    """
    found = [Request(SETUP.format(*figure_size), silent=True)]
    for block in filter(asks, blocks):
        if isinstance(block, Chunk):
            found.append(Request(block.code))
        else:
            asked = {str(number): code for number, code in enumerate(expressions(block.text))}
            found.append(Request("", user_expressions=asked))
    return found


def remember(
    asked: Sequence[Request], folder: Path, environment: Mapping[str, str]
) -> list[CellResult] | None:
    """The results of all requests but the set-up, as `execute` would give them; None if it takes a kernel."""
    if environment.get(SWITCH) != "1":
        return None
    memory = Memory(folder, environment)
    results = []
    number = 0
    for request in asked:
        entry = memory.find(request)
        if entry is None:
            return None
        memory.follow(request, entry)
        number += bool(request.code and not request.silent)
        messages = ({"header": {"msg_type": kind}, "content": content} for kind, content in entry.messages)
        outputs = [output_from_msg(message) for message in messages]
        results.append(CellResult(outputs, number, entry.reply["user_expressions"]))
    return results[1:]


def execute(
    blocks: Sequence[Prose | Chunk],
    asked: Sequence[Request],
    *,
    folder: Path,
    environment: dict[str, str],
    progress: Progress,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[CellResult]:
    """Run a document's chunks and inline expressions.

    Args:
        blocks: The prose and chunks of the document.
        asked: Its `requests`.
        folder: Where chunks run.
        environment: The kernel's environment variables.
        progress: Told of every chunk.
        meanwhile: Called while the kernel starts; an error of its own ends the run before the first chunk.

    Returns:
        What the kernel gave for each block that asks something.

    Raises:
        ChunkError: A chunk or an inline expression raised an error, or the kernel died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the kernel is gone by then.
    """
    asking = list(filter(asks, blocks))
    total = sum(isinstance(block, Chunk) for block in asking)
    results: list[CellResult] = []
    number = 0
    with _kernel(folder, environment) as kernel, progress.steps(total):
        meanwhile()
        kernel.set_up(asked[0])
        for block, request in zip(asking, asked[1:], strict=True):
            if isinstance(block, Prose):
                results.append(kernel.run(block, request, number))
                continue
            number += 1
            with progress.step(f"  {number:>{len(str(total))}}/{total} {block.name}"):
                results.append(kernel.run(block, request, number))
    return results


@contextmanager
def _kernel(folder: Path, environment: dict[str, str]) -> Iterator[_Kernel]:
    """A kernel that is starting, and gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="handin-ipython-") as profile:
        shutil.copytree(KERNEL_SETTINGS, profile, dirs_exist_ok=True)
        environment = {
            SWITCH: "0",  # unless the project says otherwise
            **environment,
            "IPYTHONDIR": profile,  # nobody's start-up files change the documents, nor is theirs changed
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the kernel's debugger must not warn in a chunk's output
        }
        # Sockets in a folder of ours: over TCP others could listen, and the kernel says so.
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{profile}/kernel")
        try:
            manager.start_kernel(env=environment, cwd=str(folder))
            client = manager.blocking_client()
            client.start_channels()
            try:
                yield _Kernel(manager, client, folder)
            finally:
                client.stop_channels()
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)  # the memory is written with each reply


class _DeadError(Exception):
    """The kernel is no more."""


class _Kernel:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient, folder: Path) -> None:
        self._manager = manager
        self._client = client
        self._folder = folder
        self._displays: dict[str, list[NotebookNode]] = {}  # outputs that a chunk may change later

    def set_up(self, request: Request) -> None:
        """Wait for the kernel, and make it ready for the first chunk."""
        try:
            self._client.wait_for_ready()
            reply, _ = self._ask(request)
        except (RuntimeError, _DeadError) as error:
            raise ChunkError(f"the kernel cannot start: {error}", remedy=STARVED) from None
        if reply["status"] != "ok":
            last = str(reply.get("evalue")).strip().rpartition("\n")[2]
            raise ChunkError(f"the kernel cannot start: {reply.get('ename')}: {last}", remedy=STARVED)

    def run(self, block: Prose | Chunk, request: Request, number: int) -> CellResult:
        """Execute a chunk, or evaluate the inline expressions of a piece of prose."""
        place = block.place if isinstance(block, Chunk) else block.lines[0].place
        what = f"chunk `{block.name}`" if isinstance(block, Chunk) else "inline expressions"
        try:
            reply, outputs = self._ask(request)
        except _DeadError:
            remedy = f"{STARVED}, or run the code by itself"
            raise ChunkError(f"the kernel died while it ran {what}", place=place, remedy=remedy) from None
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{place}: interrupted in {what}") from None
        values = reply.get("user_expressions") or {}
        for name, code in request.user_expressions.items():
            if isinstance(block, Prose) and values[name]["status"] == "error":
                problem = f"the inline expression `{code}` failed: "
                problem += f"{values[name]['ename']}: {values[name]['evalue']}"
                raise ChunkError(problem, place=_place_of(block, code))
        # An error among the outputs alone: a figure that cannot be drawn, after which IPython goes on.
        errors: list[Mapping[str, Any]] = [one for one in outputs if one.output_type == "error"]
        errors += [reply] if reply["status"] != "ok" else []
        if isinstance(block, Chunk) and errors and not block.options.get("error"):
            raise _failure(block, errors[0], self._folder)
        return CellResult(outputs, number, values)

    def _ask(self, request: Request) -> tuple[dict[str, Any], list[NotebookNode]]:
        """The content of the kernel's reply, and what was displayed until then."""
        message_id = self._client.execute(**asdict(request), allow_stdin=False)
        outputs: list[NotebookNode] = []
        clears = False
        for message in self._messages(self._client.get_iopub_msg, message_id):
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "clear_output":
                clears = True
            elif kind == "update_display_data":
                for output in self._displays.get(content["transient"]["display_id"], []):
                    output.data, output.metadata = content["data"], content["metadata"]
            elif kind in ("stream", "display_data", "execute_result", "error"):
                outputs = [*([] if clears else outputs), output_from_msg(message)]
                clears = False
                if name := (content.get("transient") or {}).get("display_id"):
                    self._displays.setdefault(name, []).append(outputs[-1])
        reply: dict[str, Any] = next(self._messages(self._client.get_shell_msg, message_id))["content"]
        return reply, outputs

    def _messages(self, get: Callable[..., dict[str, Any]], message_id: str) -> Iterator[dict[str, Any]]:
        """The messages that answer a request, as they come."""
        while True:
            try:
                message = get(timeout=PATIENCE)
            except queue.Empty:
                if not self._manager.is_alive():
                    raise _DeadError from None
                continue
            if message["parent_header"].get("msg_id") == message_id:
                yield message


def _place_of(prose: Prose, code: str) -> Place:
    return next((line.place for line in prose.lines if code in line.text), prose.lines[0].place)


def _failure(chunk: Chunk, error: Mapping[str, Any], folder: Path) -> ChunkError:
    """The error of a chunk: its line in the document, and the lines in the project's code."""
    trace = ANSI.sub("", "\n".join(error["traceback"]))
    frame = FRAME_IN_CHUNK.search(trace)
    message = [f"chunk `{chunk.name}` failed: {error['ename']}: {ANSI.sub('', error['evalue'])}"]
    line = chunk.code_line
    if frame:
        line += int(frame["line"]) - 1
        written = chunk.code.split("\n")[line - chunk.code_line].strip()
        message.append(f"  {chunk.place.file}:{line}: {written}")
    for match in FRAME_IN_FILE.finditer(trace):
        file = Path(match["file"])
        if "site-packages" not in match["file"]:
            name = file.relative_to(folder) if file.is_relative_to(folder) else file
            message.append(f"  {name}:{match['line']}: in {match['function']}")
    return ChunkError("\n".join(message), place=Place(chunk.place.file, line) if frame else chunk.place)
