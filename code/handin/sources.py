"""Which files belong to the project, what they amount to, and how new files take the place of old ones.

    project_files   all in the project's folder but what a build writes, what git ignores, and caches
    fingerprint     one hash of these, Python, packages, processor and the variables of `_environment`
    put_in_place    files that replace others, and the note of what they were made from
    Built           that note, `_build/built.json`: which files we wrote, and what each was made from
    locked          one command at a time works in a project

A file that no build wrote is never removed: `clean` goes by the note.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from handin.environment import DRAFT, HAND_IN, IMMATERIAL, Mode, environment, read_environment_file
from handin.errors import HandinError, Place, unwritable

if TYPE_CHECKING:  # a kernel that reads this module has no use for the rest
    from handin.project import Project

BUILD = "_build"  # scratch, in the project's folder
STORE = "_store"  # what the solution keeps
OUTPUT = "_output"  # the documents, where `_quarto.yml` names no other folder
NOTE = "built.json"
LOCK = "lock"
SCRATCH = (NOTE, "memory", "preview", "render-*", "quarto-began-*")  # all else there is somebody's

# Names that are nobody's source, of folders and files.
_CACHE = re.compile(
    r"\.(git|hg|svn|venv|quarto|tox|nox|idea|hypothesis|ipynb_checkpoints|(pytest|ruff|mypy)_cache)|"
    r"__pycache__|node_modules|.*\.egg-info|"
    r".*\.py[co]|.*~|#.*#|\.#.*|\..*\.(sw[a-p]|new)|\.DS_Store|Thumbs\.db"
)
# What IPython makes beside the settings of our kernels, which are sources.
_PROFILE = re.compile(r"code/handin/ipython/profile_default/(.+/.*|history\.sqlite.*)")
# What Quarto writes beside a document `X.qmd`: `X` and one of these.
_BESIDE = re.compile(r"(?P<stem>.+?)(_files(/.*)?|\.(quarto_ipynb(_\d+)?|ipynb|typ|tex|log|pdf|html|docx))")


def project_files(root: Path, output_dir: str = OUTPUT) -> list[str]:
    """The files of a project, relative to its folder and sorted. A link counts as what it leads to."""
    names = set(_known_to_git(root) or _walk(root, ""))
    written = [f"{Path(folder).as_posix()}/" for folder in (output_dir, BUILD, STORE)]
    environments = [name.removesuffix("pyvenv.cfg") for name in names if name.endswith("/pyvenv.cfg")]
    excepted = (*written, *environments)

    def belongs(name: str) -> bool:
        return (
            not name.startswith(excepted)
            and not any(map(_CACHE.fullmatch, name.split("/")))
            and not _PROFILE.fullmatch(name)
            and not _is_beside(name, names)
        )

    return sorted(filter(belongs, names))


def _is_beside(name: str, names: set[str]) -> bool:
    """Whether Quarto writes this name beside a document among these."""
    found = _BESIDE.fullmatch(name)
    return found is not None and f"{found['stem']}.qmd" in names


def _known_to_git(root: Path) -> list[str]:
    """What git tracks and does not ignore; nothing where it does not know the folder, or ignores it."""
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        told = subprocess.run(git, cwd=root, env=variables, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    names = {os.fsdecode(name).rstrip("/") for name in told.split(b"\0") if name}
    inner = [name for name in names if _is_folder(root / name)]  # repositories of their own
    there = [name for name in names.difference(inner) if os.path.lexists(root / name)]
    return [*there, *(file for name in inner for file in _walk(root, f"{name}/"))]


def _walk(root: Path, below: str) -> Iterator[str]:
    with suppress(PermissionError), os.scandir(root / below) as entries:
        for entry in entries:
            if _CACHE.fullmatch(entry.name):
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield f"{below}{entry.name}"
            elif f"{below}{entry.name}" not in (BUILD, STORE):
                yield from _walk(root, f"{below}{entry.name}/")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def state_of(path: Path | str) -> str:
    """Digest of a file's bytes or a folder's names but a build's, and where a link leads; or why none."""
    try:
        link = f" by {os.readlink(path)}" if os.path.islink(path) else ""
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            names = set(os.listdir(path)) - {BUILD, STORE, OUTPUT, ".quarto", "__pycache__"}
            return digest(sorted(name for name in names if not _is_beside(name, names)))
        if not stat.S_ISREG(mode):
            return f"no file{link}"
        with open(path, "rb") as file:
            return f"{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}{link}"
    except OSError as error:
        return str(error.strerror)


def fingerprint(project: Project, mode: Mode = HAND_IN) -> str:
    """One hash of all that the documents are made from: equal where they would be the same."""
    root, names = project.root, project_files(project.root, project.settings.project.output_dir)
    variables = environment(project, mode)
    return digest([states_of(root, names), circumstances(root, variables, project.handin.quick)])


