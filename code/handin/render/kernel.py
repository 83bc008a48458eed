"""Runs chunks and inline expressions, in order, in a fresh kernel of this environment; or remembers them."""

from __future__ import annotations

import os
import queue
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
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
LONGEST_START = 120  # s, on a machine with much else to do
FRAME_IN_CHUNK = re.compile(r"Cell In\[\d+\], line (?P<line>\d+)")
FRAME_IN_FILE = re.compile(r"^File (?P<file>.+?\.py):(?P<line>\d+), in (?P<function>\S+?)\(", re.MULTILINE)
STARVED = "it may have run out of memory: close other programs, or run the code by itself"

# What Quarto tells the kernel before the first chunk, as far as it bears on figures; its `fig_` are compared.
SETUP = """\
fig_width = {:g}
fig_height = {:g}
fig_format = 'svg'
fig_dpi = 96
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats
plt.rcParams["figure.figsize"] = (fig_width, fig_height)
plt.rcParams["figure.dpi"] = fig_dpi
plt.rcParams["savefig.dpi"] = "figure"
set_matplotlib_formats(fig_format)
del plt, set_matplotlib_formats, fig_width, fig_height, fig_format, fig_dpi
"""


def requests(blocks: Sequence[Prose | Chunk], figure_size: tuple[float, float]) -> list[Request]:
    """What the kernel is asked for a document, in order: the set-up first.

    Args:
        figure_size: Default width and height of a figure, in inches.
    """
    found = [Request(SETUP.format(*figure_size), store_history=False)]
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
    for request in asked:
        entry = memory.find(request)
        if entry is None:
            return None
        memory.follow(request, entry)
        messages = ({"header": {"msg_type": kind}, "content": content} for kind, content in entry.messages)
        outputs = [output_from_msg(message) for message in messages]
        results.append(CellResult(outputs, entry.reply["user_expressions"]))
    return results[1:]


def execute(
    blocks: Sequence[Prose | Chunk],
    asked: Sequence[Request],
    folder: Path,
    environment: dict[str, str],
    progress: Progress,
) -> list[CellResult]:
    """Run a document's chunks and inline expressions.

    Args:
        asked: Its `requests`.
        folder: Where chunks run.

    Returns:
        What the kernel gave for each block that asks something.

    Raises:
        HandinError: A chunk or an inline expression raised an error, or the kernel died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the kernel is gone by then.
    """
    asking = list(filter(asks, blocks))
    total = sum(isinstance(block, Chunk) for block in asking)
    number = count(1)
    results = []
    with _kernel(folder, environment) as kernel, progress.steps(total):
        kernel.set_up(asked[0])
        for block, request in zip(asking, asked[1:], strict=True):
            if isinstance(block, Prose):
                results.append(kernel.evaluate(block, request))
                continue
            with progress.step(f"  {next(number)}/{total} {block.name}"):
                results.append(kernel.run(block, request))
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


class _Kernel:
    def __init__(self, manager: KernelManager, client: BlockingKernelClient, folder: Path) -> None:
        self._manager = manager
        self._client = client
        self._folder = folder
        self._displays: dict[str, list[NotebookNode]] = {}  # outputs that a chunk may change later

    def set_up(self, request: Request) -> None:
        """Wait for the kernel, and make it ready for the first chunk."""
        try:
            self._client.wait_for_ready(timeout=LONGEST_START)
        except RuntimeError as error:
            raise HandinError(f"the kernel cannot start: {error}", remedy=STARVED) from None
        reply, _ = self._ask(request, "started")
        if reply["status"] != "ok":
            raise HandinError(f"the kernel cannot start: {reply['evalue']}", remedy=STARVED)

    def run(self, chunk: Chunk, request: Request) -> CellResult:
        """Execute a chunk."""
        reply, outputs = self._ask(request, f"ran chunk `{chunk.name}`", chunk.place)
        # An error among the outputs alone: a figure that cannot be drawn, after which IPython goes on.
        errors: list[Mapping[str, Any]] = [one for one in outputs if one.output_type == "error"]
        errors += [reply] if reply["status"] != "ok" else []
        if errors and not chunk.options.get("error"):
            raise _failure(chunk, errors[0], self._folder)
        return CellResult(outputs)

    def evaluate(self, prose: Prose, request: Request) -> CellResult:
        """Evaluate the inline expressions of a piece of prose."""
        first = prose.lines[0].place
        reply, outputs = self._ask(request, "evaluated inline expressions", first)
        values = reply["user_expressions"]
        for name, code in request.user_expressions.items():
            if values[name]["status"] == "error":
                place = next((line.place for line in prose.lines if code in expressions(line.text)), first)
                error = f"{values[name]['ename']}: {values[name]['evalue']}"
                problem = f"the inline expression `{code}` failed: {error}"
                raise HandinError(problem, place=place, remedy="mend it, or what it names")
        return CellResult(outputs, values)

    def _ask(
        self, request: Request, what: str, place: Place | None = None
    ) -> tuple[dict[str, Any], list[NotebookNode]]:
        """The content of the kernel's reply, and what was displayed until then."""
        dead = HandinError(f"the kernel died while it {what}", place=place, remedy=STARVED)
        message_id = self._client.execute(**asdict(request), allow_stdin=False)
        outputs: list[NotebookNode] = []
        cleared = False  # by what comes next, if anything does
        for message in self._messages(self._client.get_iopub_msg, message_id, dead):
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "clear_output":
                cleared = content["wait"]
                outputs = outputs if cleared else []
            elif kind == "update_display_data":
                for output in self._displays.get(content["transient"]["display_id"], []):
                    output.data, output.metadata = content["data"], content["metadata"]
            elif kind in ("stream", "display_data", "execute_result", "error"):
                outputs, cleared = [*([] if cleared else outputs), output_from_msg(message)], False
                if name := (content.get("transient") or {}).get("display_id"):
                    self._displays.setdefault(name, []).append(outputs[-1])
        answers = self._messages(self._client.get_shell_msg, message_id, dead)
        reply: dict[str, Any] = next(answers)["content"]
        return reply, outputs

    def _messages(
        self, get: Callable[..., dict[str, Any]], message_id: str, dead: HandinError
    ) -> Iterator[dict[str, Any]]:
        """The messages that answer a request, as they come; `dead` is raised where none can come."""
        while True:
            try:
                message = get(timeout=PATIENCE)
            except queue.Empty:
                if not self._manager.is_alive():
                    raise dead from None
                continue
            if message["parent_header"].get("msg_id") == message_id:
                yield message


def _failure(chunk: Chunk, error: Mapping[str, Any], folder: Path) -> HandinError:
    """The error of a chunk: its line in the document, and the lines in the project's code."""
    trace = "\n".join(error["traceback"])
    problem, frames = f"chunk `{chunk.name}` failed: {error['ename']}: {error['evalue']}", list[str]()
    for match in FRAME_IN_FILE.finditer(trace):
        file = os.path.expanduser(match["file"])
        if "site-packages" not in file:
            frames.append(f"\n  {file.removeprefix(f'{folder}/')}:{match['line']}: in {match['function']}")
    frame = FRAME_IN_CHUNK.search(trace)
    line = chunk.code_line + int(frame["line"]) - 1 if frame else chunk.place.line
    remedy = "mend this line" + (", or what it calls:" if frames else "") + "".join(frames)
    return HandinError(problem, place=Place(chunk.place.file, line), remedy=remedy)
