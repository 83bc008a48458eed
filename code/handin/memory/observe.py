"""What a cell reads, seen while it runs: files, folders, modules, variables; and what makes it unusual.

Python announces what it does to audit hooks (PEP 578). From these announcements, from the calls of `os.stat`,
from the questions of the import system and from the reading of `os.environ` come a cell's *dependencies*:

    file PATH              its bytes, or that there is none
    lines PATH PATTERN     those of its lines in which the pattern is found
    names PATH             the names in a folder, and what kind each is of
    entries PATH           the same with size and time of the last change of each
    installed PATH         the names of packages in it
    exists PATH            whether there is a file, a folder, a link (and where to) or nothing; who may use it
    stat PATH              the same with size and time of the last change
    modules FOLDER NAME …  which of its files could be the modules of these names
    variable NAME          of the environment

`state` tells the present state of one. No dependency is what Python brings along, the standard library and
the installed packages (their versions stand in every key); nor are devices, nor `_build`, `_output` and
`_store` of the project, nor what the process itself has written.

*Unusual*, and never remembered, is a cell that starts processes, uses the network or a database, writes files
of the project, draws from global random numbers that nobody seeded, prints past Python, leaves a thread or a
task behind, or reads a file that changes meanwhile.
"""

from __future__ import annotations

import collections.abc
import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import random
import re
import shutil
import stat
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

Dependency = tuple[str, ...]

EXCEPTED = ("_build", "_output", "_store")  # of the project: what a build writes
STORE = "FNN_STORE"  # the variable that names another place of `_store`
DEVICES = ("/proc", "/sys", "/dev")
# Variables that no output depends on.
UNWATCHED = {"PROGRESS_FILE", "HANDIN_FINGERPRINT", "HANDIN_MEMORY", "IPYTHONDIR"}
SUFFIXES = tuple(importlib.machinery.all_suffixes())
INSTALLED = (".dist-info", ".egg-info", ".egg")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LIBRARY = sysconfig.get_path("stdlib")
IMPORT_SYSTEM = "<frozen importlib._bootstrap_external>"  # tells by `find_spec` what it looks for
ABSTRACT = {"<frozen os>", "<frozen _collections_abc>", collections.abc.Mapping.get.__code__.co_filename}
SHUTIL = shutil.__file__  # names what it removes relative to open folders
METADATA = importlib.metadata.__file__
# Functions of the standard library that call `os.stat` to learn only what there is; what the last three go on
# to read is seen.
ASKS_EXISTENCE = {
    "exists", "lexists", "isfile", "isdir", "islink", "ismount", "is_file", "is_dir", "is_symlink",
    "is_mount", "realpath", "_joinrealpath", "_lexists", "checkcache", "updatecache", "mtime",
}  # fmt: skip
ELSEWHERE = "it asks for files by open ones"
PROCESS, NETWORK = "it starts a process", "it uses the network"
UNUSUAL = {
    "subprocess.Popen": PROCESS, "os.system": PROCESS, "os.exec": PROCESS, "os.posix_spawn": PROCESS,
    "os.spawn": PROCESS, "os.fork": PROCESS, "os.forkpty": PROCESS, "pty.spawn": PROCESS,
    "socket.connect": NETWORK, "socket.bind": NETWORK, "socket.sendto": NETWORK,
    "socket.getaddrinfo": NETWORK, "socket.gethostbyname": NETWORK, "sqlite3.connect": "it uses a database",
}  # fmt: skip
CHANGES = {
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.utime",
    "os.chmod", "os.chown",
}  # fmt: skip
LISTINGS = {"os.listdir", "os.scandir"}
# Between these two announcements of the program's own, processes may be started: what they compute is
# determined by what the cell itself has read, as where it goes through a store whose key says so.
DETERMINED = {"determined.begin": 1, "determined.end": -1}
# Between these, of the file that the first one names no lines matter but those in which its pattern is found.
LINES, END_OF_LINES = "lines.begin", "lines.end"
WATCHED = {"open", LINES, END_OF_LINES} | LISTINGS | UNUSUAL.keys() | CHANGES | DETERMINED.keys()


