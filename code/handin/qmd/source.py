"""A `.qmd` document with its includes put in, every line remembering the file and number it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from handin.errors import HandinError, Place
from handin.yaml_lines import Located

INCLUDE = re.compile(r"^\s*\{\{<\s*include\s+(?P<path>[^\s>]+|\"[^\"]+\")\s*>\}\}\s*$")
SHORTCODE = re.compile(r"\{\{<\s*(?P<name>\S+)")
FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")


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


def read_source(root: Path, name: str) -> Source:
    """Read the document `name` of the project in `root`.

    As in Quarto, the path of an include is relative to the document, also inside an included file.

    Raises:
        HandinError: A file is missing or not UTF-8, an include goes in circles or leaves the project, an
            included file has YAML front matter, or there is a shortcode other than `include`.
    """
    numbered = _read(root, name, included_at=None)
    front, body = _split_front_matter(numbered, name)
    return Source(name, tuple(_expand(root, name, body, trail=(name,))), front)


def _read(root: Path, name: str, included_at: Place | None) -> list[Line]:
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise HandinError(
            f"`{name}` lies outside the project", place=included_at, remedy="move the file into the project"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise HandinError(
            f"there is no file `{name}` to include", place=included_at, remedy="mend the path"
        ) from None
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise HandinError("not UTF-8 text", place=Place(name, number), remedy="save it as UTF-8") from error
    return [Line(line, Place(name, number)) for number, line in enumerate(text.splitlines(), start=1)]


def _split_front_matter(lines: list[Line], name: str) -> tuple[Located, list[Line]]:
    if not lines or lines[0].text.rstrip() != "---":
        return Located("", name), lines
    for index, line in enumerate(lines[1:], start=1):
        if line.text.rstrip() in ("---", "..."):
            yaml = "\n".join(line.text for line in lines[1:index])
            return Located(yaml, name, first_line=2), lines[index + 1 :]
    raise HandinError(
        "the YAML that begins here never ends", place=lines[0].place, remedy="close it with a line `---`"
    )


def _expand(root: Path, document: str, lines: Iterable[Line], trail: tuple[str, ...]) -> Iterator[Line]:
    for line, role in with_roles(lines):
        include = INCLUDE.match(line.text)
        if include and role == "prose":
            path = include["path"].strip('"')
            name = (Path(document).parent / path).as_posix()
            if name in trail:
                circle = " → ".join((*trail, name))
                raise HandinError(
                    f"this include goes in circles: {circle}", place=line.place, remedy="remove one include"
                )
            included = _read(root, name, included_at=line.place)
            if included and included[0].text.rstrip() == "---":
                raise HandinError(
                    "an included file has YAML front matter, which Quarto ignores or misreads",
                    place=included[0].place,
                    remedy=f"move its settings to {document} or _quarto.yml",
                )
            yield from _expand(root, document, included, (*trail, name))
            yield Line("", line.place)  # the file's last paragraph ends here
            continue
        shortcode = SHORTCODE.search(line.text)
        if shortcode and role == "prose":
            raise HandinError(
                f"the built-in renderer knows no shortcode `{shortcode['name']}`",
                place=line.place,
                remedy="only `include`, on a line by itself, is supported; write it in Markdown",
            )
        yield line


def with_roles(lines: Iterable[Line]) -> Iterator[tuple[Line, Role]]:
    """Each line and the part it plays: prose, or the opening, inside or closing of a fenced code block.

    Raises:
        HandinError: A code block is never closed.
    """
    fence, opened = "", Place("")
    for line in lines:
        match = FENCE.match(line.text)
        if not fence and match and "`" not in match["info"]:
            fence, opened = match["fence"], line.place
            yield line, "open"
        elif fence and match and match["fence"].startswith(fence) and not match["info"].strip():
            fence = ""
            yield line, "close"
        else:
            yield line, "code" if fence else "prose"
    if fence:
        raise HandinError(
            "the code block that begins here never ends", place=opened, remedy=f"close it with {fence}"
        )
