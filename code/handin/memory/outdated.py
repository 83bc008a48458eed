"""An IPython extension for interactive kernels: says when a module is older here than its file.

JupyterLab and editors keep a kernel while modules are edited. Before each cell, every imported module of the
project is compared with its file; one that has changed is named once, on standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from handin.memory.observe import packages


class Outdated:
    """Knows when the files of imported modules were last changed, as far as it has seen them."""

    def __init__(self) -> None:
        self._libraries = tuple(packages())
        self._seen: dict[str, int] = {}

    def look(self, *_: Any) -> None:
        """Note modules that are new; tell of files that have changed since."""
        changed = []
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if not isinstance(file, str) or file.startswith(self._libraries):
                continue
            try:
                now = Path(file).stat().st_mtime_ns
            except OSError:
                continue
            if self._seen.setdefault(file, now) != now:
                self._seen[file] = now
                changed.append(module.__name__)
        if changed:
            print(
                f"{', '.join(sorted(changed))}: changed on disk, but not in this kernel. Restart it.",
                file=sys.stderr,
            )


def load_ipython_extension(shell: Any) -> None:
    """Look after each cell, when it may have imported something, and before the next."""
    outdated = Outdated()
    for event in ("pre_run_cell", "post_run_cell"):
        shell.events.register(event, outdated.look)