class Observer:
    """Watches this process. There is one in a process: hooks cannot be taken away again.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = f"{root}{os.sep}"
        self._packages = tuple(packages())
        store = os.environ.get(STORE)
        self._packages += (f"{Path(store).absolute()}{os.sep}",) if store else ()
        places = [str(root / name) for name in EXCEPTED]
        self._excepted = tuple(
            f"{form}{os.sep}" for place in places for form in (place, os.path.realpath(place))
        )
        self._doubtful = (*self._excepted, *(f"{device}{os.sep}" for device in DEVICES))
        self._active = False
        self._own = threading.local()  # what the observer itself reads is no dependency
        self._lock = threading.RLock()
        self._environment = dict(os.environ)  # as it was when the process began
        self._written: set[str] = set()  # paths
        self._set: set[str] = set()  # variables
        self._seeded = False
        self._determined = 0  # how many such stretches the cell is in
        self._work: object = None  # given to other processes
        self._known: list[Any] = []  # modules with random numbers
        self._clear()

    def _clear(self) -> None:
        self._found: dict[Dependency, str] = {}
        self._signatures: dict[str, tuple[int, ...]] = {}
        self._asked: dict[str, tuple[set[str], dict[str, str]]] = {}  # folder → names, what was there
        self._lines = "", ""
        self._reason = ""

    def install(self) -> None:
        """Put the hooks in place; nothing is noted before `begin`."""
        _watch_stat(self._stat)
        _watch_imports(self._module, self._is_outside)
        _watch_environment(self._variable, lambda name: self._set.add(os.fsdecode(name)))
        _watch_processes(lambda: self.unusual(PROCESS))
        _watch_seeds(random, ("seed", "setstate"), self._seed)
        heard = self._heard

        # No method, which takes four times as long: every `id` comes by here, a million in a build.
        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in WATCHED:
                heard(event, arguments)

        sys.addaudithook(hook)

    def begin(self) -> None:
        """From now on what happens belongs to one cell."""
        self._clear()
        self._modules = set(sys.modules)
        self._threads = set(threading.enumerate())
        self._random = random.getstate(), self._numpy()
        self._determined = 0
        self._work = _submitted()
        self._active = True

    def end(self) -> tuple[dict[Dependency, str], str]:
        """The cell is over.

        Returns:
            Its dependencies with the states in which it found them; why it cannot be remembered, or "".
        """
        for name in set(sys.modules) - self._modules:  # loaded in a way that no hook saw
            spec: Any = getattr(sys.modules.get(name), "__spec__", None)
            if getattr(spec, "has_location", False) and isinstance(spec.origin, str):
                self._note("file", spec.origin)
        self._others_work()
        self._active = False
        for folder, (names, before) in self._asked.items():
            if _candidates(folder, names) != {name: before.get(name, "") for name in names}:
                self._reason = self._reason or f"{folder} changed meanwhile"
            dependency = ("modules", folder, *sorted(names))
            self._found[dependency] = state(dependency, self._environment)
        for path, signature in self._signatures.items():
            if path not in self._written and _signature(path) != signature:
                self._reason = self._reason or f"{path} changed meanwhile"
        if (random.getstate(), self._numpy()) != self._random and not self._seeded:
            self._reason = self._reason or "it draws random numbers that nobody seeded"
        if any(not type(t).__module__.startswith("zmq.") for t in {*threading.enumerate()} - self._threads):
            self._reason = self._reason or "it leaves a thread running"
        return self._found, self._reason

    def unusual(self, reason: str) -> None:
        """What runs now cannot be remembered."""
        if self._active and not self._reason and not (self._determined and reason == PROCESS):
            self._reason = reason

    def read(self, path: str) -> None:
        """The running cell depends on a file, though no hook sees it read."""
        self._note("file", self._absolute(path))

    # what the hooks call

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active or getattr(self._own, "reads", False):
            return
        if event in DETERMINED:
            self._determine(DETERMINED[event])
        elif event == LINES:
            self._lines = self._absolute(arguments[0]), str(arguments[1])
        elif event == END_OF_LINES:
            self._lines = "", ""
        elif event == "open":
            self._open(*arguments)
        elif event in LISTINGS:
            asks = sys._getframe(2).f_code.co_filename
            if isinstance(arguments[0], int):
                if asks != SHUTIL:
                    self.unusual(ELSEWHERE)
            elif asks != IMPORT_SYSTEM:
                by_library = event == "os.listdir" or asks.startswith(LIBRARY)
                kind = "installed" if asks == METADATA else "names" if by_library else "entries"
                self._note(kind, self._absolute(arguments[0] or "."))
        elif event in CHANGES:
            for path in arguments[:2]:
                if isinstance(path, str | bytes | os.PathLike):
                    self._change(self._absolute(path))
        elif event != "sqlite3.connect" or arguments[0] != ":memory:":
            self.unusual(UNUSUAL[event])

    def _determine(self, deeper: int) -> None:
        if not self._determined:
            self._others_work()
        self._determined += deeper
        if not self._determined:
            self._work = _submitted()
            self._threads |= set(threading.enumerate())

    def _others_work(self) -> None:
        """The processes that remain may be given more to do, though none is started."""
        if _submitted() != self._work:
            self.unusual(PROCESS)

    def _open(self, path: Any, mode: Any, flags: Any) -> None:
        if path is None or isinstance(path, int):
            return
        path = self._absolute(path)
        flags = int(flags or 0)
        writes = bool(flags & WRITES)
        if f"{os.sep}__pycache__{os.sep}" in path:
            if writes:
                return
            with suppress(ValueError):  # no module's bytecode, in spite of its folder
                path = importlib.util.source_from_cache(path)
        if path == self._lines[0]:
            self._note("lines", *self._lines)
        elif not flags & (os.O_TRUNC | os.O_EXCL):  # to append keeps what is there
            self._note("file", path)
        if writes:
            self._change(path)

    def _change(self, path: str) -> None:
        """The process writes, moves or removes a file."""
        if f"{os.sep}__pycache__" in path or self._is_outside(path):
            return
        if path.startswith(self._root):
            self.unusual(f"it writes {path.removeprefix(self._root)}")
        self._written.add(path)

    def _stat(self, kind: str, path: Any, elsewhere: bool) -> None:
        if not self._active or getattr(self._own, "reads", False):
            return
        if isinstance(path, int) or elsewhere:
            self.unusual(ELSEWHERE)
        else:
            self._note(kind, self._absolute(path))

    def _module(self, folder: str, name: str) -> None:
        if not self._active:
            return
        folder = self._absolute(folder)
        if self._is_outside(folder):
            return
        with self._lock:
            names, before = self._asked.setdefault(folder, (set(), {}))
            if name not in names:
                names.add(name)
                before.update(_candidates(folder, {name}))

    def _variable(self, name: str | bytes) -> None:
        name = os.fsdecode(name)
        if self._active and name not in UNWATCHED and name not in self._set:
            self._found.setdefault(("variable", name), state(("variable", name), self._environment))

    def _seed(self, reproducible: bool) -> None:
        self._seeded = reproducible
        if not reproducible:
            self.unusual("it seeds random numbers with nothing")

    def _numpy(self) -> str:
        """The state of NumPy's global random numbers; "" before it is loaded, and just after."""
        numpy: Any = sys.modules.get("numpy.random")
        if not hasattr(numpy, "get_state"):
            return ""
        _, key, position, *gauss = numpy.get_state()
        if numpy not in self._known:
            self._known.append(numpy)
            _watch_seeds(numpy, ("seed", "set_state"), self._seed)
            if position >= len(key) - 1 and not any(gauss):
                return ""  # as at its beginning
        return f"{position} {gauss} {key.tobytes().hex()}"

    def _note(self, kind: str, path: str, *details: str) -> None:
        dependency = (kind, path, *details)
        if dependency in self._found or path in self._written or self._is_outside(path):
            return
        self._own.reads = True
        try:
            if kind in ("file", "lines"):
                self._signatures.setdefault(path, _signature(path))  # before: a change meanwhile is noticed
            self._found[dependency] = state(dependency, self._environment)
        finally:
            self._own.reads = False

    def _absolute(self, path: Any) -> str:
        name: str = os.fsdecode(path)
        name = name if os.path.isabs(name) else os.path.join(os.getcwd(), name)
        # `..` behind a link leads elsewhere, as does a link in a folder that does not count.
        if f"{os.sep}.." not in name and not os.path.normpath(name).startswith(self._doubtful):
            return os.path.normpath(name)
        folder, last = os.path.split(name)
        self._own.reads = True
        try:
            resolved = os.path.normpath(os.path.join(os.path.realpath(folder), last))
            return os.path.realpath(resolved) if resolved.startswith(self._doubtful) else resolved
        finally:
            self._own.reads = False

    def _is_outside(self, path: str) -> bool:
        folder = f"{path}{os.sep}"
        if folder.startswith((*self._packages, *self._excepted)):
            return True
        return folder.startswith(DEVICES) and not folder.startswith(self._root)


