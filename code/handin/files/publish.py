"""New files take the place of old ones, all of them or none, whenever the process is killed.

All contents are written beside their places first. Then a list of the moves is put down, then the moves are
made, then the list is removed. A kill before the list leaves the old files; one after it is made good by
`complete`, which every command calls first and which makes the moves that are left.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from handin.errors import HandinError, Place, unwritable
from handin.project import CONFIG

WAITING = (signal.SIGINT, signal.SIGTERM)
MOVES = ".handin-moves.json"  # in the folder of the first file: what is on its way
BESIDE = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)")


def publish(files: Mapping[Path, bytes], obsolete: Iterable[Path] = ()) -> None:
    """Write every file beside its place, then move all of them in, then remove what is obsolete.

    Nothing is moved before all are written, and an interruption waits for the moves, which take no time.

    Args:
        files: Contents by path, all of one project, or in one folder and those beside it.
        obsolete: Files to remove there.

    Raises:
        HandinError: A file cannot be written; no file has changed then. Or one cannot be replaced: the others
            are, and the next command tries again.
    """
    if not files:
        return
    folder = next(iter(files)).parent
    complete(folder)
    removed = sorted({*obsolete} - {*files})
    beside: dict[Path, Path] = {}
    try:
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
        _remove_debris({*files, *removed, folder / MOVES})
        for path, content in files.items():
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder stands in the place of a file", str(path))
            beside[path] = path.with_name(f".{path.name}.{os.getpid()}")
            _write(beside[path], content)
        moves = {
            "moves": [_relative([beside[path], path], folder) for path in files],
            "remove": _relative(removed, folder),
        }
        draft = folder / f".{MOVES}.{os.getpid()}"
        beside[folder / MOVES] = draft
        _write(draft, json.dumps(moves).encode())
        with _uninterrupted():
            os.replace(draft, folder / MOVES)
            beside.clear()
            complete(folder)
    except OSError as error:
        raise unwritable(error, folder) from error
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)


def complete(folder: Path) -> None:
    """Make the moves that a killed `publish` left undone; there are none after most.

    Several processes may do so at the same time.

    Raises:
        HandinError: A file cannot be replaced.
    """
    moves = folder / MOVES
    try:
        listed = json.loads(moves.read_bytes())
        pairs = [(folder / beside, folder / path) for beside, path in listed["moves"]]
        removed = [folder / path for path in listed["remove"]]
    except (FileNotFoundError, NotADirectoryError):
        return
    except (ValueError, KeyError, TypeError):
        pairs, removed = [], []  # no list of ours: ours are whole
    try:
        for beside, path in pairs:
            if _is_ours(beside, path, folder) and beside.exists():
                _replace(beside, path)
        for path in removed:
            if _is_near(path, folder):
                path.unlink(missing_ok=True)
        moves.unlink(missing_ok=True)
    except OSError as error:
        raise HandinError(
            f"cannot be replaced: {error.strerror}",
            place=Place(error.filename2 or error.filename or "?"),
            remedy="close what holds it, or let it be written to; then give any command again",
        ) from error


def _replace(beside: Path, path: Path) -> None:
    try:
        os.replace(beside, path)
    except FileNotFoundError:
        if beside.exists():
            raise  # the folder is gone; else another process was faster


def _is_ours(beside: Path, path: Path, folder: Path) -> bool:
    match = BESIDE.fullmatch(beside.name)
    named = match is not None and match["name"] == path.name
    return named and beside.parent == path.parent and _is_near(path, folder)


def _is_near(path: Path, folder: Path) -> bool:
    """Whether a path stands where `publish` writes: a list that came with others' files does nothing else."""
    root = next((one for one in folder.parents if (one / CONFIG).is_file()), folder.parent)
    return Path(os.path.normpath(path)).is_relative_to(root)


def _relative(paths: Iterable[Path], folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in paths]


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # a full disk is noticed here, and a power cut leaves no empty documents


def _remove_debris(paths: Iterable[Path]) -> None:
    """Remove what a killed `publish` left beside the files: it is named after a process that is no more."""
    names = {(path.parent, path.name) for path in paths}
    for folder in {path.parent for path in paths}:
        for beside in folder.iterdir():
            match = BESIDE.fullmatch(beside.name)
            if match and (folder, match["name"]) in names and not runs(int(match["process"])):
                beside.unlink(missing_ok=True)


def runs(process: int) -> bool:
    """Whether a process is alive; where asking is not harmless, it counts as alive."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WAITING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
