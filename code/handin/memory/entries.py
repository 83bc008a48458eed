"""What the memory keeps on disk: for every cell, by its key, what it depended on and what it gave.

`_build/memory/KEY/TRACE.json`: the key is the digest of all that was executed up to the cell, the trace that
of its dependencies and their states, so that a file that is changed and changed back finds its entry again.
Each file holds an entry and its checksum; it is written beside its place and moved there. A damaged one is
removed, told in one line, and the cell executed anew. Once they are more than `LIMIT` bytes, the files used
least recently go.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LIMIT = 100_000_000  # bytes
FOLDER = Path("_build", "memory")


@dataclass(frozen=True)
class Entry:
    """One cell: what it depended on, and what the kernel said of it."""

    dependencies: list[list[str]]  # kind, name, …, state; sorted
    messages: list[list[Any]]  # type and content of each, in order
    reply: dict[str, Any]  # content
    count: int  # the kernel's execution count afterwards

    @property
    def trace(self) -> str:
        """Digest of the dependencies and their states."""
        return digest(self.dependencies)


def digest(value: object) -> str:
    """The same for equal JSON values; 32 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Entries:
    """The entries of one project.

    Args:
        folder: Where they are.
        report: Takes a line about what is wrong with them.
    """

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._folder = folder
        self._report = report
        self._pruned = False

    def find(self, key: str, holds: Callable[[list[str]], bool]) -> Entry | None:
        """The entry of the key whose dependencies all hold, the one used last if there are several."""
        for path in self._files(key):
            entry = self._load(path)
            if entry and all(holds(dependency) for dependency in entry.dependencies):
                with suppress(OSError):  # removed by another kernel, or not ours to write
                    os.utime(path)
                return entry
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep an entry. Where nothing can be written, one line says so."""
        held = asdict(entry)
        path = self._folder / key / f"{entry.trace}.json"
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            if not self._pruned:
                self._prune()
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps({"sha256": digest([key, held]), "entry": held}), encoding="utf-8")
            os.replace(beside, path)
        except OSError as error:
            self._report(f"nothing can be kept in {self._folder} ({error.strerror})")
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def forget(self, key: str, entry: Entry) -> None:
        """Remove an entry that has turned out wrong."""
        (self._folder / key / f"{entry.trace}.json").unlink(missing_ok=True)

    def _files(self, key: str) -> list[Path]:
        try:
            found = [(entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(self._folder / key)]
        except OSError:
            return []
        return [Path(path) for _, path in sorted(found, reverse=True) if path.endswith(".json")]

    def _load(self, path: Path) -> Entry | None:
        try:
            held = json.loads(path.read_bytes())
            if held["sha256"] == digest([path.parent.name, held["entry"]]):  # where it belongs
                return Entry(**held["entry"])
        except FileNotFoundError:
            return None  # another kernel has just removed it
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        self._report(f"{path.name} is damaged; the cell is executed anew")
        path.unlink(missing_ok=True)
        return None

    def _prune(self) -> None:
        """Make room: remove the entries that were used least recently, and what a killed kernel left."""
        self._pruned = True
        files = [(stat.st_mtime_ns, stat.st_size, path) for path, stat in self._all()]
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= LIMIT:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _all(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._folder.glob("*/*"):
            try:
                yield path, path.stat()
            except FileNotFoundError:
                continue
