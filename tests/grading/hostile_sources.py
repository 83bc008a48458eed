"""Source files that attack whoever parses them; nothing of them is ever run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class HostileSource:
    """A file of a hand-in, and the words that must stand in a warning on it (empty where none is due)."""

    path: str
    make: Callable[[], bytes]
    words: str


_LAUGHS = "handin: {}\na: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
)

SOURCES = {
    "brackets": HostileSource("code/deep.py", lambda: b"x = " + b"(" * 90_000 + b")" * 90_000, ""),
    "minus-signs": HostileSource("code/deep.py", lambda: b"x = " + b"-" * 60_000 + b"1\n", ""),
    "long-sum": HostileSource("code/long.py", lambda: b"x = " + b"+".join([b"y"] * 60_000), ""),
    "nul-bytes": HostileSource("code/nul.py", lambda: b"x = 1\0\n", ""),
    "no-utf8": HostileSource("code/latin.py", lambda: b"# \xe4\xf6\xfc\nx = 1\n", ""),
    "deep-notebook": HostileSource("notebook.ipynb", lambda: b"[" * 200_000 + b"]" * 200_000, ""),
    "no-notebook": HostileSource(
        "notebook.ipynb", lambda: b'{"cells": [7, null, {"cell_type": "code"}]}', ""
    ),
    "laughing-yaml": HostileSource("_quarto.yml", _LAUGHS.encode, ""),
    "running-yaml": HostileSource(
        "_quarto.yml", lambda: b"author: !!python/object/apply:os.system [touch /tmp/x]", ""
    ),
}
