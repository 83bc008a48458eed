"""How a report is built, as its PDF shows it: headings with task numbers, parts, captions, mentions.

Works on any report: the outline where there is one, the text's own headings where there is none.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from handin.reading.pdf import Bookmark, Content, Line


class Part(StrEnum):
    BODY = "body"
    REFERENCES = "references"
    APPENDIX = "appendix"


@dataclass(frozen=True)
class TextLine:
    """A line with the page it stands on, from 1."""

    page: int
    line: Line

    @property
    def text(self) -> str:
        return self.line.text


@dataclass(frozen=True)
class Heading:
    """A heading; `number` is as the report writes tasks ("1", "1a", "1.1"), empty where there is none."""

    number: str
    title: str
    level: int
    page: int
    index: int  # of its line


@dataclass(frozen=True)
class Caption:
    kind: str  # "Figure" or "Table"
    number: str
    text: str
    page: int
    first: int  # indices of its lines
    last: int


@dataclass(frozen=True)
class Mention:
    kind: str
    number: str
    page: int
    index: int


_REFERENCES = re.compile(
    r"(?i)(?:\d+\.?\s+)?"
    r"(references|bibliography|literature|works cited|literatur(verzeichnis)?|quellen(verzeichnis)?)$"
)
_APPENDIX = re.compile(r"(?i)(?:[A-Z\d]\.?\s+)?(appendix|appendices|anhang|supplement)\b")
_LETTERED = re.compile(r"[A-Z]\.?\s+\S")
_WORD = r"(?:(?:task|exercise|question|problem|part|section|aufgabe|teil)\s+)?"
_NUMBERS = (
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})\s*[.(]?\s*([a-z])\s*[).:](?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})[.\-]?\(?([a-z])\)?(?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}}(?:\.\d{{1,2}})+)\.?(?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})[.):]?(?=\s|$)"),
)
_SUBTASK = re.compile(r"\(?([a-z])[).:](?=\s|$)")

_KIND = r"(?P<kind>Fig(?:ure)?s?\.?|Tab(?:le)?s?\.?|Abb(?:ildung(?:en)?)?\.?|Tabellen?)"
_NUMBER = r"[A-Z]?\.?\d+(?:\.\d+)?"
_CAPTION = re.compile(rf"{_KIND}\s*(?P<number>{_NUMBER})\s*[:.|–—]\s*(?P<text>.*)$", re.DOTALL)
_JOINT = r"(?:[\s,;&–—-]|and\b|und\b|to\b|bis\b|through\b){1,6}"
_MENTION = re.compile(
    rf"\b{_KIND}\s?(?P<numbers>{_NUMBER}[a-z]?\b"
    rf"(?:{_JOINT}{_NUMBER}[a-z]?\b){{0,20}})"
)


class Layout:
    """The structure of one PDF."""

    def __init__(self, content: Content) -> None:
        self.content = content

    @cached_property
    def lines(self) -> tuple[TextLine, ...]:
        """All lines in order, without running headers, footers and page numbers."""
        found = []
        running = self._running
        for number, page in enumerate(self.content.pages, start=1):
            for line in page.lines:
                edge = line.y < 0.09 * page.height or line.y > 0.9 * page.height
                if edge and (
                    _digitless(line.text) in running
                    or re.fullmatch(
                        r"(?i)(page\s*|seite\s*|[-–]\s*)?\d+(\s*(of|von|/|[-–])\s*\d*)?", line.text
                    )
                ):
                    continue
                found.append(TextLine(number, line))
        return tuple(found)

    @cached_property
    def _running(self) -> set[str]:
        count = Counter(
            text
            for page in self.content.pages
            for text in {
                _digitless(line.text)
                for line in page.lines
                if line.y < 0.09 * page.height or line.y > 0.9 * page.height
            }
        )
        return {text for text, times in count.items() if times > max(1, len(self.content.pages) // 3)}

    @cached_property
    def body_size(self) -> float:
        """The font size that most of the text is set in, pt."""
        sizes: Counter[float] = Counter()
        for one in self.lines:
            sizes[round(one.line.size, 1)] += len(one.text)
        return sizes.most_common(1)[0][0] if sizes else 10.0

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """From the outline; from lines that stand out where there is none; none in pages without text."""
        if not self.lines:
            return ()
        entries = self.content.outline or tuple(self._headings_in_text())
        found: list[Heading] = []
        above = ""
        start = 0
        for entry in entries:
            index, text = self._line_of(entry, start)
            start = max(start, index)
            number, title = task_number(entry.title, above)
            if not number and text and text != entry.title:
                number, title = task_number(text, above)
            if number.isdigit():
                above = number
            found.append(Heading(number, title, entry.level, entry.page, index))
        return tuple(found)

    def _headings_in_text(self) -> list[Bookmark]:
        found = []
        for one in self.lines:
            text = one.text
            stands_out = one.line.size > 1.08 * self.body_size
            named = re.match(rf"(?i){_WORD}\d{{1,2}}\b", text) and not text[0].isdigit()
            closing = _REFERENCES.match(text) or (_APPENDIX.match(text) and len(text) < 60)
            number, _ = task_number(text, "0")
            if closing or (number and len(text) < 100 and (stands_out or named)):
                top = closing or number.isdigit()
                found.append(Bookmark(0 if top else 1, text, one.page))
        return found

    def _line_of(self, entry: Bookmark, start: int) -> tuple[int, str]:
        """Index and text of the line that a bookmark leads to: the first on its page that fits its title."""
        wanted = _squashed(entry.title)
        first = None
        for index, one in enumerate(self.lines):
            if one.page < entry.page:
                continue
            if one.page > entry.page:
                break
            first = index if first is None else first
            if index < start:
                continue
            text = _squashed(one.text)
            if text == wanted or (len(text) > 3 and (wanted.startswith(text) or text.endswith(wanted))):
                return index, one.text
        return (first if first is not None else start), ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The part that each line belongs to."""
        if not self.headings:
            return (Part.BODY,) * len(self.lines)
        last_task = max((n for n, h in enumerate(self.headings) if h.number), default=-1)
        changes: list[tuple[int, Part]] = []
        part = Part.BODY
        for position, heading in enumerate(self.headings):
            full = f"{heading.number} {heading.title}".strip()
            if _REFERENCES.match(heading.title) or _REFERENCES.match(full):
                part = Part.REFERENCES
            elif _APPENDIX.match(heading.title) or (
                heading.level == 0 and position > last_task and _LETTERED.match(heading.title)
            ):
                part = Part.APPENDIX
            elif heading.number and position <= last_task:
                part = Part.BODY
            changes.append((heading.index, part))
        found = [Part.BODY] * len(self.lines)
        for (begin, part), end in zip(
            changes, [index for index, _ in changes[1:]] + [len(self.lines)], strict=True
        ):
            found[begin:end] = [part] * max(end - begin, 0)
        return tuple(found)

    @cached_property
    def body_pages(self) -> tuple[int, ...]:
        """Pages with text or pictures of the body."""
        pages = {one.page for one, part in zip(self.lines, self.parts, strict=True) if part is Part.BODY}
        if pages:  # pages of pictures alone belong to what surrounds them
            with_text = {one.page for one in self.lines}
            for number, page in enumerate(self.content.pages, start=1):
                if number not in with_text and page.pictures and number - 1 in pages:
                    pages.add(number)
        return tuple(sorted(pages))

    @cached_property
    def captions(self) -> tuple[Caption, ...]:
        found = []
        index = 0
        while index < len(self.lines):
            one = self.lines[index]
            match = _CAPTION.match(one.text)
            if not match:
                index += 1
                continue
            last = self._paragraph_end(index)
            text = " ".join(
                [match["text"], *(self.lines[n].text for n in range(index + 1, last + 1))]
            ).strip()
            found.append(Caption(_kind(match["kind"]), match["number"], text, one.page, index, last))
            index = last + 1
        return tuple(found)

    def _paragraph_end(self, index: int) -> int:
        """Index of the last line set closely below this one, in the same size."""
        while index + 1 < len(self.lines):
            here, below = self.lines[index], self.lines[index + 1]
            step = here.line.y - below.line.y
            same = here.page == below.page and abs(here.line.size - below.line.size) < 0.3
            close = same and -0.5 * here.line.size < step < 1.6 * here.line.size
            if not close or _CAPTION.match(below.text):
                break
            index += 1
        return index

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """References to figures and tables in the text, not in captions."""
        captioned = {n for caption in self.captions for n in range(caption.first, caption.last + 1)}
        offsets: list[tuple[int, int]] = []  # offset in the text, index of the line
        pieces: list[str] = []
        length = 0
        for index, one in enumerate(self.lines):
            if index in captioned:
                pieces.append(" ¶ ")
                length += 3
                continue
            offsets.append((length, index))
            words = " ".join(one.text.split()) + " "
            pieces.append(words)
            length += len(words)
        text = "".join(pieces)
        found = []
        position = 0
        for match in _MENTION.finditer(text):
            while position + 1 < len(offsets) and offsets[position + 1][0] <= match.start():
                position += 1
            index = offsets[position][1]
            for number in _listed(match["numbers"]):
                found.append(Mention(_kind(match["kind"]), number, self.lines[index].page, index))
        return tuple(found)

    def position(self, index: int) -> float:
        """How far down the document a line stands, in pages."""
        if index >= len(self.lines):
            return float(len(self.content.pages))
        one = self.lines[index]
        height = self.content.pages[one.page - 1].height
        return one.page - 1 + min(max(1 - one.line.y / height, 0.0), 1.0)


