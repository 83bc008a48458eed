"""A Jupyter kernel that answers a cell from memory, as long as what determined its outputs has not changed.

Requests are answered from memory from the first one on, until one is not found there: a prefix of a document
is remembered, never a cell behind one that is not. Nothing is executed meanwhile and nothing imported. The
first request that is not found brings the state up to date, by executing all that was answered from memory,
its outputs dropped; from then on the kernel executes, and keeps what it sees.

A cell's key is a chain: the key of the cell before, with the states in which its dependencies were
found, and the request itself. So a key stands for everything executed before the cell and everything read by
then; what remains to be compared is what the cell itself reads.

Once a cell cannot be remembered, none behind it is: they might use what it has made.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import json_clean

from handin.memory.declared import NOTHING, declarations
from handin.memory.entries import FOLDER, Entries, Entry, digest
from handin.memory.observe import INSTALLED, UNWATCHED, Observer, packages, state

FORMAT = 1
ALWAYS = ("SEED", "PLAN", "DRAFT", "FNN_STORE")  # variables in every key, beside those of `_environment`
KEPT = {"stream", "display_data", "execute_result", "clear_output"}  # messages that can be replayed
OUTPUTS = KEPT | {"update_display_data", "error", "comm_open", "comm_msg", "comm_close", "input_request"}
Execute = Callable[[], Awaitable[dict[str, Any]]]
RESET = re.compile(r"^\s*%reset\b", re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """What a front end asks the kernel to execute."""

    code: str
    silent: bool
    store_history: bool
    user_expressions: dict[str, str]


class MemoryKernel(IPythonKernel):
    """IPython's kernel, with a memory; without one where the project's folder cannot be found."""

    shell: Any
    session: Any

    def __init__(self, **options: Any) -> None:
        with _without_debugger():
            super().__init__(**options)  # type: ignore[no-untyped-call]
        self._messages: list[list[Any]] | None = None  # of the cell that is executed, if it may be kept
        self._drops = False  # while the state is brought up to date
        self._live = False  # is the state that of the requests so far?
        self._lost = False  # has something been executed that cannot be remembered?
        self._answered: list[tuple[str, Request, Entry]] = []  # from memory
        self._states: dict[tuple[str, ...], str] = {}  # of dependencies, as this process found them
        self._requests = 0
        root = _root()
        if root is None:
            self._live = self._lost = True
            return
        self._first_count = self.shell.execution_count
        self._entries = Entries(root / FOLDER, _tell)
        self._base = self._chain = digest(_circumstances(root))
        self._declared = declarations(root)
        self._observer = Observer(root)
        self._observer.install()
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
        self._requests += 1
        execute = partial(super().do_execute, cell_meta=cell_meta, cell_id=cell_id)
        if self._lost:
            reply: dict[str, Any] = await execute(*_arguments(request), allow_stdin)
            return reply
        declared = self._declared.get(request.code.strip(), NOTHING)
        key = digest([self._chain, *vars(request).values(), declared.depends])
        if not self._live:
            entry = None if declared.forget else self._entries.find(key, self._holds)
            if entry:
                return self._answer(key, request, entry)
            if failure := await self._catch_up():
                return failure
        return await self._execute(key, request, partial(execute, *_arguments(request), allow_stdin))

    def _holds(self, dependency: list[str]) -> bool:
        *what, before = dependency
        known = self._states.setdefault(tuple(what), "") or state(tuple(what))
        self._states[tuple(what)] = known
        return known == before

    def _answer(self, key: str, request: Request, entry: Entry) -> dict[str, Any]:
        for kind, content in entry.messages:
            self._publish(kind, content)
        self.shell.execution_count = entry.count
        self._answered.append((key, request, entry))
        self._chain = digest([key, entry.trace])
        if RESET.search(request.code) and self._requests > 1:  # the end of a document: this is a fresh kernel
            self._answered, self._chain, self._requests = [], self._base, 0
            self.shell.execution_count = self._first_count
        return dict(entry.reply)

    async def _catch_up(self) -> dict[str, Any] | None:
        """Execute what was answered from memory; the reply to the waiting request if that fails."""
        self._live = True
        if self._answered:
            self.shell.execution_count = self._first_count
        for key, request, entry in self._answered:
            self._drops = True
            try:
                reply, found, reason = await self._observe(
                    request, partial(super().do_execute, *_arguments(request))
                )
            finally:
                self._drops = False
            if reply["status"] != "ok":
                self._entries.forget(key, entry)
                return self._failure(reply)
            if reason or found != entry.dependencies:
                self._lost = True  # files are changing under our hands: what follows is not for keeping
        self._answered = []
        return None

    async def _execute(self, key: str, request: Request, execute: Execute) -> dict[str, Any]:
        if self._lost:
            return await execute()
        messages: list[list[Any]] = []
        self._messages = messages
        try:
            reply, found, reason = await self._observe(request, execute)
        finally:
            self._messages = None
        values = reply.get("user_expressions") or {}
        keep = (
            not reason
            and reply["status"] == "ok"
            and not reply.get("payload")
            and all(value.get("status") == "ok" for value in values.values())
            and all(kind in KEPT and not _is_updatable(content) for kind, content in messages)
            and not self._declared.get(request.code.strip(), NOTHING).forget
        )
        if keep:
            entry = Entry(found, messages, json_clean(reply), self.shell.execution_count)
            self._entries.put(key, entry)
            self._chain = digest([key, entry.trace])
        self._lost = not keep or bool(RESET.search(request.code) and self._requests > 1)
        return reply

    async def _observe(
        self, request: Request, execute: Execute
    ) -> tuple[dict[str, Any], list[list[str]], str]:
        """Execute; the reply, the dependencies with their states, and why it cannot be remembered."""
        self._observer.begin()
        try:
            for path in self._declared.get(request.code.strip(), NOTHING).depends:
                self._observer.read(path)
            reply = await execute()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            found, reason = self._observer.end()
        if os.environ.get("HANDIN_MEMORY_TELLS") and reason:
            _tell(f"{request.code[:60]!r}: {reason}")
        return reply, sorted([*what, now] for what, now in found.items()), reason

    def _sent(self, stream: Any, message: Any, content: Any = None, *arguments: Any, **options: Any) -> Any:
        """Every message of the kernel passes here."""
        kind = message["msg_type"] if isinstance(message, dict) else message
        if kind in OUTPUTS:
            if self._drops:
                return message
            if self._messages is not None:
                self._messages.append(
                    [kind, json_clean(message["content"] if isinstance(message, dict) else content)]
                )
        return self._send(stream, message, content, *arguments, **options)

    def _publish(self, kind: str, content: dict[str, Any]) -> None:
        topic = self._topic(kind)  # type: ignore[no-untyped-call]
        self.send_response(self.iopub_socket, kind, content, ident=topic)  # type: ignore[no-untyped-call]

    def _failure(self, reply: dict[str, Any]) -> dict[str, Any]:
        """A cell that memory has answered fails now: the documents must not go on as if it had not."""
        text = f"a cell that was answered from memory fails now: {reply.get('ename')}: {reply.get('evalue')}"
        error = {
            "ename": "ForgottenError",
            "evalue": f"{text}. It is forgotten; render again",
            "traceback": [*reply.get("traceback", []), text],
        }
        self._publish("error", error)
        self._lost = True
        return {**reply, **error}


def _arguments(request: Request) -> tuple[str, bool, bool, dict[str, str]]:
    return request.code, request.silent, request.store_history, request.user_expressions


def _is_updatable(content: dict[str, Any]) -> bool:
    """Has the output a name under which a later cell may change it?"""
    return bool((content.get("transient") or {}).get("display_id"))


def _root() -> Path | None:
    """The project's folder: the working directory or one above it."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "_quarto.yml").is_file()), None)


