"""A document cut into prose and chunks by jupytext, each chunk with its options and its place.

jupytext's R Markdown reader tells chunks from prose. Every chunk header is given an attribute `origin` first,
its file and line, so that a chunk can be traced back through any number of includes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jupytext

from handin.errors import HandinError, Place
from handin.qmd.source import FENCE, Line, Source, with_roles
from handin.yaml_lines import Located

READER = {"extension": ".Rmd", "comment_magics": False}
OPTION = re.compile(r"^#\|\s?")
HEADER = re.compile(r"^```\{(?P<header>[^}]*)\}\s*$")

# Chunk options, each with the type of its value. Quarto has many more; those are refused by name.
OPTIONS: dict[str, type] = {
    "label": str,
    "fig-cap": str,
    "fig-alt": str,
    "tbl-cap": str,
    "echo": bool,
    "include": bool,
    "output": bool,
    "warning": bool,
    "eval": bool,
}


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

    source: str  # as written, with its option lines
    code: str  # without them
    place: Place  # of the header
    code_line: int  # number of the first line of `code` in the file
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str | None:
        return self.options.get("label")

    @property
    def name(self) -> str:
        """What to call it when speaking to a person."""
        return self.label or str(self.place)

    @property
    def runs(self) -> bool:
        return bool(self.code.strip()) and bool(self.options.get("eval", True))


def read_blocks(source: Source) -> list[Prose | Chunk]:
    """The prose and the chunks of a document, in order.

    Raises:
        HandinError: A chunk is of another language, has an option or a value that is not supported, has the
            label of another chunk, or stands where jupytext would not find it (indented, in a longer fence).
    """
    lines, roles = source.lines, [role for _, role in with_roles(source.lines)]
    marked = [_mark(line) if role == "open" else line.text for line, role in zip(lines, roles, strict=True)]
    headers = [i for i, role in enumerate(roles) if role == "open" and "origin=" in marked[i]]
    notebook = jupytext.reads("\n".join(marked), fmt=READER)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.metadata.get("origin") for cell in cells] != [str(lines[i].place) for i in headers]:
        raise HandinError("jupytext reads other chunks here than are written", place=Place(source.name))

    blocks: list[Prose | Chunk] = []
    position = 0
    for header, cell in zip(headers, cells, strict=True):
        blocks.append(Prose(lines[position:header]))
        blocks.append(_chunk(lines[header], str(cell.source)))
        position = roles.index("close", header) + 1
    blocks.append(Prose(lines[position:]))
    _check_labels(blocks)
    return [block for block in blocks if isinstance(block, Chunk) or block.text.strip()]


def chunks(blocks: Iterable[Prose | Chunk]) -> Iterator[Chunk]:
    return (block for block in blocks if isinstance(block, Chunk))


def _mark(line: Line) -> str:
    """The opening line of a fenced block, made fit for jupytext."""
    fence = FENCE.match(line.text)
    assert fence is not None
    info = fence["info"].strip()
    if fence["fence"] != "```":
        raise HandinError(
            f"a code block opened by `{fence['fence']}`",
            place=line.place,
            remedy="open it with three backticks, the only fence that the built-in renderer knows",
        )
    if not info.startswith("{"):
        return line.text
    if info.startswith(("{=", "{.", "{#")):
        # The blank keeps jupytext from taking a raw or a displayed block for a chunk; Pandoc does not mind.
        return f"{fence['indent']}``` {info}"
    header = HEADER.match(line.text)
    if header is None:
        raise HandinError(
            "a chunk must not be indented", place=line.place, remedy="begin its first and last line with ```"
        )
    if header["header"].strip() != "python":
        raise HandinError(
            f"a chunk opened by `{{{header['header']}}}`; only Python chunks are supported",
            place=line.place,
            remedy="write ```{python} and put options below it as `#| name: value`",
        )
    return f'```{{python origin="{line.place}"}}'


def _chunk(header: Line, source: str) -> Chunk:
    lines = source.splitlines()
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
    blank = next((i for i, line in enumerate(lines[count:]) if line.strip()), 0)
    assert header.place.line is not None
    first = header.place.line + 1
    located = Located("\n".join(OPTION.sub("", line) for line in lines[:count]), header.place.file, first)
    for name, value in located.data.items():
        _check_option(name, value, located.place((name,)))
    _check_float(located)
    code = "\n".join(lines[count + blank :]).rstrip()
    return Chunk(source, code, header.place, first + count + blank, located.data)


def _check_option(name: object, value: object, place: Place) -> None:
    if not isinstance(name, str) or name not in OPTIONS:
        raise HandinError(
            f"the built-in renderer knows no chunk option `{name}`",
            place=place,
            remedy=f"remove it, or use one of {', '.join(OPTIONS)}",
        )
    if not isinstance(value, OPTIONS[name]):
        words = "true or false" if OPTIONS[name] is bool else "text in quotes"
        raise HandinError(f"`{name}: {value}` is not supported", place=place, remedy=f"write {words}")


def _check_labels(blocks: Iterable[Prose | Chunk]) -> None:
    labels: dict[str, Place] = {}
    for chunk in chunks(blocks):
        if chunk.label is None:
            continue
        if chunk.label in labels:
            raise HandinError(
                f"the label `{chunk.label}` already stands at {labels[chunk.label]}",
                place=chunk.place,
                remedy="give each chunk a label of its own",
            )
        labels[chunk.label] = chunk.place


def _check_float(located: Located) -> None:
    """A figure or table needs label and caption together, else nobody can refer to it."""
    options = located.data
    label = str(options.get("label", ""))
    for kind, prefix in (("fig-cap", "fig-"), ("tbl-cap", "tbl-")):
        if (kind in options) != label.startswith(prefix):
            raise HandinError(
                f"`{kind}` and a label that begins with `{prefix}` belong together",
                place=located.place(("label",) if kind not in options else (kind,)),
                remedy=f"add the missing one of `label: {prefix}…` and `{kind}: …`",
            )
