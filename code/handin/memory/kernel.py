"""A Jupyter kernel that answers a cell from memory, as long as nothing that determined its outputs changed.

Requests are answered from memory from the first one on, until one is not found there: the beginning of a
document is remembered, never a cell behind one that is not. Nothing is executed meanwhile, nothing imported.
The first request that is not found brings the state up to date, by executing all that was answered from
memory, its outputs dropped; from then on the kernel executes, and keeps what it sees.

Once a cell cannot be remembered, none behind it is: they might use what it has made.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import sys
import termios
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import json_clean

from handin.memory.entries import Entry
from handin.memory.figures import Figures, any_uses_history, uses_history
from handin.memory.observe import Observer
from handin.memory.recall import Recall, Request, project_root

Execute = Callable[[], Awaitable[dict[str, Any]]]

KEPT = {"stream", "display_data", "execute_result", "clear_output"}  # messages that can be replayed
OUTPUTS = KEPT | {"update_display_data", "error", "comm_open", "comm_msg", "comm_close", "input_request"}
RESET = re.compile(r"^\s*%reset\b", re.MULTILINE)
# A variable: the file that takes which cell is executed first, and why one is not remembered.
TELLS = "HANDIN_MEMORY_TELLS"


class MemoryKernel(IPythonKernel):  # type: ignore[misc]
    """IPython's kernel, with a memory; without one where the project's folder cannot be found."""

    def __init__(self, **options: Any) -> None:
        with _without_debugger():
            super().__init__(**options)
        root = project_root()
        self._root: Any = root
        self._variables = dict(os.environ)  # before anything sets one
        self._lost = root is None  # has something been executed that cannot be remembered?
        self._live = False  # is the state that of the requests so far?
        self._answered: list[tuple[Request, Entry]] = []  # from memory
        self._requests = 0  # of this document
        self._messages: list[list[Any]] | None = None  # of the cell that is executed, if it may be kept
        self._drops = False  # while the state is brought up to date
        self._figures = Figures(self.shell)
        if root is None:
            return
        self._first_count = self.shell.execution_count
        try:
            self._recall = self._new_recall()
        except OSError as error:
            self._lost = True
            _tell(f"nothing is remembered, for {error.filename} cannot be read ({error.strerror})")
            return
        self._observer = Observer(root)
        self._observer.install()
        for stream in (sys.stdout, sys.stderr):
            _watch_writes(stream, self._observer.unusual)
        self._send = self.session.send
        self.session.send = self._sent

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, str] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: Any = None,
        cell_id: Any = None,
    ) -> dict[str, Any]:
        """Answer from memory, or execute."""
        request = Request(code, silent, store_history, dict(user_expressions or {}))
        execute = partial(self._ask_ipython, request, allow_stdin, cell_meta=cell_meta, cell_id=cell_id)
        self._requests += 1
        if not self._lost and not self._live:
            if entry := self._recall.find(request):
                return self._answer(request, entry)
            self._explain(request, f"is executed, after {len(self._answered)} answers from memory")
            if failure := await self._catch_up(request):
                return failure
        if self._figures.any and any(map(uses_history, request.asked)) and not RESET.search(code):
            return self._failure(
                "this cell uses values of earlier cells, whose figures were not made again", {}
            )
        return await (execute() if self._lost else self._execute(request, execute))

    async def _ask_ipython(self, request: Request, allow_stdin: bool, **about: Any) -> dict[str, Any]:
        arguments = request.code, request.silent, request.store_history, request.user_expressions
        reply: dict[str, Any] = await super().do_execute(*arguments, allow_stdin, **about)
        return reply

    def _answer(self, request: Request, entry: Entry) -> dict[str, Any]:
        for kind, content in entry.messages:
            self.send_response(self.iopub_socket, kind, content, ident=self._topic(kind))
        self.shell.execution_count = entry.count
        self._answered.append((request, entry))
        self._recall.follow(request, entry)
        if self._resets(request):  # nothing was executed: this kernel is as fresh as it was
            self._recall = self._new_recall()
            self._answered, self._requests = [], 0
            self.shell.execution_count = self._first_count
        return dict(entry.reply)

    def _new_recall(self) -> Recall:
        return Recall(self._root, Path.cwd(), self._variables, _tell)

    def _resets(self, request: Request) -> bool:
        """Does the request end a document? A kernel that goes on with another one keeps its modules."""
        return self._requests > 1 and bool(RESET.search(request.code))

    async def _catch_up(self, waiting: Request) -> dict[str, Any] | None:
        """Execute what was answered from memory; the reply to the waiting request if that fails."""
        self._live = True
        if self._answered:
            self.shell.execution_count = self._first_count
        requests = [*(request for request, _ in self._answered[1:]), waiting]  # the first is the renderer's
        asked = [code for request in requests for code in request.asked if not RESET.search(code)]
        renders = any_uses_history(self._root) or any(map(uses_history, asked))
        for request, entry in self._answered:
            warned = any(content.get("name") == "stderr" for _, content in entry.messages)
            figures = nullcontext() if renders or warned else self._figures.left_out()
            self._figures.some, self._drops = False, True
            try:
                with figures:
                    execute = partial(self._ask_ipython, request, False)
                    reply, found, reason = await self._observe(request, execute)
            finally:
                self._drops = False
            if reply["status"] != "ok":
                self._recall.forget(self._answered)
                text = f"a cell that was answered from memory fails now: {reply['ename']}: {reply['evalue']}"
                return self._failure(text, reply)
            known = [read for read in found if read in entry.dependencies]
            same = found == (known if self._figures.some else entry.dependencies)  # rendering reads fonts
            if reason or not same:
                self._lost = True  # files are changing under our hands: what follows is not for keeping
                self._explain(request, f"depends on other things than before: {reason or 'other states'}")
        self._answered = []
        return None

    async def _execute(self, request: Request, execute: Execute) -> dict[str, Any]:
        messages: list[list[Any]] = []
        self._messages = messages
        try:
            reply, found, reason = await self._observe(request, execute)
        finally:
            self._messages = None
        if self._recall.declared(request).forget:
            reason = "it says so"
        reason = reason or _why_not(reply, messages)
        if reason:
            self._lost = True
            self._explain(request, f"is not remembered: {reason}")
        else:
            entry = Entry(found, messages, json_clean(reply), self.shell.execution_count)
            self._recall.entries.put(self._recall.key(request), entry)
            self._recall.follow(request, entry)
            self._lost = self._resets(request)
        return reply

    async def _observe(
        self, request: Request, execute: Execute
    ) -> tuple[dict[str, Any], list[list[str]], str]:
        """Execute; the reply, the dependencies with their states, and why it cannot be remembered."""
        self._observer.begin()
        try:
            for path in self._recall.declared(request).depends:
                self._observer.read(path)
            tasks = asyncio.all_tasks()
            reply = await execute()
            sys.stdout.flush()
            sys.stderr.flush()
            if asyncio.all_tasks() - tasks:
                self._observer.unusual("it leaves a task running")
            if _waits_to_be_printed():
                self._observer.unusual("it prints past Python")
        finally:
            found, reason = self._observer.end()
        return reply, sorted([*what, now] for what, now in found.items()), reason

    def _explain(self, request: Request, what: str) -> None:
        if file := os.environ.get(TELLS):
            code = request.code.strip() or " ".join(request.user_expressions.values())
            with open(file, "a", encoding="utf-8") as told:
                told.write(f"{code[:60]!r} {what}\n")

    def _sent(self, stream: Any, message: Any, content: Any = None, *arguments: Any, **options: Any) -> Any:
        """Every message of the kernel passes here."""
        kind = message["msg_type"] if isinstance(message, dict) else message
        if kind in OUTPUTS:
            if self._drops:
                return message
            if self._messages is not None:
                said = message["content"] if isinstance(message, dict) else content
                self._messages.append([kind, json_clean(said)])
        return self._send(stream, message, content, *arguments, **options)

    def _failure(self, text: str, reply: dict[str, Any]) -> dict[str, Any]:
        """The document cannot go on as if all had been executed: the reply that says so."""
        error = {
            "ename": "ForgottenError",
            "evalue": f"{text}. Render again, if need be with HANDIN_MEMORY=0",
            "traceback": [*reply.get("traceback", []), text],
        }
        self.send_response(self.iopub_socket, "error", error, ident=self._topic("error"))
        self._lost = True
        count = self.shell.execution_count - 1
        return {"execution_count": count, "user_expressions": {}, "payload": [], **error, "status": "error"}


def _why_not(reply: dict[str, Any], messages: list[list[Any]]) -> str:
    """Why what a cell gave cannot be replayed, "" if it can."""
    values = (reply.get("user_expressions") or {}).values()
    if reply["status"] != "ok" or any(value.get("status") != "ok" for value in values):
        return "it fails"
    if reply.get("payload"):
        return "it asks something of the front end"
    for kind, content in messages:
        if kind not in KEPT or (content.get("transient") or {}).get("display_id"):
            return f"its {kind} may be changed later"
    return ""


def _watch_writes(stream: Any, tell: Callable[[str], None]) -> None:
    """What arrives by the thread that fetches what was written past Python may arrive too late."""
    write = stream.write

    def watched(text: str) -> Any:
        if threading.current_thread() is getattr(stream, "watch_fd_thread", None):
            tell("it prints past Python")
        return write(text)

    stream.write = watched


def _waits_to_be_printed() -> bool:
    """Has something been written past Python that ipykernel has not yet fetched?"""
    for descriptor in (1, 2):
        try:
            waiting = fcntl.ioctl(descriptor, termios.FIONREAD, b"0000")
        except OSError:
            continue  # no pipe: nothing is fetched
        if int.from_bytes(waiting, sys.byteorder):
            return True
    return False


@contextmanager
def _without_debugger() -> Iterator[None]:
    """ipykernel loads a debugger when it starts, for a front end that none of ours is."""
    modules: dict[str, Any] = sys.modules
    if "debugpy" in modules:
        yield
        return
    modules["debugpy"] = None
    try:
        yield
    finally:
        del modules["debugpy"]


def _tell(line: str) -> None:
    """A line for whoever started the kernel: what goes to its standard error ends in the documents."""
    copy = getattr(sys.stderr, "_original_stdstream_copy", None)
    os.write(2 if copy is None else copy, f"memory: {line}\n".encode())