def _circumstances(root: Path) -> dict[str, Any]:
    """What every cell depends on."""
    installed = {
        name
        for folder in packages()
        if os.path.isdir(folder)
        for name in os.listdir(folder)
        if name.endswith(INSTALLED)
    }
    environment = root / "_environment"
    lines = environment.read_text(encoding="utf-8").splitlines() if environment.is_file() else []
    named = [match[1] for line in lines if (match := re.match(r"\s*(?:export\s+)?(\w+)\s*=", line))]
    own = [path for path in sys.modules.values() if getattr(path, "__name__", "").startswith("handin")]
    return {
        "format": FORMAT,
        "code": sorted(state(("file", str(module.__file__))) for module in own if module.__file__),
        "python": [sys.version, sys.executable, sys.path, sys.flags.hash_randomization],
        "packages": sorted(installed),
        "folders": [str(root), os.getcwd()],
        "variables": {name: os.environ.get(name) for name in sorted({*named, *ALWAYS} - UNWATCHED)},
    }


@contextmanager
def _without_debugger() -> Iterator[None]:
    """ipykernel loads a debugger when it starts, for a front end that none of ours is."""
    sys.modules.setdefault("debugpy", cast(Any, None))
    try:
        yield
    finally:
        if sys.modules["debugpy"] is None:
            del sys.modules["debugpy"]


def _tell(line: str) -> None:
    """A line for whoever started the kernel: what goes to its standard error ends in the documents."""
    copy = getattr(sys.stderr, "_original_stdstream_copy", None)
    os.write(2 if copy is None else copy, f"memory: {line}\n".encode())
