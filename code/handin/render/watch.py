"""Renders again whenever a source changes: the preview of the built-in renderer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from handin.errors import HandinError
from handin.files.inventory import sources
from handin.project import CONFIG, load_project

PERIOD = 0.5  # s between two looks at the files


def watch(root: Path, render: Callable[[], None], say: Callable[[str], None]) -> None:
    """Call `render` now and after every change of a source, until Ctrl-C. It must report its own errors."""
    before = _state(root)
    render()
    say("watching the sources; Ctrl-C ends")
    while True:
        time.sleep(PERIOD)
        now = _state(root)
        changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        before = now
        if changed:
            say(f"{len(changed)} sources changed" if len(changed) > 3 else f"{', '.join(changed)} changed")
            render()


def _state(root: Path) -> Mapping[str, tuple[int, int]]:
    """Name → time of last change (ns) and size (bytes) of every source."""
    try:
        files = sources(load_project(root)).files
    except HandinError:
        files = {CONFIG: root / CONFIG}  # half edited; `render` says what is wrong with it
    state = {}
    for name, path in files.items():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # an editor is just replacing it
        state[name] = (stat.st_mtime_ns, stat.st_size)
    return state
