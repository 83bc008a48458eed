"""Content that only some document or format shows: `::: {.content-visible when-meta="notebook"}` and kin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handin.errors import HandinError
from handin.qmd.pandoc import Node, attr, rewrite
from handin.qmd.source import Line, Source, with_roles

CLASSES = {"content-visible", "content-hidden"}
CONDITIONS = {"when-meta", "unless-meta", "when-format", "unless-format"}
FORMAT = "typst"
OPENING = re.compile(r"^\s*:{3,}\s*(?P<attributes>\{.*\}|\w[\w-]*)\s*:*\s*$")
CLOSING = re.compile(r"^\s*:{3,}\s*$")
PAGEBREAK = re.compile(r"^\s*\{\{<\s*pagebreak\s*>\}\}\s*$")
_ATTRIBUTE = re.compile(r'(?P<name>[\w-]+)="?(?P<value>[^"\s}]*)"?')
_CLASS = re.compile(r"\.([\w-]+)")


def resolve_conditions(tree: Node, source: Source, metadata: Mapping[str, Any], form: str = FORMAT) -> Node:
    """The tree with conditional blocks and spans either opened up or taken out.

    Raises:
        HandinError: A condition is missing or of an unknown kind.
    """

    def change(node: Node) -> list[Node] | None:
        if node["t"] not in ("Div", "Span"):
            return None
        _, classes, attributes = attr(node["c"][0])
        kind = CLASSES & set(classes)
        if not kind:
            return None
        if not attributes or set(attributes) - CONDITIONS:
            raise HandinError(
                f"conditional content with {', '.join(attributes) or 'no condition'}",
                place=source.find("|".join(set(attributes) - CONDITIONS) or "content-(visible|hidden)"),
                remedy=f"use {', '.join(sorted(CONDITIONS))}",
            )
        return list(node["c"][1]) if shown(kind, attributes, metadata, form) else []

    result: Node = rewrite(tree, change)
    return result


def shown_lines(lines: Iterable[Line], metadata: Mapping[str, Any], hidden: list[bool]) -> Iterator[Line]:
    """The lines of a piece of Markdown that are shown, without fences of blocks, raw blocks and page breaks.

    Args:
        lines: The piece, code blocks whole.
        metadata: Of the document.
        hidden: For every block that is open, the outermost first, whether it hides what is in it; changed.

    Raises:
        HandinError: A code block is never closed.
    """
    raw = False
    for line, role in with_roles(lines):
        if role == "open":
            raw = "{=" in line.text
        if role == "prose" and (opening := OPENING.match(line.text)):
            attributes = opening["attributes"]
            conditions = {match["name"]: match["value"] for match in _ATTRIBUTE.finditer(attributes)}
            hidden.append(not shown(set(_CLASS.findall(attributes)), conditions, metadata))
        elif role == "prose" and CLOSING.match(line.text) and hidden:
            hidden.pop()
        elif role == "prose" and PAGEBREAK.match(line.text):
            continue
        elif not any(hidden) and not (raw and role != "prose"):
            yield line


def closed(lines: Iterable[Line]) -> None:
    """Check that blocks end: Pandoc closes an open one at the end, and takes a stray fence for a word.

    Raises:
        HandinError: A block never ends, or a fence closes nothing.
    """
    opened: list[Line] = []
    for line, role in with_roles(lines):
        if role == "prose" and OPENING.match(line.text):
            opened.append(line)
        elif role == "prose" and CLOSING.match(line.text):
            if not opened:
                raise HandinError("this fence closes nothing", place=line.place, remedy="remove it")
            opened.pop()
    if opened:
        raise HandinError(
            "the block that begins here never ends", place=opened[-1].place, remedy="close it with :::"
        )


def shown(
    classes: set[str], conditions: Mapping[str, str], metadata: Mapping[str, Any], form: str = FORMAT
) -> bool:
    """Whether content of these classes, under these conditions, is shown in a document with this metadata."""
    if not CLASSES & classes:
        return True
    holds = all(_holds(name, value, metadata, form) for name, value in conditions.items())
    return holds == ("content-visible" in classes)


def _holds(condition: str, value: str, metadata: Mapping[str, Any], form: str) -> bool:
    when = condition.startswith("when-")
    if condition.endswith("-format"):
        return (value == form) == when
    found: Any = metadata
    for key in value.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return bool(found) == when
