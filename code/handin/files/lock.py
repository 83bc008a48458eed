"""One at a time: a build, a packing or a cleaning waits for the other that works in the same project."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from handin.errors import unwritable

BUILD = "_build"  # scratch, in the project's folder
LOCK = "lock"
SCRATCH = ("render-*", "quarto-*")  # folders in it that belong to the one build that holds the lock


@contextmanager
def alone(root: Path, what: str, say: Callable[[str], None]) -> Iterator[Path]:
    """Hold the project until the block ends; the value is its scratch folder, without others' leftovers.

    The operating system holds the lock for this process and lets go of it however the process ends.

    Args:
        root: The project's folder.
        what: Is done here, as in "handin render".
        say: Is told in one line for whom this process waits, if it has to.

    Raises:
        HandinError: Nothing can be written there.
    """
    build = root / BUILD
    try:
        build.mkdir(exist_ok=True)
        lock = _lock(build / LOCK, say)
    except OSError as error:
        raise unwritable(error, build) from error
    try:
        for pattern in SCRATCH:
            for left in build.glob(pattern):
                shutil.rmtree(left, ignore_errors=True)
        _write(lock, f"`{what}`, process {os.getpid()} on {platform.node()}")
        yield build
    finally:
        _write(lock, "")
        os.close(lock)


def _write(lock: int, text: str) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, text.encode(), 0)


if sys.platform == "win32":

    def _lock(path: Path, say: Callable[[str], None]) -> int:
        """No lock: two builds there are the user's to avoid."""
        return os.open(path, os.O_RDWR | os.O_CREAT)

else:
    import fcntl

    def _lock(path: Path, say: Callable[[str], None]) -> int:
        """The open, locked file."""
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                _wait(lock, say)
                with open(path, "rb") as now:
                    if os.path.sameopenfile(now.fileno(), lock):
                        return lock
            except FileNotFoundError:
                pass  # `handin clean` removed it meanwhile
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)

    def _wait(lock: int, say: Callable[[str], None]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 1000, 0).decode(errors="replace") or "another command"
            say(f"waiting for {holder}, which works in this project")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            say(f"this file system knows no locks ({error.strerror}): start no second command here")
