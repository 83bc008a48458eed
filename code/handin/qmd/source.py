"""A `.qmd` document with its includes put in, every line remembering the file and number it came from.

Whatever Quarto would take is read; what the built-in renderer does not know is refused by `render.refusals`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from handin.errors import HandinError, Place, as_text
from handin.yaml_lines import Located

INCLUDE = re.compile(r"^\s*\{\{<\s*include\s+(?P<path>[^\s>]+|\"[^\"]+\")\s*>\}\}\s*$")
FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
LINE_END = re.compile(r"\r\n|\r|\n")
COMMENT = re.compile(r"(?P<text>\\.|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`))|<!--")  # where one begins
EMPTY_COMMENT = "<!-- -->"  # what stays of one: between two lists it matters

Read = Callable[[str], bytes | None]  # path in the project → content; None where there is no such file
Role = Literal["prose", "open", "code", "close"]


@dataclass(frozen=True)
class Line:
    """One line of text, without its newline, and where it stands."""

    text: str
    place: Place


@dataclass(frozen=True)
class Source:
    """A document as it is to be converted."""

    name: str  # file name relative to the project
    lines: tuple[Line, ...]  # without the front matter, includes put in
    front_matter: Located

    @property
    def metadata(self) -> dict[str, Any]:
        return self.front_matter.data

    def find(self, pattern: str) -> Place:
        """Place of the first line that matches a regular expression; the document itself where none does."""
        regex = re.compile(pattern)
        return next((line.place for line in self.lines if regex.search(line.text)), Place(self.name))


def on_disk(root: Path) -> Read:
    """Reads the files of a project's folder."""

    def read(name: str) -> bytes | None:
        try:
            return (root / name).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    return read


def read_source(read: Read, name: str) -> Source:
    """Read the document `name` of a project.

    As in Quarto, the path of an include is relative to the document, also inside an included file.

    Raises:
        HandinError: A file is missing or not UTF-8, an include goes in circles or leaves the project, or an
            included file has YAML front matter.
    """
    alone = read_alone(read, name)
    return replace(alone, lines=tuple(_expand(read, name, alone.lines, (name,))))


def read_alone(read: Read, name: str) -> Source:
    """Read one file without what it includes.

    Raises:
        HandinError: It is missing or not UTF-8, or its front matter is no YAML.
    """
    lines = _read(read, name, included_at=None)
    if not lines or lines[0].text.rstrip() != "---":
        return Source(name, tuple(lines), Located("", name))
    for index, line in enumerate(lines[1:], start=1):
        if line.text.rstrip() in ("---", "..."):
            front = Located("\n".join(line.text for line in lines[1:index]), name, first_line=2)
            return Source(name, tuple(lines[index + 1 :]), front)
    raise HandinError(
        "the YAML that begins here never ends", place=lines[0].place, remedy="close it with a line `---`"
    )


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a document over those of its project, block by block."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def for_typst(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those of `format: typst:` over them."""
    formats = settings.get("format")
    typst = formats.get("typst") if isinstance(formats, Mapping) else None
    return {**settings, **(typst if isinstance(typst, Mapping) else {})}


def _read(read: Read, name: str, included_at: Place | None) -> list[Line]:
    if name.startswith(("/", "../")):
        raise HandinError(
            f"`{name}` lies outside the project", place=included_at, remedy="move the file into the project"
        )
    data = read(name)
    if data is None:
        raise HandinError(
            f"there is no file `{name}` to include", place=included_at, remedy="mend the path, or put it back"
        )
    lines = lines_of(as_text(data, name))
    return [Line(line, Place(name, number)) for number, line in enumerate(lines, start=1)]


def lines_of(text: str) -> list[str]:
    """The lines as editors and Python count them; `str.splitlines` ends one at a form feed, too."""
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def _expand(read: Read, document: str, lines: Iterable[Line], trail: tuple[str, ...]) -> Iterator[Line]:
    for line, role in with_roles(lines):
        include = INCLUDE.match(line.text) if role == "prose" else None
        if not include:
            yield line
            continue
        name = posixpath.normpath(posixpath.join(posixpath.dirname(document), include["path"].strip('"')))
        if name in trail:
            circle = " → ".join((*trail, name))
            raise HandinError(
                f"this include goes in circles: {circle}", place=line.place, remedy="remove one include"
            )
        included = _read(read, name, included_at=line.place)
        if included and included[0].text.rstrip() == "---":
            raise HandinError(
                "an included file has YAML front matter, which Quarto ignores or misreads",
                place=included[0].place,
                remedy=f"move its settings to {document} or _quarto.yml",
            )
        yield from _expand(read, document, included, (*trail, name))
        yield Line("", line.place)  # the file's last paragraph ends here


def with_roles(lines: Iterable[Line]) -> Iterator[tuple[Line, Role]]:
    """Each line and the part it plays: prose, or the opening, inside or closing of a fenced code block.

    What stands in comments (`<!-- … -->`) is left out, whatever it is.

    Raises:
        HandinError: A code block or a comment is never closed.
    """
    fence, opened, commented = "", Place(""), False
    for line in lines:
        match = FENCE.match(line.text)
        if fence:
            closing = match and match["fence"].startswith(fence) and not match["info"].strip()
            fence = "" if closing else fence
            yield line, "close" if closing else "code"
            continue
        text, still = _uncommented(line.text, commented)
        opened = line.place if still and not commented else opened
        was, commented = commented, still
        if was and not text.strip():
            continue
        match = FENCE.match(text)
        if match and "`" not in match["info"]:
            fence, opened = match["fence"], line.place
            yield Line(text, line.place), "open"
        else:
            yield (line if text == line.text else Line(text, line.place)), "prose"
    if fence or commented:
        what, end = ("code block", fence) if fence else ("comment", "-->")
        raise HandinError(
            f"the {what} that begins here never ends", place=opened, remedy=f"close it with {end}"
        )


def _uncommented(text: str, commented: bool) -> tuple[str, bool]:
    """A line with its comments emptied, and whether the last goes on; `commented`: the line begins in one."""
    kept, at = "", 0
    while True:
        if commented:
            end = text.find("-->", at)
            if end < 0:
                return kept, True
            at, commented = end + 3, False
        begin = next((one for one in COMMENT.finditer(text, at) if not one["text"]), None)
        if begin is None:
            return kept + text[at:], False
        kept, at, commented = kept + text[at : begin.start()] + EMPTY_COMMENT, begin.end(), True
