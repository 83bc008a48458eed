"""What a document says about itself: sections, figures, tables, references, citations, each with its place.

It is read from the tree that the build itself resolves: Pandoc's, conditions resolved, in the state that the
document has before its chunks run. So what a rule judges is what stands on the pages.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from handin.qmd import pandoc
from handin.qmd.chunks import INLINE, Chunk, Prose, chunks, read_blocks
from handin.qmd.conditional import resolve_conditions
from handin.qmd.pandoc import Node, attr, plain_text
from handin.qmd.places import Places
from handin.qmd.source import Read, for_typst, merged, read_source

REFERENCE = re.compile(r"^(fig|tbl|eq|sec|lst)-\S+$", re.IGNORECASE)
EQUATION_LABEL = re.compile(r"^\{#(?P<label>eq-[^\s}]+)\}(?P<rest>.*)$")
KINDS = {"fig": "Figure", "tbl": "Table"}
APPENDIX = "A1"  # how the templates count sections behind `#show: appendix`


@dataclass(frozen=True)
class Section:
    level: int  # 1 for #
    title: str
    label: str
    number: str  # "1a"; "" where it has none
    part: str  # "body", "references" or "appendix"
    place: str  # "sections/1-mlp.qmd:3"


@dataclass(frozen=True)
class Float:
    """A figure or a table."""

    label: str  # fig-… or tbl-…
    number: str  # within its kind, from "1"
    caption: str
    place: str
    part: str = "body"  # or "appendix"

    @property
    def kind(self) -> str:
        return KINDS[self.label[:3]]


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


@dataclass
class Outline:
    """What was found, in the order of the document."""

    sections: list[Section] = field(default_factory=list)
    floats: list[Float] = field(default_factory=list)
    mentions: list[Reference] = field(default_factory=list)
    citations: list[Reference] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)  # all that can be referred to
    chunks: list[Chunk] = field(default_factory=list)  # hidden ones too: they run
    bare_pictures: list[str] = field(default_factory=list)  # places of pictures in no labelled figure
    pictures: list[Picture] = field(default_factory=list)
    files: set[str] = field(default_factory=set)  # that it consists of

    def of_kind(self, kind: str) -> list[Float]:
        """The floats of a kind, "Figure" or "Table", as they are numbered."""
        return [one for one in self.floats if one.kind == kind]


def read_outline(read: Read, name: str, config: Mapping[str, Any]) -> Outline:
    """The outline of the document `name`.

    Args:
        read: Gives the files of the project or the ZIP.
        name: The document.
        config: `_quarto.yml` as data.

    Raises:
        HandinError: The document cannot be read; see `read_source`, `read_blocks`, `resolve_conditions`.
        OSError: Pandoc cannot be started.
    """
    source = read_source(read, name)
    blocks = read_blocks(source)
    metadata = merged(config, source.metadata)
    execute = metadata.get("execute")
    markdown = skeleton(blocks, execute if isinstance(execute, Mapping) else {})
    tree = pandoc.parse(markdown, folder=Path())
    tree = resolve_conditions(tree, source, metadata)
    reader = _Reader(Places(source, metadata), numbering(metadata))
    reader.blocks(from_level_one(tree)["blocks"])
    reader.outline.chunks = list(chunks(blocks))
    reader.outline.files = {str(line.place.file) for line in source.lines}
    return reader.outline


def keys(text: str) -> set[str]:
    """What a piece of Markdown cites or refers to."""
    return {match.rstrip(".:?") for match in re.findall(r"(?<![\w@\\`.])@\{?(\w[\w:.#$%&+?<>~/-]*)", text)}


def skeleton(blocks: Sequence[Prose | Chunk], execute: Mapping[str, Any]) -> str:
    """The document's Markdown with a word for every figure, table and inline value that a chunk will give.

    Args:
        blocks: The document.
        execute: Its `execute:` settings, the defaults of chunk options.
    """
    parts = []
    for block in blocks:
        if isinstance(block, Prose):
            parts.append(INLINE.sub(r"\g<before>1", block.text))
        elif block.caption and block.runs and shows_output(block, execute):
            parts.append(div(f"#{block.label}", "It stands here.", block.caption))
    return "\n\n".join(parts) + "\n"


def shows_output(chunk: Chunk, execute: Mapping[str, Any]) -> bool:
    """Whether the document shows what a chunk gives."""
    options = {**execute, **chunk.options}
    return options.get("include", True) is not False and options.get("output", True) is not False


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
        self.part = "body"
        self.counts: list[int] = []  # of the open sections, by level
        self.floats: dict[str, int] = defaultdict(int)
        self.in_caption = False
        self.in_float = False

    def blocks(self, node: Any) -> None:
        if isinstance(node, list):
            for value in node:
                self.blocks(value)
        elif isinstance(node, dict):
            self.element(node)

    def element(self, node: Node) -> None:
        match node.get("t"):
            case "Header":
                self.header(node)
            case "RawBlock" if re.search(r"#show:\s*appendix\b", node["c"][1]):
                self.part, self.numbering, self.counts = "appendix", APPENDIX, []
            case "Div":
                self.div(node)
            case "Figure" | "Table":
                identifier, _, _ = attr(node["c"][0])
                self.float(identifier, node["c"][2:], node["c"][1][1])
            case "Image":
                place = str(self.places.containing(node["c"][2][0]))
                file = posixpath.normpath(unquote(node["c"][2][0]).lstrip("/"))
                has_alt = bool(attr(node["c"][0])[2].get("fig-alt"))
                self.outline.pictures.append(Picture(file, place, has_alt))
                if not self.in_float:
                    self.outline.bare_pictures.append(place)
                self.blocks(node["c"][1])
            case "Cite":
                for cite in node["c"][0]:
                    key = cite["citationId"]
                    label, place = label_of(key), str(self.places.mention(key))
                    found = self.outline.mentions if label else self.outline.citations
                    found.append(Reference(label or key, place, self.in_caption))
                    self.blocks([cite["citationPrefix"], cite["citationSuffix"]])
            case "Str":
                if match := EQUATION_LABEL.match(node["c"]):
                    self.outline.labels.add(match["label"])
            case _:
                self.blocks([value for key, value in node.items() if key != "t"])

    def header(self, node: Node) -> None:
        level, attributes, inlines = node["c"]
        label, classes, _ = attr(attributes)
        title = plain_text(inlines)
        number = ""
        if "unnumbered" not in classes:
            self.counts = [*self.counts, *[0] * level][:level]
            self.counts[-1] += 1
            number = numbered(self.numbering, self.counts)
        elif level == 1 and title.lower().startswith("appendi"):
            self.part = "appendix"
        if number and label.startswith("sec-"):
            self.outline.labels.add(label)
        place = str(self.places.heading(title, label))
        self.outline.sections.append(Section(level, title, label, number, self.part, place))
        self.blocks(inlines)

    def div(self, node: Node) -> None:
        identifier, classes, attributes = attr(node["c"][0])
        inner = node["c"][1]
        if inner and inner[0]["t"] == "Header" and any(name.startswith("callout-") for name in classes):
            inner = inner[1:]  # its title
        if not identifier.startswith(("fig-", "tbl-")):
            self.outline.labels |= {identifier} if identifier.startswith("lst-") else set()
            self.blocks(inner)
            if identifier == "refs":
                self.references()
            return
        caption = attributes.get(f"{identifier[:3]}-cap")
        if caption is not None:
            self.float(identifier, inner, [{"t": "Plain", "c": [{"t": "Str", "c": caption}]}])
        elif len(inner) > 1 and inner[-1]["t"] == "Para":
            self.float(identifier, inner[:-1], inner[-1:])
        else:
            self.float(identifier, inner, [])

    def references(self) -> None:
        """The heading above the list is the list's, if it has no number; what follows is the appendix."""
        sections = self.outline.sections
        if sections and not sections[-1].number:
            sections[-1] = replace(sections[-1], part="references")
        self.part = "appendix"

    def float(self, label: str, content: list[Any], caption: list[Node]) -> None:
        if label.startswith(("fig-", "tbl-")):
            self.outline.labels.add(label)
            if not self.in_float:
                self.floats[label[:3]] += 1
                number, text = str(self.floats[label[:3]]), " ".join(plain_text(caption).split())
                place = str(self.places.label(label))
                self.outline.floats.append(Float(label, number, text, place, self.part))
        before = self.in_float, self.in_caption
        self.in_float = self.in_float or label.startswith(("fig-", "tbl-"))
        self.blocks(content)
        self.in_caption = True
        self.blocks(caption)
        self.in_float, self.in_caption = before


def numbered(pattern: str, counts: Sequence[int]) -> str:
    """The number of a section by a pattern of Typst: "1a" makes "2c" of [2, 3]; deeper levels have none."""
    signs = re.findall(r"([^1aA]*)([1aA])", pattern)
    if not counts or len(counts) > len(signs):
        return ""
    pairs = zip(signs, counts, strict=False)
    return "".join(before + (str(n) if sign == "1" else _letter(sign, n)) for (before, sign), n in pairs)


def _letter(sign: str, n: int) -> str:
    return chr(ord(sign) + (n - 1) % 26) if n else "-"
