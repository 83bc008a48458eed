"""A document cut into prose and chunks, each chunk with its options and its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handin.errors import Place
from handin.qmd.source import FENCE, Line, Source, with_roles
from handin.yaml_lines import Located

OPTION = re.compile(r"^#\s*\| ?")
HEADER = re.compile(r"^\{\s*python\b[^}]*\}$")
# Quarto's rule: one backtick, {python}, a blank or tab, no backtick inside.
INLINE = re.compile(r"(?P<before>^|[^`])`\{python\}[ \t](?P<code>[^`\n]+)`", re.MULTILINE)
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Prose:
    """Markdown between chunks."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Chunk:
    """Python to run."""

    header: Line  # ```{python}
    source: str  # as written, with its option lines
    code: str  # without them
    code_line: int  # number of the first line of `code` in the file
    located: Located  # its options, each with its line

    @property
    def place(self) -> Place:
        """Of the header."""
        return self.header.place

    @property
    def options(self) -> dict[str, Any]:
        return self.located.data

    @property
    def label(self) -> str | None:
        label = self.options.get("label")
        return label if isinstance(label, str) else None

    @property
    def name(self) -> str:
        """What to call it when speaking to a person."""
        return self.label or str(self.place)

    @property
    def runs(self) -> bool:
        return bool(self.code.strip()) and bool(self.options.get("eval", True))

    @cached_property
    def caption(self) -> str:
        """The caption of the figure or table that the chunk makes; empty where it makes none."""
        kind = str(self.label)[:3]
        caption = str(self.options.get(f"{kind}-cap") or "") if kind in ("fig", "tbl") else ""
        return " ".join(caption.split())


def read_blocks(source: Source) -> list[Prose | Chunk]:
    """The prose and the chunks of a document, in order.

    Raises:
        HandinError: A code block is never closed, or the options of a chunk are no YAML.
    """
    blocks: list[Prose | Chunk] = []
    lines: list[Line] = []
    header: Line | None = None  # of the chunk that is being read
    for line, role in with_roles(source.lines):
        fence = FENCE.match(line.text) if role == "open" else None
        if fence and HEADER.match(fence["info"].strip()):
            blocks.append(Prose(tuple(lines)))
            header, lines = line, []
        elif header and role == "close":
            blocks.append(_chunk(header, [inner.text for inner in lines]))
            header, lines = None, []
        else:
            lines.append(line)
    blocks.append(Prose(tuple(lines)))
    return [block for block in blocks if isinstance(block, Chunk) or block.text.strip()]


def chunks(blocks: Iterable[Prose | Chunk]) -> Iterator[Chunk]:
    return (block for block in blocks if isinstance(block, Chunk))


def option_lines(lines: list[str]) -> tuple[int, str]:
    """How many lines at the beginning of a chunk are options, and those as YAML."""
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
    return count, "\n".join(OPTION.sub("", line) for line in lines[:count])


def without_magics(code: str) -> str:
    """Python with `pass` for every line of IPython's own syntax."""
    return _MAGIC.sub(r"\1pass", code)


def expressions(text: str) -> list[str]:
    """The inline expressions `{python} …` of a piece of Markdown, in order."""
    return [match["code"].strip() for match in INLINE.finditer(text)]


def _chunk(header: Line, lines: list[str]) -> Chunk:
    count, options = option_lines(lines)
    blank = next((i for i, line in enumerate(lines[count:]) if line.strip()), 0)
    assert header.place.line is not None
    first = header.place.line + 1
    code = "\n".join(lines[count + blank :]).rstrip()
    located = Located(options, header.place.file, first)
    return Chunk(header, "\n".join(lines), code, first + count + blank, located)
