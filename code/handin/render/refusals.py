"""What the built-in renderer knows. Everything else is refused, by file and line.

It is a list of what passes, and no list of what does not: chunk options, code blocks and fenced blocks are
judged line by line, before a chunk runs; what stands in braces, raw text and pictures in Pandoc's tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from handin.errors import Faults, HandinError, Place, near, raise_all
from handin.qmd.chunks import INLINE, OPTION, Chunk, Prose, chunks
from handin.qmd.conditional import CLOSING, OPENING, hides
from handin.qmd.pandoc import Node, attr, plain_text, walk
from handin.qmd.places import Places
from handin.qmd.source import Line, Source, with_roles
from handin.yaml_lines import Located

# Chunk options, each with the type of its value, or its values.
OPTIONS: dict[str, type | tuple[object, ...]] = {
    "label": str,
    "fig-cap": str,
    "fig-alt": str,
    "tbl-cap": str,
    "echo": bool,
    "include": bool,
    "output": (True, False, "asis"),
    "warning": bool,
    "error": bool,
    "eval": bool,
    "cache": bool,  # false: never remembered, see docs/memory.md
}
CODE_BLOCK = re.compile(r"```(\{python\}|`*\s*([\w+-]*|\{[.=][\w+-]+\}))\s*")  # its first line
PAGEBREAK = re.compile(r"^\{\{<\s*pagebreak\s*>\}\}\s*$")
COMPUTED = re.compile(r"\{\{<.*|# *<\d+>\s*$")  # shortcodes, also in code, and annotations of code
# Formulas that Pandoc prints as they stand, and addresses of links below the text, which it takes out.
UNREAD = re.compile(
    r"\\\([^)]*[\\^_][^)]*\\\)|^\s*\\\[\s*$|(?<!\S)\$ [^$]*[\\^_=][^$]* \$(?!\S)|^ {0,3}\[[^]^@]+\]:\s.*"
)
LEFT = re.compile(r"`\{\{?(?!=)\w+\}")  # something like an expression, in a form that is not known
GRID_RULE = re.compile(r"\+[-=:]")  # begins a line between the rows of a grid table
NO_BAR = re.compile(r"\\.|`[^`]*`|\$[^$]*\$|\[[^\]]*\]")  # in which a bar divides no cells
# What may stand in the braces behind an element, and in HTML around it: identifier, classes, attributes.
BRACES = {
    "Header": r"#.*|\.unnumbered",
    "Div": r"#(refs|(fig|tbl)-.+)",
    "Span": r"\.mark",
    "Code": r"\.\w+",
    "CodeBlock": r"\.[\w+-]+",
    "Link": r"\.(uri|email)",
    "Table": r"#tbl-.+",
    "Figure": r"#fig-.+",
    "Image": r"fig-alt=.*|width=(100|\d?\d(\.\d+)?)%",
}
LIST_SIGN = re.compile(r"[-*+>|]|1[.)]|#{1,6}")  # of a list, a quotation, a table, a heading


def unknown(what: str, place: Place) -> HandinError:
    return HandinError(
        f"the built-in renderer does not know {what}",
        place=place,
        remedy="write it another way, or render with Quarto",
    )


def refuse_lines(source: Source, blocks: Iterable[Prose | Chunk]) -> None:
    """Look through a document for lines and chunk options that this renderer does not know.

    Raises:
        HandinError: All such things, each with its place; or two chunks have the same label.
    """
    labels: dict[str, Place] = {}
    found = list(slips(source.lines, source.metadata))
    for chunk in chunks(blocks):
        found += _options(chunk.located)
        if chunk.label in labels:
            problem = f"the label `{chunk.label}` already stands at {labels[chunk.label]}"
            found.append(HandinError(problem, place=chunk.place, remedy="give each chunk its own"))
        labels |= {chunk.label: chunk.place} if chunk.label else {}
    raise_all(found)


def slips(lines: Sequence[Line], metadata: Mapping[str, Any]) -> Iterator[HandinError]:
    """What this renderer does not know, and what Pandoc would take otherwise, in a piece of Markdown."""
    yield from _lines(lines)
    yield from _fences(lines, metadata)


def _lines(lines: Iterable[Line]) -> Iterator[HandinError]:
    above, columns, indent, rule = "", 0, 0, ""  # of the table, of the code block, of the grid table
    for line, role in with_roles(lines):
        text, blanks, place = line.text.strip(), len(line.text) - len(line.text.lstrip()), line.place
        indent = blanks if role == "open" else indent
        cells = NO_BAR.sub("", text).strip("|").count("|") + 1
        if role == "prose" and "-" in text and "|" in text and not text.strip("|:-+ "):
            columns, cells = cells + text.count("+"), NO_BAR.sub("", above).strip("|").count("|") + 1
        columns = columns if text and role == "prose" else 0
        is_rule = role == "prose" and bool(GRID_RULE.match(text))
        rule = rule if role == "prose" and (is_rule or text.startswith("|")) else ""
        if rule and (
            len(text) != len(rule)
            or any(a == "+" and b not in "|+" for a, b in zip(rule, text, strict=False))
        ):
            problem = "cells of a grid table that do not end below each + of its rule"
            yield HandinError(problem, place=place, remedy="align them, or write a pipe table")
        rule = text if is_rule else rule
        if role == "open" and not CODE_BLOCK.fullmatch(line.text if "{python" in text else text):
            yield unknown(f"a code block opened by `{line.text}`, only Python chunks by ```{{python}}", place)
        elif role == "code" and OPTION.match(text) and not (OPTION.match(above) or "{python" in above):
            yield unknown(f"an option below other lines, as `{text}`", place)
        elif role != "open" and (found := COMPUTED.search(text)) and not PAGEBREAK.match(text):
            yield unknown(f"`{found[0][:40]}` here", place)
        elif role == "prose" and (found := UNREAD.search(line.text)):
            yield unknown(f"`{found[0][:40]}`", place)
        elif role == "prose" and (found := LEFT.search(INLINE.sub("", text))):
            yield unknown(f"`{found[0]} …`, only `{{python}} …` on one line", place)
        elif columns and cells > columns:  # Pandoc leaves the rest out
            yield unknown(f"a row of {cells} cells in a table of {columns} columns", place)
        elif indent and ((role == "open" and above) or (role != "prose" and text and blanks < indent)):
            yield unknown("code in a list without a blank line above, or less indented", place)
        above = text


def _fences(lines: Iterable[Line], metadata: Mapping[str, Any]) -> Iterator[HandinError]:
    """Blocks that are neither conditions nor the references, or do not end; Pandoc closes an open one at the
    end, and takes a fence within a paragraph, or one that closes nothing, for a word."""
    opened: list[Line] = []
    above = ""
    for line, role in with_roles(lines):
        text = line.text if role == "prose" else ""
        opening = OPENING.match(text)
        if text.startswith(":::") and CLOSING.match(text):
            if not opened:
                yield HandinError("this fence closes nothing", place=line.place, remedy="remove it")
            opened = opened[:-1]
        elif text.lstrip().startswith(":::"):
            opened += [line] if opening else []
            attributes = opening["attributes"] if opening else ""
            if attributes != "{#refs}" and hides(attributes, line.place, metadata) is None:
                yield unknown(f"the block `{text.strip()}`", line.place)
            elif above.strip() and not above.startswith(("#", ":::", "<!--")):
                yield HandinError(
                    "this block begins within a paragraph", place=line.place, remedy="put a blank line above"
                )
        above = text
    for line in opened:
        yield HandinError(
            "the block that begins here never ends", place=line.place, remedy="close it with :::"
        )


def _options(located: Located) -> Iterator[HandinError]:
    options = located.data
    for name, value in options.items():
        place, kind = located.place((name,)), OPTIONS.get(name)
        if kind is None:
            meant = near(str(name), OPTIONS)
            remedy = f"did you mean `{meant}`?" if meant else f"use one of {', '.join(OPTIONS)}"
            yield HandinError(
                f"the built-in renderer does not know the chunk option `{name}`", place=place, remedy=remedy
            )
        elif not (isinstance(value, kind) if isinstance(kind, type) else value in kind):
            written = {bool: "true or false", str: "text in quotes"}
            words = written[kind] if isinstance(kind, type) else f"true, false or {kind[-1]}"
            yield HandinError(f"`{name}: {value}` is not supported", place=place, remedy=f"write {words}")
        elif INLINE.search(str(value)):
            remedy = "let the chunk print it, or write it out"
            yield HandinError(f"Quarto computes no value in `{name}`", place=place, remedy=remedy)
    for cap, prefix in (("fig-cap", "fig-"), ("tbl-cap", "tbl-")):  # without both nobody can refer to it
        if bool(options.get(cap)) != str(options.get("label", "")).startswith(prefix):
            yield HandinError(
                f"`{cap}` and a label that begins with `{prefix}` belong together",
                place=located.place((cap if cap in options else "label",)),
                remedy=f"add the missing one of `label: {prefix}…` and `{cap}: …`",
            )


def refuse_unknown(tree: Node, places: Places, roots: Sequence[Path]) -> None:
    """Look through a tree, conditional content resolved, for what would be lost or come out different.

    Raises:
        HandinError: All such things, each with its place.
    """
    faults = Faults()
    for node in walk(tree["blocks"]):
        with faults.noted():
            _braces(node, places)
            match node["t"]:
                case "RawBlock" | "RawInline":
                    _raw(node, places)
                case "Image":
                    _image(node, places, roots)
                case "OrderedList" if node["c"][0][1]["t"] == "Example":
                    raise unknown("a numbered example, `(@…)`", places.find(r"^\s*\(?@[\w-]*[.)]"))
                case "Para" | "Plain":
                    _paragraph(node["c"], places)
                case "LineBlock":
                    row = r"[\W_]+".join(re.findall(r"[^\W_]+", plain_text(node["c"][0])))
                    raise unknown("lines behind |", places.find(rf"^\s*\|[\W_]*{row}[\W_]*$"))
                case "Str" if note := re.search(r"\[\^[^\s\]]+\]", node["c"]):
                    place = places.find(rf"(?<!\\){re.escape(note[0])}")
                    if place.line:
                        remedy = f"write {note[0]}: …"
                        raise HandinError(f"there is no footnote {note[0]}", place=place, remedy=remedy)
    faults.raise_all()


def _braces(node: Node, places: Places) -> None:
    if node["t"] not in BRACES:
        return
    identifier, classes, attributes = attr(node["c"][1 if node["t"] == "Header" else 0])
    signs = [f"#{identifier}"] * bool(identifier) + [f".{name}" for name in classes]
    for sign in [*signs, *(f"{name}={value}" for name, value in attributes.items())]:
        if not re.fullmatch(BRACES[node["t"]], sign, re.DOTALL):
            written = re.escape(sign.lstrip("#.")).replace("=", "=[\"']?")
            opens = r"(\]\{|<)" if node["t"] == "Span" else "[{<]"
            raise unknown(f"`{sign}` here", places.find(rf"{opens}.*{written}"))


def _raw(node: Node, places: Places) -> None:
    form, text = node["c"]
    comment = form == "html" and re.fullmatch(r"\s*<!--.*-->\s*", text, re.DOTALL)
    if form != "typst" and not comment:
        line = next((line for line in text.splitlines() if line.strip()), text)
        raise unknown(f"raw {form}, which would be lost: {line}", places.find(re.escape(line)))


def _paragraph(inlines: Sequence[Node], places: Places) -> None:
    """Lists, headings and the like begin behind a blank line; else Pandoc takes their marks for words."""
    for number, (before, node, after) in enumerate(zip(inlines, inlines[1:], inlines[2:], strict=False), 1):
        begins_line = before["t"] in ("SoftBreak", "LineBreak") and after["t"] == "Space"
        if not begins_line or node["t"] != "Str" or not LIST_SIGN.fullmatch(node["c"]):
            continue
        word = "".join(re.findall(r"\w+", plain_text(inlines[number + 1 :]))[:1])
        place = places.find(rf"^\s*{re.escape(node['c'])}[\W_]+({word}|python)")
        if place.line:  # else it is escaped
            remedy = "put a blank line above the list, heading, table or quotation"
            problem = f"`{node['c']}` begins a line within a paragraph"
            raise HandinError(problem, place=place, remedy=remedy)


def _image(node: Node, places: Places, roots: Sequence[Path]) -> None:
    """An image is a file below one of these folders."""
    target = unquote(node["c"][2][0])
    paths = {root: Path(os.path.normpath(root / target)) for root in roots}
    if not any(path.is_relative_to(root) and path.is_file() for root, path in paths.items()):
        raise HandinError(
            f"there is no image `{target}` in the project",
            place=places.find(f"{re.escape(target)}|{re.escape(node['c'][2][0])}"),
            remedy="mend the path, which is relative to the project",
        )
