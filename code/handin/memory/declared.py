"""What chunks declare about themselves: `#| cache: false`, and `#| depends:` files that no hook sees read.

Renderers take the options away before the kernel sees a chunk's code. So they are looked up where they stand,
in the project's `.qmd` files, by the code under them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handin.memory.observe import EXCEPTED

CHUNK = re.compile(r"^```+\s*\{python[^}\n]*\}[^\n]*\n(?P<body>.*?)^```+\s*$", re.MULTILINE | re.DOTALL)
NO = ("false", "no", "off")
INLINE = re.compile(r"`\{python\}[ \t](?P<code>[^`]+)`")
OPTION = re.compile(r"^#\s*\|\s*(?P<name>cache|depends)\s*:\s*(?P<value>.*?)\s*$")


@dataclass(frozen=True)
class Declared:
    """The declarations of one chunk."""

    forget: bool
    depends: tuple[str, ...]  # files, relative to the project


NOTHING = Declared(False, ())


def declarations(root: Path) -> dict[str, Declared]:
    """By the code of a chunk, without its options: what it declares, if anything."""
    found: dict[str, Declared] = {}
    for path in _documents(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        for chunk in CHUNK.finditer(text):
            lines = chunk["body"].split("\n")
            count = next((i for i, line in enumerate(lines) if not re.match(r"#\s*\|", line)), len(lines))
            options = [match for line in lines[:count] if (match := OPTION.match(line))]
            if not options:
                continue
            code = "\n".join(lines[count:]).strip()
            before = found.get(code, NOTHING)
            forget = forgets(chunk["body"])
            depends = [
                str(root / name)
                for option in options
                if option["name"] == "depends"
                for name in re.findall(r"[^\s\[\],'\"]+", option["value"])
            ]
            found[code] = Declared(before.forget or forget, (*before.depends, *depends))
    return found


def forgets(code: str) -> bool:
    """Does code that still has its options say that it is not to be remembered?"""
    said = (OPTION.match(line) for line in code.splitlines())
    return any(o and o["name"] == "cache" and o["value"].lower() in NO for o in said)


def chunks(root: Path) -> Iterator[str]:
    """The code of every chunk and every inline expression of the project's documents."""
    for path in _documents(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from (match["body"] for match in CHUNK.finditer(text))
        yield from (match["code"] for match in INLINE.finditer(text))


def _documents(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name[0] != "." and name not in (*EXCEPTED, "node_modules")]
        yield from (Path(folder, name) for name in files if name.endswith(".qmd"))
