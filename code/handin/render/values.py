"""Inline values take their places in a document's tree.

Pandoc reads a mark where a value belongs. So no value, whatever signs it holds, changes what stands around
it: the cells of a table, mathematics, code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handin.errors import HandinError, Place
from handin.qmd import pandoc
from handin.qmd.chunks import INLINE, Prose
from handin.qmd.pandoc import Node
from handin.qmd.source import with_roles

MARK = re.compile("ꙮ(\\d+)ꙮ")  # a letter that nobody writes: words around it keep their shape
WORDS = re.compile(r"(?:[^\W_]|[,% −+]|\.(?!\.))*")  # Markdown that stands for itself
SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")  # what Markdown may take for a command
OBJECT = re.compile(r"None|[+-]?(nan|inf)|<.*>|[A-Za-z_][\w.]*\(.*\)", re.DOTALL)  # what only Python reads
SHOWN = re.compile(r"(?<=`)\{\{(\w+)\}\}")  # Quarto's way to write an expression that is not computed
LEFT = re.compile(r"`\{(?![={])\w+\}")  # something like an expression, in no form that Quarto knows


@dataclass(frozen=True)
class Value:
    """What an inline expression gives."""

    code: str
    place: Place
    text: str
    is_markdown: bool


def marked(prose: Prose, found: Sequence[Mapping[str, Any]], values: list[Value]) -> str:
    """Prose with a mark in the place of every inline expression.

    Args:
        prose: The prose.
        found: What its expressions give, in order, as the kernel told it.
        values: Takes the values; a mark is a position in it.

    Raises:
        HandinError: A value is empty (empty Markdown says that a sentence is left out) or nothing that a
            reader can read; an expression is not in Quarto's form.
    """
    results = iter(found)
    lines, shown = [], False  # shown: a chunk is, ```{{python}}, and not run
    for line, role in with_roles(prose.lines):

        def mark(match: re.Match[str], place: Place = line.place) -> str:
            values.append(_value(match["code"].strip(), next(results)["result"]["data"], place))
            return f"{match['before']}ꙮ{len(values) - 1}ꙮ"

        text = INLINE.sub(mark, line.text)
        if left := LEFT.search(text):
            raise HandinError(
                f"an inline expression that is not `{{python}} …` on one line: {left[0]}",
                place=line.place,
                remedy="write it on one line, in Python",
            )
        shown = shown or (role == "open" and "{{" in text)
        text = SHOWN.sub(r"{\1}", text.replace("{{{<", "{{<").replace(">}}}", ">}}"))
        if shown and role in ("open", "close"):  # with its fences, inside longer ones
            text, shown = (f"`````\n{text}", True) if role == "open" else (f"{text}\n`````", False)
        lines.append(text)
    return "\n".join(lines)


def _value(code: str, data: Mapping[str, Any], place: Place) -> Value:
    plain = str(data.get("text/plain", ""))
    if (markdown := data.get("text/markdown", data.get("text/latex"))) is not None:
        return Value(code, place, str(markdown), is_markdown=True)
    text = _literal(plain)
    if set(data) != {"text/plain"} or (text == plain and OBJECT.fullmatch(plain)):
        raise HandinError(
            f"the inline expression `{code}` gives {plain[:60] or ', '.join(data)}",
            place=place,
            remedy='let it give text or a number, as f"{value:.3f}" does',
        )
    if not text.strip():
        raise HandinError(f"the inline expression `{code}` is empty", place=place, remedy="give it a value")
    return Value(code, place, text, is_markdown=False)


def put_values(tree: Node, values: Sequence[Value], folder: Path) -> Node:
    """The tree with every value in the place of its mark.

    Raises:
        HandinError: A value of several paragraphs stands within a line.
    """
    blocks = _blocks(values, folder)

    def inlines(text: str) -> Iterator[Node]:
        for number, part in enumerate(MARK.split(text)):
            if number % 2 == 0:
                yield from [{"t": "Str", "c": part}] if part else []
                continue
            value, found = values[int(part)], blocks[int(part)]
            if len(found) > 1 or (found and found[0]["t"] not in ("Para", "Plain")):
                raise HandinError(
                    f"the inline expression `{value.code}` gives more than a line",
                    place=value.place,
                    remedy="let a chunk show it",
                )
            yield from [{"t": "Space"}] if value.text[:1].isspace() else []
            yield from found[0]["c"] if found else []
            yield from [{"t": "Space"}] if value.text[-1:].isspace() and value.text.strip() else []

    def fill(node: Any) -> Any:
        if isinstance(node, str):
            return MARK.sub(lambda match: values[int(match[1])].text, node)
        if isinstance(node, dict):
            filled = {key: fill(value) for key, value in node.items()}
            if node.get("t") == "Math" and filled != node:  # a number that comes as a formula
                filled["c"][1] = re.sub(r"\$([^$]*)\$", r"\1", filled["c"][1])
            return filled
        if not isinstance(node, list):
            return node
        result: list[Any] = []
        for value in node:
            is_text = isinstance(value, dict) and value.get("t") == "Str" and MARK.search(value["c"])
            result += inlines(value["c"]) if is_text else [fill(value)]
        return result

    filled: Node = fill(tree)
    return filled


def substitute(text: str, values: Sequence[Mapping[str, Any]]) -> str:
    """Markdown with values, in order, in place of its inline expressions."""
    left = iter(values)

    def replace(match: re.Match[str]) -> str:
        data = next(left)["result"]["data"]
        markdown = data.get("text/markdown")
        return match["before"] + (escaped(str(data["text/plain"])) if markdown is None else str(markdown))

    return INLINE.sub(replace, text)


def escaped(representation: str) -> str:
    """What is printed for Python's `repr` of a value: a string loses its quotes and is taken literally."""
    text = _literal(representation)
    return representation if text == representation else SPECIAL.sub(r"\\\1", text)


def _literal(representation: str) -> str:
    """The text whose `repr` is given, in one line; anything else as it is."""
    with suppress(ValueError, SyntaxError):
        if isinstance(text := ast.literal_eval(representation), str):
            return re.sub(r"\s", " ", text)
    return representation


def _blocks(values: Sequence[Value], folder: Path) -> list[list[Node]]:
    """Each value as blocks; Pandoc, which takes a moment to start, reads them all in one go."""
    texts = {value.text: value.text.strip() for value in values if value.is_markdown}
    texts = {text: markdown for text, markdown in texts.items() if not WORDS.fullmatch(markdown)}
    parsed: list[list[Node]] = [[]]
    for block in pandoc.parse("\n\nꙮ\n\n".join(texts.values()), folder=folder)["blocks"] if texts else ():
        if block == {"t": "Para", "c": [{"t": "Str", "c": "ꙮ"}]}:
            parsed.append([])
        else:
            parsed[-1].append(block)
    if len(parsed) != max(1, len(texts)):  # something in one swallows the next
        parsed = [pandoc.parse(markdown, folder=folder)["blocks"] for markdown in texts.values()]
    known = dict(zip(texts, parsed, strict=False))
    return [
        known[value.text] if value.text in known and value.is_markdown else _words(value.text)
        for value in values
    ]


def _words(text: str) -> list[Node]:
    words: list[Node] = []
    for number, word in enumerate(text.split()):
        words += [{"t": "Space"}] * bool(number) + [{"t": "Str", "c": word}]
    return [{"t": "Plain", "c": words}] if words else []
