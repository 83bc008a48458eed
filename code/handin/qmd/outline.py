"""What the Quarto sources of a report say: headings, figures, tables, references, citations, chunks.

Reads text only. It finds places (file:line) for what the PDF shows, and what the PDF cannot show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import yaml

_INCLUDE = re.compile(r"^\s*\{\{<\s*include\s+(\S+)\s*>\}\}\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*(.*)$")
_CHUNK = re.compile(r"^\{python\b.*\}$")
_OPTION = re.compile(r"^\s*#\|\s?(.*)$")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*(\{[^}]*\})?\s*$")
_DIV = re.compile(r"^\s*:{3,}\s*(\{.*\}|\S*)\s*$")
_IMAGE = re.compile(r"!\[(.*?)\]\([^)]*\)(?:\{([^}]*)\})?")
_TABLE_CAPTION = re.compile(r"^\s*:\s+(.*?)\s*\{[^}]*#(tbl-[\w-]+)[^}]*\}\s*$")
_FLOAT_ID = re.compile(r"#((?:fig|tbl)-[\w-]+)")
_REFERENCE = re.compile(r"(?<![\w@/\\`])@((?:fig|tbl|sec|eq|lst|thm)-[\w-]*\w)")
_CITATION = re.compile(
    r"(?<![\w@/\\`.])@(?!(?:fig|tbl|sec|eq|lst|thm)-)\{?([A-Za-z0-9_][\w:.#$%&+?<>~/-]*\w)"
)
_CODE_SPAN = re.compile(r"`[^`]*`")
_INCLUDES = 200  # files read for one document, at most
_LINE = 20_000  # characters of a line that are read


@dataclass(frozen=True)
class Heading:
    level: int  # 1 for #
    title: str
    label: str
    numbered: bool
    place: str


@dataclass(frozen=True)
class Float:
    """A figure or a table."""

    label: str  # fig-… or tbl-…
    caption: str
    place: str

    @property
    def kind(self) -> str:
        return "Table" if self.label.startswith("tbl-") else "Figure"


@dataclass(frozen=True)
class Mention:
    """A cross-reference or a citation."""

    label: str
    place: str
    in_caption: bool


@dataclass(frozen=True)
class Chunk:
    code: str
    file: str
    line: int  # of its first line of code


@dataclass
class Source:
    """What was found, in the order of the document."""

    headings: list[Heading] = field(default_factory=list)
    floats: list[Float] = field(default_factory=list)
    references: list[Mention] = field(default_factory=list)
    citations: list[Mention] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)  # included file, place of the include

    def labelled(self, kind: str) -> list[Float]:
        """The floats of a kind, "Figure" or "Table", as they are numbered."""
        return [one for one in self.floats if one.kind == kind]


def read_source(text: Callable[[str], str | None], document: str, *, notebook: bool = False) -> Source:
    """Read a document with all that it includes.

    Args:
        text: Gives the text of a file, None where there is none.
        document: The file to begin with; included paths count from its folder.
        notebook: Whether content for the notebook belongs to this document.
    """
    reader = _Reader(text, PurePosixPath(document).parent, notebook)
    reader.file(document)
    return reader.source


class _Reader:
    def __init__(self, text: Callable[[str], str | None], base: PurePosixPath, notebook: bool) -> None:
        self.text = text
        self.base = base
        self.notebook = notebook
        self.source = Source()
        self.open_files: list[str] = []
        self.budget = _INCLUDES
        self.hidden: list[bool] = []  # one entry per open div

    def file(self, name: str) -> None:
        text = self.text(name)
        if text is None or name in self.open_files:
            return
        self.open_files.append(name)
        lines = text.splitlines()
        position = 0
        if lines and lines[0].strip() == "---":  # front matter
            ends = [n for n, line in enumerate(lines[1:], start=1) if line.strip() in ("---", "...")]
            position = ends[0] + 1 if ends else 0
        while position < len(lines):
            position = self.line(name, lines, position)
        self.open_files.pop()

    def line(self, name: str, lines: list[str], position: int) -> int:
        """Read what begins on a line; gives the position after it."""
        line = lines[position][:_LINE]
        place = f"{name}:{position + 1}"
        if fence := _FENCE.match(line):
            return self.fenced(name, lines, position, fence[1], fence[2].strip())
        if include := _INCLUDE.match(line):
            inner = (self.base / include[1]).as_posix()
            self.budget -= 1
            if self.text(inner) is None:
                self.source.missing.append((inner, place))
            elif self.budget >= 0:
                self.file(inner)
            return position + 1
        if div := _DIV.match(line):
            self.div(div[1], place)
            return position + 1
        if any(self.hidden):
            return position + 1
        if heading := _HEADING.match(line):
            attributes = heading[3] or ""
            label = re.search(r"#([\w-]+)", attributes)
            numbered = ".unnumbered" not in attributes and attributes != "{-}"
            self.source.headings.append(
                Heading(len(heading[1]), heading[2].strip(), label[1] if label else "", numbered, place)
            )
            return position + 1
        if caption := _TABLE_CAPTION.match(line):
            self.source.floats.append(Float(caption[2], caption[1], place))
            self.mentions(caption[1], place, in_caption=True)
            return position + 1
        self.prose(line, place)
        return position + 1

    def div(self, attributes: str, place: str) -> None:
        if not attributes:
            if self.hidden:
                self.hidden.pop()
            return
        condition = re.search(r'\.content-visible (when|unless)-meta="notebook"', attributes)
        self.hidden.append(condition is not None and (condition[1] == "when") != self.notebook)
        if (label := _FLOAT_ID.search(attributes)) and not any(self.hidden):
            caption = re.search(r'(?:fig|tbl)-cap="([^"]*)"', attributes)
            # Without the attribute, the caption of a figure's div is the last paragraph in it.
            self.source.floats.append(Float(label[1], caption[1] if caption else "(in the block)", place))

    def fenced(self, name: str, lines: list[str], position: int, fence: str, info: str) -> int:
        end = position + 1
        while end < len(lines) and not re.match(
            rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$", lines[end]
        ):
            end += 1
        if _CHUNK.match(info) and not any(self.hidden):
            body = lines[position + 1 : end]
            self.source.chunks.append(Chunk("\n".join(body), name, position + 2))
            self.options(body, f"{name}:{position + 1}")
        return end + 1

    def options(self, body: list[str], place: str) -> None:
        listed = [match[1] for line in body if (match := _OPTION.match(line))]
        try:
            options = yaml.safe_load("\n".join(listed)) if listed else {}
        except yaml.YAMLError:
            return  # the renderer refuses the chunk and says why
        if not isinstance(options, dict) or not isinstance(options.get("label"), str):
            return
        label = options["label"]
        if label.startswith(("fig-", "tbl-")):
            caption = str(options.get(f"{label[:3]}-cap") or "")
            self.source.floats.append(Float(label, caption, place))
            self.mentions(caption, place, in_caption=True)

    def prose(self, line: str, place: str) -> None:
        for image in _IMAGE.finditer(line):
            label = _FLOAT_ID.search(image[2] or "")
            if label:
                self.source.floats.append(Float(label[1], image[1], place))
            self.mentions(image[1], place, in_caption=True)
        self.mentions(_IMAGE.sub("", line), place, in_caption=False)

    def mentions(self, text: str, place: str, *, in_caption: bool) -> None:
        text = _CODE_SPAN.sub("", text)
        for match in _REFERENCE.finditer(text):
            self.source.references.append(Mention(match[1], place, in_caption))
        for match in _CITATION.finditer(text):
            self.source.citations.append(Mention(match[1], place, in_caption))