def state(dependency: Dependency, environment: Mapping[str, str]) -> str:
    """The present state of a dependency, as a short text; equal texts mean equal states."""
    kind, name, *names = dependency
    if kind == "variable":
        value = environment.get(name)
        return "unset" if value is None else _digest(value.encode(errors="surrogateescape"))
    if kind == "modules":
        return _digest(repr(sorted(_candidates(name, set(names)).items())).encode())
    try:
        if kind == "file":
            with open(name, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:32]
        if kind == "lines":
            text = Path(name).read_bytes().decode(errors="surrogateescape")
            told = [line for line in text.splitlines() if re.search(names[0], line)]
            return _digest("\n".join(told).encode(errors="surrogateescape"))
        if kind == "installed":
            return _digest("\0".join(sorted(n for n in os.listdir(name) if n.endswith(INSTALLED))).encode())
        if kind in ("names", "entries"):
            inside = sorted(os.listdir(name))
            seen = [(entry, _appearance(os.path.join(name, entry), kind == "entries")) for entry in inside]
            return _digest(repr(seen).encode())
        return _appearance(name, kind == "stat")
    except (OSError, ValueError) as error:
        return f"no {type(error).__name__}"


def _appearance(path: str, in_detail: bool) -> str:
    """What a path is, without its content; where a link leads, too."""
    try:
        found = _lstat(path)
    except (OSError, ValueError) as error:
        return f"no {type(error).__name__}"
    told = f"{found.st_mode:o}"
    if in_detail:
        told += f" {found.st_size} {found.st_mtime_ns}"
    if stat.S_ISLNK(found.st_mode):
        target = os.path.join(os.path.dirname(path), _readlink(path))
        told += f" to {target!r}: {_appearance(target, in_detail) if len(target) < 4096 else 'a circle'}"
    return told


