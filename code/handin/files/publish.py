"""New files take the place of old ones, all of them or none."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from handin.errors import HandinError, Place

WAITING = (signal.SIGINT, signal.SIGTERM)


def publish(files: Mapping[Path, bytes], obsolete: Iterable[Path] = ()) -> None:
    """Write every file beside its place, then move all of them in, then remove what is obsolete.

    Nothing is moved before all are written, and an interruption waits for the moves, which take no time.

    Raises:
        HandinError: A file cannot be written; no file has changed then.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            written.append((beside, path))
            beside.write_bytes(content)
        with _uninterrupted():
            for beside, path in written:
                os.replace(beside, path)
            for path in set(obsolete) - set(files):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise HandinError(
            f"cannot write: {error.strerror}",
            place=Place(error.filename or "?"),
            remedy="make room, or make the folder writable; the old documents are untouched",
        ) from error
    finally:
        for beside, _ in written:
            beside.unlink(missing_ok=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WAITING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
