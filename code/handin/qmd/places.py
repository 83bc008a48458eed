"""Where the elements of a document's tree stand in its source; Pandoc does not say."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from handin.errors import Place
from handin.qmd.chunks import OPTION, chunks, read_blocks
from handin.qmd.conditional import shown_lines
from handin.qmd.source import Source, with_roles

_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*(\{[^}]*\})?\s*$")
_LABEL = re.compile(r"#([\w-]+)")


def keys(text: str) -> list[str]:
    """What a piece of Markdown cites or refers to, in order."""
    return [match.rstrip(".:?") for match in re.findall(r"(?<![\w@\\`.])@\{?(\w[\w:.#$%&+?<>~/-]*)", text)]


class Places:
    """Finds lines of a source."""

    def __init__(self, source: Source, metadata: Mapping[str, Any]) -> None:
        self.document = Place(source.name)
        shown = {line.place for line in shown_lines(source.lines, metadata, [])}
        roles = list(with_roles(source.lines))
        options = [line for line, role in roles if role == "code" and OPTION.match(line.text)]
        self._lines = source.lines
        self._all = [line for line, role in roles if role in ("prose", "open")]
        self._prose = [line for line, role in roles if role == "prose" and line.place in shown]
        self._labels: dict[str, list[Place]] = defaultdict(list)
        self._mentions: dict[str, list[Place]] = defaultdict(list)
        for chunk in chunks(read_blocks(source)):
            if chunk.label:
                self._labels[chunk.label].append(chunk.place)
        for line in source.lines:
            for label in _LABEL.findall(line.text):
                self._labels[label].append(line.place)
        for line in [*self._prose, *options]:
            for key in keys(line.text):
                self._mentions[key].append(line.place)
        self._seen: dict[str, int] = defaultdict(int)
        self._headings = [(line, match) for line in self._prose if (match := _HEADING.match(line.text))]

    def label(self, label: str, *, last: bool = False) -> Place:
        """Place where a label is given."""
        found = self._labels.get(label)
        return found[-1 if last else 0] if found else self.document

    def find(self, pattern: str, *, last: bool = False) -> Place:
        """Place of the first (or last) line that matches; one that is shown and no code, if any does."""
        regex = re.compile(pattern)
        for lines in (self._prose, self._all, self._lines):
            if found := [line.place for line in lines if regex.search(line.text)]:
                return found[-1 if last else 0]
        return self.document

    def mention(self, key: str) -> Place:
        """Place of the next mention of a key."""
        found = self._mentions.get(key)
        if not found:
            return self.document
        self._seen[key] += 1
        return found[min(self._seen[key], len(found)) - 1]

    def heading(self, title: str, label: str) -> Place:
        """Place of the next heading with this title."""
        place = self.document
        for number, (line, match) in enumerate(self._headings, start=1):
            if _letters(match[1]) == _letters(title):
                place, self._headings = line.place, self._headings[number:]
                break
        return self.label(label) if label.startswith("sec-") and label in self._labels else place


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