def task_number(title: str, above: str) -> tuple[str, str]:
    """Number and rest of a heading: "1 a) Look" → "1a"; "b) Look" below task 2 → "2b"."""
    for pattern in _NUMBERS:
        if match := pattern.match(title):
            return "".join(match.groups()), title[match.end() :].strip()
    if above and (match := _SUBTASK.match(title)):
        return above + match[1], title[match.end() :].strip()
    return "", title


def _listed(numbers: str) -> list[str]:
    """The numbers in "2, 3 and 5" or "2–4"; letters of subfigures fall away."""
    found: list[str] = []
    for match in re.finditer(rf"({_NUMBER})[a-z]?(\s*(?:–|—|-|\bto\b|\bbis\b|\bthrough\b)?)", numbers):
        if found and found[-1] == "…" and found[-2].isdigit() and match[1].isdigit():
            found.pop()
            first, last = int(found[-1]), int(match[1])
            found.extend(str(n) for n in range(first + 1, min(last, first + 100)))
        elif found and found[-1] == "…":
            found.pop()
        found.append(match[1])
        if match[2].strip():
            found.append("…")
    return [number for number in found if number != "…"]


def _kind(word: str) -> str:
    return "Table" if word.startswith("Tab") else "Figure"


def _digitless(text: str) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s+", " ", text)).strip()


def _squashed(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