def states_of(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Name → state of a file."""
    return {name: state_of(root / name) for name in names}


def circumstances(root: Path, variables: Mapping[str, str], quick: Iterable[str] = ()) -> list[object]:
    """All that results depend on beside the project's files.

    Args:
        root: The project's folder.
        variables: What the chunks run with; those count that `_environment` names, and folders of PYTHONPATH
            outside the project.
        quick: The names of those that `--quick` sets.

    Raises:
        HandinError: `_environment` cannot be read.
    """
    names = {*read_environment_file(root), *quick, DRAFT} - IMMATERIAL
    told = {DRAFT: "0", **variables}
    folders = [(root / folder).resolve() for folder in told.get("PYTHONPATH", "").split(os.pathsep)]
    outside = [str(folder) for folder in dict.fromkeys(folders) if not folder.is_relative_to(root)]
    return [sys.version, _packages(), _processor(), outside, {name: told.get(name) for name in names}]


def _packages() -> list[list[str]]:
    """Every installed package: name with version, and its list of files, which changes with any of them."""
    records = {path for folder in sys.path for path in Path(folder).glob("*.dist-info")}
    return sorted([path.name, state_of(path / "RECORD")] for path in records)


def _processor() -> list[str]:
    """What decides which code of a library runs: numbers differ in their last digits between processors."""
    names = ("vendor_id", "model name", "flags", "Features")
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = takewhile(str.strip, file)  # of many cores
            return [platform.machine(), *(line for line in first if line.startswith(names))]
    except OSError:
        return [platform.machine(), platform.processor()]  # not Linux


def digest(value: object) -> str:
    """The same for equal JSON values; 32 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Built:
    """What the last builds wrote. A note that is missing or damaged says that nothing is ours."""

    def __init__(self, root: Path) -> None:
        self._root = root
        try:
            held = json.loads((root / BUILD / NOTE).read_bytes())
            self._files: dict[str, dict[str, str]] = held["files"]  # path → content, from, results
        except (OSError, ValueError, KeyError, TypeError):
            self._files = {}

    def is_ours(self, path: Path) -> bool:
        """Whether a file is as a build left it."""
        return self._noted(path).get("content") == state_of(path)

    def is_current(self, path: Path, now: str) -> bool:
        """Whether a file is as a build left it that began and ended with the fingerprint `now`."""
        return self.is_ours(path) and self._noted(path)["from"] == now

    def results(self, path: Path) -> str:
        """What the build that made a file noted about its results."""
        return self._noted(path).get("results", "")

    def written(self) -> list[Path]:
        """The files that are as a build left them."""
        return [path for path in map(self._root.joinpath, self._files) if self.is_ours(path)]

    def also(self, files: Mapping[Path, bytes], made_from: str, results: str) -> bytes:
        """The note of a build that has made these files beside those that are still there."""
        noted = {name: noted for name, noted in self._files.items() if (self._root / name).is_file()}
        for path, data in files.items():
            content = hashlib.sha256(data).hexdigest()[:32]
            name = os.path.relpath(path, self._root)
            noted[name] = {"content": content, "from": made_from, "results": results}
        return json.dumps({"files": noted}, indent=1).encode()

    def _noted(self, path: Path) -> dict[str, str]:
        return self._files.get(os.path.relpath(path, self._root), {})


def put_in_place(root: Path, files: Mapping[Path, bytes], made_from: str, results: str = "") -> None:
    """Write every file beside its place, then move one after the other there, then note what was done.

    A kill between two moves leaves new files beside old ones. The note tells: only files that are as it says
    are current. The next build makes it good.

    Args:
        root: The project's folder.
        files: Contents by path.
        made_from: The fingerprint of the project that they were made from; empty where it changed meanwhile.
        results: What else they depended on.

    Raises:
        HandinError: A file cannot be written; none has changed then. Or one cannot be replaced.
    """
    replace({**files, root / BUILD / NOTE: Built(root).also(files, made_from, results)})


def replace(files: Mapping[Path, bytes]) -> None:
    """Write every file beside its place, then move one after the other there, the last one at the end.

    Raises:
        HandinError: A file cannot be written; none has changed then. Or one cannot be replaced.
    """
    beside = {path: path.with_name(f".{path.name}.new") for path in files}
    path = Path()
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside[path], "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a full disk is noticed here, and a power cut leaves no empty files
        for path in files:
            os.replace(beside[path], path)
    except OSError as error:
        raise unwritable(error, path) from error
    finally:
        for path in beside.values():
            with suppress(OSError):
                path.unlink()


def clean(project: Project) -> list[Path]:
    """Remove what the last builds wrote, Quarto's intermediates and our scratch files.

    To be called by who holds the project, see `locked`.

    Returns:
        What was there.
    """
    root = project.root
    gone = [
        *Built(root).written(),
        *(path for name in project.documents for path in intermediates(root / name)),
        *(path for name in SCRATCH for path in (root / BUILD).glob(name)),
    ]
    for path in gone:
        if _is_folder(path):
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # others' files stand there
        project.output_dir.rmdir()
    return gone


def intermediates(document: Path) -> list[Path]:
    """The notebooks that Quarto executes, and leaves beside a document where it is killed."""
    found = document.parent.glob(f"{document.stem}.quarto_ipynb*")
    return sorted(path for path in found if _is_beside(path.name, {document.name}))


@contextmanager
def locked(root: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Hold the project until the block ends; the value is its scratch folder, without others' leftovers.

    However the process ends, the operating system lets go of the lock.

    Args:
        root: The project's folder.
        say: Is told in one line that this process waits, if it has to.

    Raises:
        HandinError: Nothing can be written there.
    """
    build = root / BUILD
    lock = FileLock(build / LOCK)
    if build.is_symlink():
        raise HandinError("a link, and a build writes there", place=Place(build), remedy="remove the link")
    try:
        build.mkdir(exist_ok=True)
        held = lock.acquire(timeout=0)
    except Timeout:
        say("waiting for another command that works in this project")
        held = lock.acquire()
    except OSError as error:
        raise unwritable(error, build) from error
    with held:
        for left in build.glob("render-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield build
