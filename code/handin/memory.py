"""A Jupyter kernel that answers a cell from memory, until anything changes that could matter to it.

Requests are answered from the first one on, until one is not found; then all that were answered are executed,
their outputs dropped, and from there on the kernel executes and keeps. `docs/memory.md` says what the key of
a cell is made of, and what a chunk has to say by itself. The built-in renderer asks `Memory`, too: where all
is known it needs no kernel.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import json_clean

from handin import sources
from handin.environment import SWITCH
from handin.errors import HandinError
from handin.qmd.chunks import Chunk, expressions, read_blocks
from handin.qmd.source import on_disk, read_source
from handin.sources import digest
from handin.yaml_lines import Located

FOLDER = Path(sources.BUILD, "memory")
LIMIT = 100_000_000  # bytes; beyond that all is begun anew
CONFIG = "_quarto.yml"

# No chunk computes with these: prose, its look, and tests. The hook hears where one is opened all the same.
PROSE = re.compile(r".*\.(qmd|md|bib|csl|typ|css|lua)|(tests|benchmarks)/.*\.py|_quarto\.yml|_environment")
# Variables that Python, C and the libraries of numbers read where nobody hears it.
VARIABLES = re.compile(r"PYTHON(?!PATH)|LC_|LANG|TZ$|OMP_|MKL_|OPENBLAS_|KMP_|MPL|TORCH|ATEN_|NUMEXPR_|CUDA_")
NAMED = re.compile(r"[\"'.]([A-Za-z][\w-]*)")  # what code may ask settings for: "name", .name

# What chunks get from a renderer's set-up, a request without history: both share what is kept behind it.
FIGURES = re.compile(r"^fig_\w+ = .*$", re.MULTILINE)

KEPT = {"stream", "display_data", "execute_result"}  # messages that can be sent again

# What Python announces (PEP 578): events, and which of their arguments is a file.
OPENED = {"open": 0, "ctypes.dlopen": 0, "sqlite3.connect": 0, "import": 1, "os.listdir": 0, "os.scandir": 0}
CHANGED = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"}
FOREIGN = {
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn",
    "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname",
}  # fmt: skip
HEARD = OPENED.keys() | CHANGED | FOREIGN
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Request:
    """What a front end asks a kernel to execute."""

    code: str
    silent: bool = False
    store_history: bool = True
    user_expressions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """What a cell gave."""

    messages: list[list[Any]]  # type and content of each, in order
    reply: dict[str, Any]  # content
    outside: dict[str, str]  # path → state of what it read beside the files in its key


class Memory:
    """What a kernel that has been asked nothing yet would answer.

    Raises:
        HandinError: A document, `_quarto.yml` or `_environment` cannot be read.
    """

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self._root, self.folder = root, root / FOLDER
        self._config = Located((root / CONFIG).read_text(encoding="utf-8-sig"), CONFIG).data
        project, execute, handin = (self._config.get(key) or {} for key in ("project", "execute", "handin"))
        names = sources.project_files(root, project.get("output-dir", sources.OUTPUT))
        material = [name for name in names if not PROSE.fullmatch(name)]
        self.known = {str(root / name) for name in (*material, CONFIG)}
        self._signatures = self._look()
        self._forgotten = _forgotten(root, project.get("render", ()))
        self._off = execute.get("cache") is False
        # ipykernel sets this one later on.
        told = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", **variables}
        numbers = {name: told[name] for name in sorted(told) if VARIABLES.match(name)}
        circumstances = sources.circumstances(root, variables, handin.get("quick", ()))
        self._chain = digest([
            str(root), self._settings(names), sources.states_of(root, material), circumstances, numbers,
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            sources.state_of(__file__),
        ])  # fmt: skip
        if sum(path.stat().st_size for path in self.folder.glob("*.json")) > LIMIT:
            shutil.rmtree(self.folder)  # most of it is of earlier states

    def find(self, request: Request) -> Entry | None:
        """The entry of a request that comes next; None if it has to be executed."""
        path = self._path(request)
        if self._forgets(request):
            return None
        try:
            held = json.loads(path.read_bytes())
            if held["digest"] != digest([path.name, held["entry"]]):
                return None  # damaged
            entry = Entry(**held["entry"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        unchanged = all(sources.state_of(path) == state for path, state in entry.outside.items())
        return entry if unchanged else None

    def follow(self, request: Request, entry: Entry) -> None:
        """Go on behind a request that has this entry."""
        asked = asdict(request) if request.store_history else FIGURES.findall(request.code)
        self._chain = digest([self._chain, asked, entry.outside])

    def keep(self, request: Request, entry: Entry) -> bool:
        """Keep the entry of a request that comes next, and go on; whether anything behind it can be kept."""
        if self._forgets(request) or self._look() != self._signatures:
            return False  # the project has changed since the key was made
        path, held = self._path(request), asdict(entry)
        data = json.dumps({"digest": digest([path.name, held]), "entry": held}).encode()
        with suppress(HandinError):
            sources.replace({path: data})
            self.follow(request, entry)
            return True
        return False

    def _path(self, request: Request) -> Path:
        return self.folder / f"{digest([self._chain, asdict(request)])}.json"

    def _forgets(self, request: Request) -> bool:
        asked = [request.code.strip(), *request.user_expressions.values()]
        return self._off or not self._forgotten.isdisjoint(asked)

    def _look(self) -> list[list[object]]:
        found: list[list[object]] = []
        for path in sorted(self.known):
            with suppress(OSError):
                stat = os.stat(path)
                found.append([path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
        return found

    def _settings(self, names: list[str]) -> dict[str, Any]:
        """The settings that chunks may read: those whose names stand in a document or in Python code."""
        tool = os.path.join(os.path.relpath(Path(__file__).parent, self._root), "")
        code = [name for name in names if name.endswith((".py", ".qmd")) and not name.startswith(tool)]
        code = [name for name in code if name.endswith(".qmd") or not PROSE.fullmatch(name)]
        texts = ((self._root / name).read_text(encoding="utf-8", errors="replace") for name in code)
        words = {word for text in texts for word in NAMED.findall(text)}
        return {key: value for key, value in self._config.items() if key in words}


def _forgotten(root: Path, documents: Iterable[str]) -> set[str]:
    """The code of chunks that say `cache: false`, and all code of documents that do so under `execute:`."""
    found = set()
    for name in documents:
        source = read_source(on_disk(root), name)
        whole = (source.metadata.get("execute") or {}).get("cache") is False
        for block in read_blocks(source):
            if isinstance(block, Chunk):
                found |= {block.code.strip()} if whole or block.options.get("cache") is False else set()
            elif whole:
                found |= set(expressions(block.text))
    return found


class Hook:
    """Hears what this process reads beside the `known` files of a project, and what else it does.

    There is one in a process: a hook cannot be taken away again.
    """

    def __init__(self, root: Path, known: set[str]) -> None:
        own = f"{root}{os.sep}"
        folders = [path for path in sys.path if path.endswith(("/site-packages", "/dist-packages"))]
        folders += [*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/proc", "/sys"]
        prefixes = {f"{path}{os.sep}" for path in folders}
        self._root, self._known = own, known
        self._brought = tuple(path for path in prefixes if not own.startswith(path))
        self._ours = (*self._brought, *(f"{own}{name}{os.sep}" for name in (sources.BUILD, sources.STORE)))
        self._active = False

        def hook(event: str, arguments: tuple[Any, ...]) -> None:  # no method: every `id` comes by here
            if event in HEARD and self._active:
                self._hear(event, arguments)
                if event in CHANGED:  # where it is moved to
                    self._hear(event, arguments[1:])

        sys.addaudithook(hook)

    def begin(self) -> None:
        """What happens from now on is heard."""
        self._opened: dict[str, str] = {}
        self._passed = self._brought  # prefixes of what is not looked at
        self._reason, self._active = "", True

    def end(self) -> dict[str, str] | None:
        """The state of what was read beside the known files; None if what was done cannot be kept."""
        self._active = False
        return None if self._reason else self._opened

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FOREIGN:
            self._reason = event
            return
        path = arguments[OPENED.get(event, 0)]
        if event in ("os.listdir", "os.scandir"):
            path = "." if path is None else path
            if sys._getframe(2).f_code.co_filename == "<frozen importlib._bootstrap_external>":
                return  # looks for modules: those that it finds are opened
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file that is open already
        path = os.path.abspath(os.fsdecode(path))
        flags = int(arguments[2] or 0) if event == "open" else 0
        if event in CHANGED or flags & WRITES:
            if path.startswith(self._root) and not path.startswith(self._ours) and "__pycache__" not in path:
                self._reason = f"{event} {path}"
            elif flags & os.O_TRUNC or (event in ("open", "os.mkdir") and not os.path.lexists(path)):
                self._passed += (f"{path}{os.sep}",)  # what stands there is the chunk's own
        if event in CHANGED or flags & os.O_WRONLY:
            return
        with suppress(ValueError):  # Python opens no module of which it has bytecode
            path = source_from_cache(path)
        if path in self._known or path in self._opened or f"{path}{os.sep}".startswith(self._passed):
            return
        self._opened[path] = ""  # looking is heard, too
        self._opened[path] = sources.state_of(path)  # now: it may be edited while the chunk runs


class MemoryKernel(IPythonKernel):  # type: ignore[misc]
    """IPython's kernel, with a memory; without one where the project cannot be read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._memory: Memory | None = None
        self._answered: list[Request] = []  # from memory; nothing was executed yet
        self._up_to_date = False  # has anything been executed?
        self._messages: list[list[Any]] | None = None  # of the cell that is executed
        self._drops = False  # its outputs: it was answered before
        self._send = self.session.send
        self.session.send = self._sent  # every output of this kernel passes there
        if os.environ.get(SWITCH) == "1":
            with suppress(HandinError, OSError, AttributeError):  # what cannot be read, a renderer tells
                self._memory = Memory(Path.cwd(), os.environ)
                self._hook = Hook(Path.cwd(), self._memory.known)

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: Any = None,
        *rest: Any,
        **_: Any,
    ) -> dict[str, Any]:
        """Answer from memory, or execute."""
        request = Request(code, silent, store_history, dict(user_expressions or {}))
        memory = self._memory
        if memory is None:
            return await self._execute(request, *rest)
        if not self._up_to_date:
            if entry := memory.find(request):
                for kind, content in entry.messages:
                    self.send_response(self.iopub_socket, kind, content, ident=self._topic(kind))
                self.shell.execution_count = entry.reply["execution_count"] + 1
                self._answered.append(request)
                memory.follow(request, entry)
                return entry.reply
            if request.store_history:
                self._up_to_date = True
                if failure := await self._catch_up(memory):
                    return failure
        self._messages = []
        self._hook.begin()
        reply = await self._execute(request, *rest)
        outside = self._hook.end()
        messages, self._messages = self._messages, None
        entry = Entry(messages, json_clean(reply), outside or {})
        keeps = outside is not None and _can_be_sent_again(messages, reply)
        if not keeps or not memory.keep(request, entry):
            self._memory = None
        return reply

    async def _execute(self, request: Request, *rest: Any) -> dict[str, Any]:
        # Where a warning says that it stands: else in a scratch file, named by the process.
        os.environ["IPYKERNEL_CELL_NAME"] = f"chunk {self.shell.execution_count}"
        arguments = request.code, request.silent, request.store_history, request.user_expressions
        reply: dict[str, Any] = await super().do_execute(*arguments, *rest)
        sys.stdout.flush()
        sys.stderr.flush()
        return reply

    async def _catch_up(self, memory: Memory) -> dict[str, Any] | None:
        """Execute what was answered from memory; the reply of one that fails now, where one does."""
        self.shell.execution_count = 1
        for request in self._answered:
            self._drops = True
            reply = await self._execute(request)
            self._drops = False
            if reply["status"] != "ok":
                shutil.rmtree(memory.folder)  # something mattered that is in no key: trust nothing there
                return reply
        self._answered = []
        return None

    def _sent(self, stream: Any, message: Any, content: Any = None, *arguments: Any, **options: Any) -> Any:
        kind = message["msg_type"] if isinstance(message, dict) else message
        is_output = kind not in ("status", "execute_input") and not kind.endswith("_reply")
        if is_output and self._drops:
            return message
        if is_output and self._messages is not None:
            said = message["content"] if isinstance(message, dict) else content
            self._messages.append([kind, json_clean(said)])
        return self._send(stream, message, content, *arguments, **options)


def _can_be_sent_again(messages: list[list[Any]], reply: dict[str, Any]) -> bool:
    """Whether a cell went well, and nothing of what it gave is changed later or asks for something."""
    may_change = any((said.get("transient") or {}).get("display_id") for _, said in messages)
    kept = KEPT.issuperset(kind for kind, _ in messages)
    return reply["status"] == "ok" and not reply.get("payload") and kept and not may_change
