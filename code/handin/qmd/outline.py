"""What a document says about itself: sections, figures, tables, references, citations, each with its place.

It is read from the tree that the build itself resolves: Pandoc's, conditions resolved, in the state that the
document has before its chunks run. So what a rule judges is what stands on the pages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from handin.qmd import pandoc
from handin.qmd.chunks import INLINE, Chunk, Prose, chunks, read_blocks
from handin.qmd.conditional import shown_lines
from handin.qmd.pandoc import Node, attr, plain_text
from handin.qmd.places import Places
from handin.qmd.source import Read, for_typst, merged, read_source

REFERENCE = re.compile(r"^(fig|tbl|eq|sec|lst)-\S+$", re.IGNORECASE)
EQUATION_LABEL = re.compile(r"^\{#(?P<label>eq-[^\s}]+)\}(?P<rest>.*)$")
APPENDIX = "A1"  # how the templates count sections behind `#show: appendix`


@dataclass(frozen=True)
class Section:
    level: int  # 1 for #
    title: str
    label: str
    number: str  # "1a"; "" where it has none
    in_body: bool  # before the references and the appendix
    place: str  # "sections/1-mlp.qmd:3"


@dataclass(frozen=True)
class Float:
    """A figure or a table."""

    label: str  # fig-… or tbl-…
    caption: str
    place: str


@dataclass(frozen=True)
class Reference:
    """A cross-reference (`label` is fig-…, tbl-…, sec-…, eq-…) or a citation (`label` is its key)."""

    label: str
    place: str
    in_caption: bool


@dataclass(frozen=True)
class Picture:
    """An image file that the document shows."""

    file: str  # as the project knows it
    place: str
    has_alt: bool  # an alternative text, in `fig-alt`
    in_float: bool  # a labelled figure or table


@dataclass
class Outline:
    """What was found, in the order of the document."""

    sections: list[Section] = field(default_factory=list)
    floats: list[Float] = field(default_factory=list)
    mentions: list[Reference] = field(default_factory=list)
    citations: list[Reference] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)  # all that can be referred to
    chunks: list[Chunk] = field(default_factory=list)  # hidden ones too: they run
    shown: list[Chunk] = field(default_factory=list)  # those whose output the document shows
    pictures: list[Picture] = field(default_factory=list)
    files: set[str] = field(default_factory=set)  # that it consists of


def read_outline(read: Read, name: str, config: Mapping[str, Any]) -> Outline:
    """The outline of the document `name`; `config` is `_quarto.yml` as data.

    Raises:
        HandinError: The document cannot be read; see `read_source`, `read_blocks`, `shown_lines`.
        OSError: Pandoc cannot be started.
    """
    source = read_source(read, name)
    blocks = read_blocks(source)
    metadata = merged(config, source.metadata)
    markdown, shown = skeleton(blocks, metadata)
    reader = _Reader(Places(source, metadata), numbering(metadata))
    tree, _ = pandoc.parse(markdown, folder=Path())
    reader.read(from_level_one(tree)["blocks"])
    reader.outline.chunks = list(chunks(blocks))
    reader.outline.shown = shown
    reader.outline.files = {str(line.place.file) for line in source.lines}
    return reader.outline


def skeleton(blocks: Sequence[Prose | Chunk], metadata: Mapping[str, Any]) -> tuple[str, list[Chunk]]:
    """The document's Markdown with a word for every figure, table and inline value that a chunk will give.

    Args:
        metadata: Its metadata; `execute:` holds the defaults of chunk options.

    Returns:
        The Markdown, and the chunks whose output is shown.
    """
    execute = metadata.get("execute")
    defaults = execute if isinstance(execute, Mapping) else {}
    parts, shown = list[str](), list[Chunk]()
    hidden: list[bool | None] = []  # see `shown_lines`
    for block in blocks:
        if isinstance(block, Prose):
            text = "\n".join(line.text for line in shown_lines(block.lines, metadata, hidden))
            parts.append(INLINE.sub(r"\g<before>1", text))
            continue
        options = {**defaults, **block.options}
        if not any(hidden) and options.get("include") is not False and options.get("output") is not False:
            shown.append(block)
            if block.caption and block.runs:
                parts.append(div(f"#{block.label}", "It stands here.", block.caption))
    return "\n\n".join(parts) + "\n", shown


def div(attributes: str, *blocks: str) -> str:
    """Blocks of Markdown in a fenced one."""
    return "\n\n".join([f"::::: {{{attributes}}}", *blocks, ":::::"])


def label_of(key: str) -> str:
    """The label that a key refers to, empty where it is that of a citation: `@Fig-x` begins a sentence."""
    return f"{key[0].lower()}{key[1:]}" if REFERENCE.match(key) else ""


def from_level_one(tree: Node) -> Node:
    """The tree with its headings counted from level 1, as Quarto counts them where none is of that level."""
    headings = [node for node in pandoc.walk(tree["blocks"]) if node["t"] == "Header"]
    least = min((node["c"][0] for node in headings), default=1)

    def change(node: Node) -> list[Node] | None:
        if node["t"] != "Header" or least == 1:
            return None
        level, *rest = node["c"]
        return [{"t": "Header", "c": [level - least + 1, *rest]}]

    raised: Node = pandoc.rewrite(tree, change)
    return raised


def numbering(metadata: Mapping[str, Any]) -> str:
    """The pattern by which sections are numbered, as "1a"; empty where they are not."""
    settings = for_typst(metadata)
    pattern = str(settings.get("section-numbering", ""))
    return pattern or ("1.1.1" if settings.get("number-sections") else "")


class _Reader:
    def __init__(self, places: Places, numbering: str) -> None:
        self.outline = Outline()
        self.places = places
        self.numbering = numbering
        self.in_body = True
        self.counts: list[int] = []  # of the open sections, by level

    def read(self, node: Any, *, in_float: bool = False, in_caption: bool = False) -> None:
        if isinstance(node, list):
            for value in node:
                self.read(value, in_float=in_float, in_caption=in_caption)
        if not isinstance(node, dict):
            return
        match node.get("t"):
            case "Header":
                self.header(node)
                self.read(node["c"][2])
            case "RawBlock" if re.search(r"#show:\s*appendix\b", node["c"][1]):
                self.in_body, self.numbering, self.counts = False, APPENDIX, []
            case "Div":
                self.div(node, in_float)
            case "Figure" | "Table":
                self.float(attr(node["c"][0])[0], node["c"][2:], node["c"][1][1], in_float)
            case "Image":
                place = str(self.places.find(re.escape(node["c"][2][0])))
                file = posixpath.normpath(unquote(node["c"][2][0]).lstrip("/"))
                has_alt = bool(attr(node["c"][0])[2].get("fig-alt"))
                self.outline.pictures.append(Picture(file, place, has_alt, in_float))
                self.read(node["c"][1])
            case "Cite":
                for cite in node["c"][0]:
                    key = cite["citationId"]
                    label, place = label_of(key), str(self.places.mention(key))
                    found = self.outline.mentions if label else self.outline.citations
                    found.append(Reference(label or key, place, in_caption))
                    self.read([cite["citationPrefix"], cite["citationSuffix"]], in_caption=in_caption)
            case "Str" if match := EQUATION_LABEL.match(node["c"]):
                self.outline.labels.add(match["label"])
            case kind:
                self.outline.labels |= {attr(node["c"][0])[0]} if kind == "CodeBlock" else set()
                inside = [value for key, value in node.items() if key != "t"]
                self.read(inside, in_float=in_float, in_caption=in_caption)

    def header(self, node: Node) -> None:
        level, (label, classes, _), inlines = node["c"]
        title = plain_text(inlines)
        number = ""
        if "unnumbered" not in classes:
            self.counts = [*self.counts, *[0] * level][:level]
            self.counts[-1] += 1
            number = numbered(self.numbering, self.counts)
        elif level == 1 and title.lower().startswith("appendi"):
            self.in_body = False
        if number and label.startswith("sec-"):
            self.outline.labels.add(label)
        place = str(self.places.heading(title, label))
        self.outline.sections.append(Section(level, title, label, number, self.in_body, place))

    def div(self, node: Node, in_float: bool) -> None:
        label, classes, attributes = attr(node["c"][0])
        inner = node["c"][1]
        self.outline.labels.add(label)
        if label.startswith(("fig-", "tbl-")):
            caption = [node for node in inner[1:][-1:] if node["t"] == "Para"]
            content = inner[: len(inner) - len(caption)]
            written = attributes.get(f"{label[:3]}-cap")
            self.float(label, content, [{"t": "Str", "c": written}] if written else caption, in_float)
            return
        is_callout = any(name.startswith("callout-") for name in classes)
        self.read(inner[1:] if is_callout and inner and inner[0]["t"] == "Header" else inner)
        if label == "refs":  # the heading above, if it has no number, is theirs; what follows is the appendix
            self.in_body = False
            if self.outline.sections and not self.outline.sections[-1].number:
                self.outline.sections[-1] = replace(self.outline.sections[-1], in_body=False)

    def float(self, label: str, content: list[Any], caption: list[Node], in_float: bool) -> None:
        is_labelled = label.startswith(("fig-", "tbl-"))
        self.outline.labels.add(label)
        if is_labelled and not in_float:
            text = " ".join(plain_text(caption).split())
            self.outline.floats.append(Float(label, text, str(self.places.label(label))))
        self.read(content, in_float=in_float or is_labelled)
        self.read(caption, in_float=in_float or is_labelled, in_caption=True)


def numbered(pattern: str, counts: Sequence[int]) -> str:
    """The number of a section by a pattern of Typst: "1a" makes "2c" of [2, 3]; deeper levels have none."""
    signs = re.findall(r"([^1aA]*)([1aA])", pattern)
    if not counts or len(counts) > len(signs):
        return ""
    found = []
    for (before, sign), count in zip(signs, counts, strict=False):
        found.append(before + (str(count) if sign == "1" else chr(ord(sign) + count - 1)))
    return "".join(found)
