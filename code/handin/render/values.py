"""Inline values take their places in a document's tree.

Pandoc reads a mark where a value belongs. So no value, whatever signs it holds, changes what stands around
it: the cells of a table, mathematics, code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handin.errors import HandinError, Place
from handin.qmd import pandoc
from handin.qmd.chunks import INLINE, Prose
from handin.qmd.outline import div
from handin.qmd.pandoc import Node
from handin.qmd.source import Line, with_roles
from handin.render.refusals import PAGEBREAK

PLACE = re.compile("ꙮ(\\d+)ꙮ")  # a letter that nobody writes: words around it keep their shape
SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")  # what Markdown may take for a command
NUMBER = re.compile(r"-?(\d+|\d+\.\d+)(e[+-]?\d+)?")  # in which it does not
OBJECT = re.compile(r"None|[+-]?(nan|inf)|<.*>|[A-Za-z_][\w.]*\(.*\)", re.DOTALL)  # what only Python reads


@dataclass(frozen=True)
class Value:
    """What an inline expression gives."""

    code: str
    place: Place
    text: str  # for code and formulas
    markdown: str


def marked(prose: Prose, found: Sequence[Mapping[str, Any]], values: list[Value]) -> list[Line]:
    """Prose with a mark in the place of every inline expression.

    Args:
        found: What its expressions give, in order, as the kernel told it.
        values: Takes the values; a mark is a position in it.

    Raises:
        HandinError: A value is empty (empty Markdown says that a sentence is left out) or nothing that a
            reader can read.
    """
    results = iter(found)
    lines = []
    for line, role in with_roles(prose.lines):

        def mark(match: re.Match[str], place: Place = line.place) -> str:
            values.append(_value(match["code"].strip(), next(results)["result"]["data"], place))
            return f"{match['before']}ꙮ{len(values) - 1}ꙮ"

        text = INLINE.sub(mark, line.text)
        if role == "prose":
            text = PAGEBREAK.sub("`#pagebreak()`{=typst}", text)
        lines.append(Line(text, line.place))
    return lines


def _value(code: str, data: Mapping[str, Any], place: Place) -> Value:
    text, markdown = _shown(data)
    plain = str(data.get("text/plain", ""))
    if "text/markdown" in data or "text/latex" in data:
        return Value(code, place, text, markdown)
    if set(data) != {"text/plain"} or (text == plain and OBJECT.fullmatch(plain)):
        raise HandinError(
            f"the inline expression `{code}` gives {plain[:60] or ', '.join(data)}",
            place=place,
            remedy='let it give text or a number, as f"{value:.3f}" does',
        )
    if not text.strip():
        raise HandinError(f"the inline expression `{code}` is empty", place=place, remedy="give it a value")
    return Value(code, place, text, markdown)


def _shown(data: Mapping[str, Any]) -> tuple[str, str]:
    """What a value shows: as text in one line, and as Markdown in which its signs stand for themselves."""
    if (markdown := data.get("text/markdown", data.get("text/latex"))) is not None:
        return str(markdown), str(markdown)
    text = str(data.get("text/plain", ""))
    with suppress(ValueError, SyntaxError):
        if isinstance(literal := ast.literal_eval(text), str):
            text = re.sub(r"\s", " ", literal)
    return text, text if NUMBER.fullmatch(text) else SPECIAL.sub(r"\\\1", text)


def put_values(tree: Node, values: Sequence[Value], folder: Path) -> Node:
    """The tree with every value in the place of its mark.

    Raises:
        HandinError: A value of several paragraphs stands within a line.
    """
    found = _inlines(values, folder)

    def fill(node: Any) -> Any:
        if isinstance(node, str):
            return PLACE.sub(lambda match: values[int(match[1])].text, node)
        if isinstance(node, dict):
            filled = {key: fill(value) for key, value in node.items()}
            if node.get("t") == "Math" and filled != node:  # a number that comes as a formula
                filled["c"][1] = re.sub(r"\$([^$]*)\$", r"\1", filled["c"][1])
            return filled
        if not isinstance(node, list):
            return node
        result: list[Any] = []
        for value in node:
            if not isinstance(value, dict) or value.get("t") != "Str":
                result.append(fill(value))
                continue
            for number, part in enumerate(PLACE.split(value["c"])):
                words = [{"t": "Str", "c": part}] if part else []
                result += found[int(part)] if number % 2 else words
        return result

    filled: Node = fill(tree)
    return filled


def _inlines(values: Sequence[Value], folder: Path) -> list[list[Node]]:
    """Each value as the content of a line; one Pandoc, which takes a moment to start, reads them all."""
    texts = list(dict.fromkeys(value.markdown.strip() for value in values))
    read = _blocks("\n\n".join(div(".value", text) for text in texts), folder)
    if len(read) != len(texts):  # something in one swallows the next
        read = [_blocks(div(".value", text), folder)[0] for text in texts]
    blocks = dict(zip(texts, (block["c"][1] for block in read), strict=True))
    found = []
    for value in values:
        inside = blocks[value.markdown.strip()] or [{"t": "Plain", "c": []}]
        if len(inside) > 1 or inside[0]["t"] not in ("Para", "Plain"):
            raise HandinError(
                f"the inline expression `{value.code}` gives more than a line",
                place=value.place,
                remedy="let a chunk show it",
            )
        space, text = [{"t": "Space"}], value.markdown if value.markdown.strip() else ""
        found.append([*space * text[:1].isspace(), *inside[0]["c"], *space * text[-1:].isspace()])
    return found


def _blocks(markdown: str, folder: Path) -> list[Node]:
    tree, _ = pandoc.parse(markdown, folder=folder)
    blocks: list[Node] = tree["blocks"]
    return blocks


def substitute(text: str, values: Sequence[Mapping[str, Any]]) -> str:
    """Markdown with values, in order, in place of its inline expressions."""
    left = iter(values)

    def replace(match: re.Match[str]) -> str:
        return f"{match['before']}{_shown(next(left)['result']['data'])[1]}"

    return INLINE.sub(replace, text)