def packages() -> Iterator[str]:
    """The folders of the standard library and of installed packages, ending in a separator."""
    scheme = sysconfig.get_paths()
    base = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    user = sysconfig.get_path("purelib", f"{os.name}_user")
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [paths[kind] for paths in (scheme, base) for kind in kinds]
    for folder in dict.fromkeys([*folders, user]):
        yield from dict.fromkeys([f"{folder}{os.sep}", f"{os.path.realpath(folder)}{os.sep}"])


def _submitted() -> object:
    """How much joblib's processes have been given to do."""
    executor = getattr(sys.modules.get("joblib.externals.loky.reusable_executor"), "_executor", None)
    return executor and (id(executor), getattr(executor, "_queue_count", None))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _candidates(folder: str, names: set[str]) -> dict[str, str]:
    """For each name, what the import system would find in the folder: modules, packages, their beginnings."""
    found = {}
    for name in names:
        base = os.path.join(folder, name)
        files = [f"{base}{suffix}" for suffix in SUFFIXES]
        if _is(base, stat.S_ISDIR):
            files += [base, *(os.path.join(base, f"__init__{suffix}") for suffix in SUFFIXES)]
        found[name] = " ".join(file.removeprefix(folder) for file in files if _is(file, lambda mode: True))
    return found


_stat, _lstat, _readlink, _open = os.stat, os.lstat, os.readlink, os.open


