"""What was saved: the sources that changed, a moment after the last of them did."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from handin.errors import HandinError
from handin.files.inventory import sources
from handin.project import CONFIG, load_project

PERIOD = 0.05  # s between two looks


def saves(root: Path) -> Iterator[list[str]]:
    """The names of the sources that changed since the last time, save by save; never ends.

    Files that an editor writes one after the other are one save: it is told when nothing has changed for a
    period. A look asks for the state of every file and folder, about a millisecond for a few hundred;
    which files belong is asked again only when one of them changed.
    """
    watched = _watched(root)
    before = _state(root, watched)
    while True:
        changed: set[str] = set()
        while True:
            time.sleep(PERIOD)
            now = _state(root, watched)
            new = {name for name in watched if before.get(name) != now.get(name)}
            if new:
                added = _watched(root) - watched
                watched |= added
                changed |= (new | added) - {name for name in new if (root / name).is_dir()}
                now = _state(root, watched)
            before = now
            if changed and not new:
                break
        yield sorted(changed)


def _watched(root: Path) -> set[str]:
    """Every file that the documents are built from, and every folder in which one may appear."""
    try:
        files = set(sources(load_project(root)).files)
    except HandinError:
        return {CONFIG}  # half edited; the build says what is wrong with it
    return files | {parent.as_posix() for name in files for parent in Path(name).parents}


def _state(root: Path, names: set[str]) -> dict[str, tuple[int, int]]:
    """Name → time of last change (ns) and size (bytes) of what is there."""
    state = {}
    for name in names:
        try:
            stat = (root / name).stat()
        except FileNotFoundError:
            continue  # removed, or an editor is just replacing it
        state[name] = (stat.st_mtime_ns, stat.st_size)
    return state