def _is(path: str, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(_stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _signature(path: str) -> tuple[int, ...]:
    """Changes whenever the file does: its time of change cannot be set back."""
    try:
        found = _stat(path)
    except (OSError, ValueError):
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


# Places that announce nothing by themselves, and are made to.


def _watch_stat(tell: Callable[[str, Any, bool], None]) -> None:
    libraries = tuple(packages())
    for original in (os.stat, os.lstat, os.readlink, os.access, os.open, os.fstat):

        def watched(path: Any, *arguments: Any, _original: Any = original, **options: Any) -> Any:
            frame = sys._getframe(1)
            elsewhere = options.get("dir_fd") is not None and frame.f_code.co_filename != SHUTIL
            if isinstance(path, int) and frame.f_code.co_filename.startswith(libraries):
                return _original(path, *arguments, **options)  # a library copies or measures what it has open
            if _original is not _open or elsewhere:  # the hook sees what is opened, if by its whole name
                details = _original in (_stat, _lstat) and not _asks_existence(frame)
                tell("stat" if details else "exists", path, elsewhere)
            return _original(path, *arguments, **options)

        for able in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
            if original in able:
                able.add(watched)
        setattr(os, original.__name__, watched)


def _asks_existence(frame: FrameType | None) -> bool:
    if frame and frame.f_code.co_name in ("stat", "lstat"):  # of pathlib
        frame = frame.f_back
    return bool(
        frame
        and frame.f_code.co_name in ASKS_EXISTENCE
        and (frame.f_code.co_filename.startswith((LIBRARY, "<frozen ")))
    )


def _watch_imports(tell: Callable[[str, str], None], is_outside: Callable[[str], bool]) -> None:
    finder: Any = importlib.machinery.FileFinder
    original = finder.find_spec

    def find_spec(self: Any, fullname: str, target: Any = None) -> Any:
        tell(self.path, fullname.rpartition(".")[2])
        spec = original(self, fullname, target)
        loader = getattr(spec, "loader", None)
        if isinstance(loader, importlib.machinery.SourceFileLoader) and not is_outside(self.path):
            # Bytecode is taken for that of any source with the same size and second: read the source itself.
            loader.path_stats = _no_bytecode  # type: ignore[method-assign]
        return spec

    finder.find_spec = find_spec


def _no_bytecode(path: Any) -> Any:
    raise OSError("the source is read")


def _watch_environment(read: Callable[[Any], None], write: Callable[[Any], None]) -> None:
    environ: Any = type(os.environ)
    get, put, remove, each = environ.__getitem__, environ.__setitem__, environ.__delitem__, environ.__iter__
    libraries = tuple(packages())
    copying: list[object] = [None]  # where in a library all variables are copied, for a child say

    def read_one(self: Any, name: str) -> Any:
        if copying[0] is None or _asking(sys._getframe(1), libraries) != copying[0]:
            read(name)
        return get(self, name)

    def set_one(self: Any, name: str, value: str) -> None:
        write(name)
        put(self, name, value)

    def remove_one(self: Any, name: str) -> None:
        write(name)
        remove(self, name)

    def names(self: Any) -> Iterator[str]:
        copying[0] = _asking(sys._getframe(1), libraries)
        yield from each(self)

    environ.__getitem__, environ.__setitem__ = read_one, set_one
    environ.__delitem__, environ.__iter__ = remove_one, names


def _asking(frame: FrameType | None, libraries: tuple[str, ...]) -> object:
    """The place in a library that asks for a variable, behind the methods of `os.environ`; elsewhere None."""
    while frame and frame.f_code.co_filename in (os.__file__, *ABSTRACT):
        frame = frame.f_back
    inside = frame is not None and frame.f_code.co_filename.startswith(libraries)
    return (id(frame), frame.f_lasti) if frame and inside else None


def _watch_processes(tell: Callable[[], None]) -> None:
    try:
        import _posixsubprocess as module
    except ImportError:
        return
    original = module.fork_exec

    def fork_exec(*arguments: Any) -> Any:
        tell()
        return original(*arguments)

    module.fork_exec = fork_exec


def _watch_seeds(module: Any, names: tuple[str, ...], tell: Callable[[bool], None]) -> None:
    for name in names:
        original = getattr(module, name)

        def watched(*arguments: Any, _original: Any = original, **options: Any) -> Any:
            tell(any(value is not None for value in (*arguments, *options.values())))
            return _original(*arguments, **options)

        setattr(module, name, watched)
