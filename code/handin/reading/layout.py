"""How a report is built, as its PDF shows it: headings with task numbers, parts, captions, mentions.

A PDF says where letters stand, not what they are. So everything here is read from the look of lines, and says
of itself whether it is sure; the rules fail a report for nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from statistics import median

from handin.reading.pdf import Content, Line


class Part(StrEnum):
    BODY = "body"
    REFERENCES = "references"
    APPENDIX = "appendix"


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
    sure: bool  # set apart from the text around it, with a sign between number and words


@dataclass(frozen=True)
class Mention:
    kind: str
    number: str
    page: int
    index: int
    in_caption: bool
    sure: bool  # plainly ours: not "Figure 5.1 of Bishop", not the 12 of "Figure 3 and 12 networks"


LARGER = 1.08  # a heading's letters by the text's, at least
HEADING = 100  # characters, at most
SAME_SIZE = 0.3  # pt between sizes that are meant to be the same
SAME_PARAGRAPH = 1.25  # steps between lines, at most

REFERENCES = re.compile(
    r"(?i)(?:\d+\.?\s+|[IVX]+\.\s+)?(references?( and sources| list)?|bibliography|literature|"
    r"works cited|literatur(verzeichnis)?|quellen(verzeichnis)?|sources|referenzen)\s*:?$"
)
_APPENDIX = re.compile(r"(?i)(?:[A-Z\d]\.?\s+)?(appendix|appendices|anhang|supplement)\b")
_APPENDIX_ALONE = re.compile(r"(?i)(?:[A-Z\d]\.?\s+)?(appendix|appendices|anhang)(\s+[A-Z\d])?[.:]?$")
_LETTERED = re.compile(r"[A-Z]\.?\s+[A-ZÄÖÜ]")
_CHAPTER = re.compile(r"(?i)(?:chapter|kapitel)\s+(\d+)$")
_PAGE_NUMBER = re.compile(r"(?i)(page\s*|seite\s*|[-–]\s*)?(\d+|[ivx]+)(\s*(of|von|/|[-–])\s*\d*)?")
_WORD = r"(?:(?:task|exercise|question|problem|part|section|aufgabe|teil)\s+)?"
_NUMBERS = (
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})\.\d{{1,2}}\.?\s+\(?([a-z])[).:](?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})\s*[.(]?\s*([a-z])\s*[).:](?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})[.\-]?\(?([a-z])\)?(?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}}(?:\.\d{{1,2}})+)\.?(?=\s|$)"),
    re.compile(rf"(?i:{_WORD})(\d{{1,2}})[.):]?(?=\s|$)"),
)
_SUBTASK = re.compile(r"\(?([a-z])[).:](?=\s|$)")

_KIND = r"\b(?P<kind>(?i:fig(?:ure)?s?|abb(?:ildung(?:en)?)?|tab(?:le)?s?|tabellen?))"
_NUMBER = r"(?:[A-Z]\.?)?\d+(?:\.\d+)*|[IVXL]+\b"
_SUB = r"(?:\s?\([a-z](?:\s?[-–,]\s?[a-z])*\)|[a-z](?:\s?[-–]\s?[a-z])?\b)?"
_JOINT = r"(?:[\s,;&/–—-]|\b(?:and|or|und|oder|sowie|to|bis|through)\b)"
_MENTION = re.compile(
    rf"{_KIND}\.?\s?(?P<numbers>(?:{_NUMBER}){_SUB}(?:{_JOINT}{{1,6}}(?:{_NUMBER}){_SUB}){{0,20}})"
)
_LISTED = re.compile(rf"({_NUMBER}){_SUB}(\s*(?:–|—|-|\bto\b|\bbis\b|\bthrough\b))?")
_ELSEWHERE = re.compile(r"\s*(?:of|in|from|by|von|aus|im|bei)\s|\s*[\[(]")
_CAPTION = re.compile(
    rf"{_KIND}\.?\s*(?P<number>{_NUMBER})(?P<sign>\s*(?:\.?:|[.|–—-])(?=\s|$)|(?=\s+[A-ZÄÖÜ(])|$)"
)
_CONTENTS = re.compile(r"(\.\s?){4,}|\s\d+$")  # a line of a list of figures


class Layout:
    """The structure of one PDF."""

    def __init__(self, content: Content) -> None:
        self.content = content

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All lines in order, without running headers, footers and page numbers."""
        edges = [_edges(page.lines) for page in self.content.pages]
        count = Counter(text for lines in edges for text in {_digitless(line.text) for line in lines})
        often = max(2, len(edges) // 3)
        return tuple(
            line
            for page, edge in zip(self.content.pages, edges, strict=True)
            for line in page.lines
            if line not in edge
            or (count[_digitless(line.text)] <= often and not _PAGE_NUMBER.fullmatch(line.text))
        )

    @cached_property
    def body_size(self) -> float:
        """The font size that most of the text is set in, pt."""
        sizes: Counter[float] = Counter()
        for one in self.lines:
            sizes[round(one.size, 1)] += len(one.text)
        return sizes.most_common(1)[0][0] if sizes else 0.0

    @cached_property
    def _step(self) -> float:
        """How far below each other the lines of a paragraph stand, pt."""
        pairs = zip(self.lines, self.lines[1:], strict=False)
        steps = [a.end - b.y for a, b in pairs if a.page == b.page and a.end > b.y]
        return median(steps) if steps else 0.0

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """From the bookmarks, and from lines that stand out where these hold no numbers."""
        found = list(self._bookmarked())
        if not any(heading.number for heading in found):
            found = list(self._standing_out())
        held = {heading.index for heading in found}
        found += [heading for heading in self._closing() if heading.index not in held]
        return tuple(sorted(found, key=lambda heading: heading.index))

    def _bookmarked(self) -> Iterator[Heading]:
        above, start = "", 0
        for entry in self.content.outline if self.lines else ():
            index, text = self._line_of(entry.title, entry.page, start)
            start = max(start, index)
            number, title = task_number(entry.title, above)
            if not number and text and text != entry.title:
                number, title = task_number(text, above)
            if not number and text and (chapter := _CHAPTER.match(self.lines[max(index - 1, 0)].text)):
                number = chapter[1]
            above = number if number.isdigit() else above
            yield Heading(number, title, entry.level, entry.page, index)

    def _standing_out(self) -> Iterator[Heading]:
        above = ""
        for index, one in enumerate(self.lines):
            named = re.match(rf"(?i){_WORD}\d{{1,2}}\b", one.text) and not one.text[0].isdigit()
            if len(one.text) < HEADING and (named or one.size > LARGER * self.body_size):
                number, title = task_number(one.text, above)
                above = number if number.isdigit() else above
                if number:
                    yield Heading(number, title, 0 if number.isdigit() else 1, one.page, index)

    def _closing(self) -> Iterator[Heading]:
        """Headings of the reference list and the appendix, which bookmarks often leave out."""
        for index, one in enumerate(self.lines):
            large = one.size > LARGER * self.body_size and len(one.text) < HEADING
            if (
                REFERENCES.match(one.text)
                or _APPENDIX_ALONE.match(one.text)
                or (large and (_APPENDIX.match(one.text) or _LETTERED.match(one.text)))
            ):
                yield Heading("", one.text, 0, one.page, index)

    def _line_of(self, title: str, page: int, start: int) -> tuple[int, str]:
        """Index and text of the line that a bookmark leads to: the first on its page that fits its title."""
        wanted = _squashed(title)
        there = [n for n, one in enumerate(self.lines) if one.page == page]
        for index in there:
            text = _squashed(self.lines[index].text)
            numbered = text.endswith(wanted) and len(text) - len(wanted) <= 4
            begun = (len(text) > 3 and wanted.startswith(text)) or text.startswith(wanted)  # run-in headings
            if index >= start and wanted and (numbered or begun):
                return index, self.lines[index].text
        return max([start, *there[:1]]), ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The part that each line belongs to."""
        last_task = max((n for n, h in enumerate(self.headings) if h.number), default=-1)
        found = [Part.BODY] * len(self.lines)
        part = Part.BODY
        for position, heading in enumerate(self.headings):
            full = f"{heading.number} {heading.title}".strip()
            if REFERENCES.match(heading.title) or REFERENCES.match(full):
                part = Part.REFERENCES
            elif _APPENDIX.match(heading.title) or (
                heading.level == 0
                and position > last_task
                and _LETTERED.match(self.lines[heading.index].text)
            ):
                part = Part.APPENDIX
            elif heading.number and position <= last_task:
                part = Part.BODY
            found[heading.index :] = [part] * (len(self.lines) - heading.index)
        return tuple(found)

    @cached_property
    def body_pages(self) -> tuple[int, ...]:
        """Pages with text or pictures of the body."""
        pages = {one.page for one, part in zip(self.lines, self.parts, strict=True) if part is Part.BODY}
        with_text = {one.page for one in self.lines}
        for number, page in enumerate(self.content.pages, start=1):
            # Pages of pictures alone belong to what surrounds them; without any text all may be body.
            if number not in with_text and page.pictures and (number - 1 in pages or not with_text):
                pages.add(number)
        return tuple(sorted(pages))

    @cached_property
    def captions(self) -> tuple[Caption, ...]:
        found: list[Caption] = []
        for index, one in enumerate(self.lines):
            match = _CAPTION.match(one.text)
            if not match or _CONTENTS.search(one.text) or (found and index <= found[-1].last):
                continue
            colon = match["sign"].strip() not in ("", "-")
            broken = self._begins(index)
            apart = not self._continues(index) or (broken and ":" in match["sign"])
            ended = apart or self.lines[index - 1].text.endswith((".", "!", "?", ":"))
            if not (apart or (colon and ended)):
                continue  # running text that happens to break before the word
            last = self._paragraph_end(index)
            text = " ".join(
                [one.text[match.end() :], *(self.lines[n].text for n in range(index + 1, last + 1))]
            )
            small = one.size < self.body_size - SAME_SIZE
            sure = colon and apart and (small or not broken)
            found.append(
                Caption(
                    _kind(match["kind"]), _arabic(match["number"]), text.strip(), one.page, index, last, sure
                )
            )
        certain = {(c.kind, c.number) for c in found if c.sure}
        return tuple(c for c in found if c.sure or (c.kind, c.number) not in certain)

    def _begins(self, index: int) -> bool:
        """Whether a line is the first of a page or column."""
        above, here = self.lines[index - 1], self.lines[index]
        return index == 0 or above.page != here.page or above.end <= here.y

    def _continues(self, index: int) -> bool:
        """Whether a line goes on with the paragraph of the line before it."""
        above, here = self.lines[index - 1], self.lines[index]
        if index == 0 or abs(above.size - here.size) >= SAME_SIZE:
            return False
        if self._begins(index):  # a sentence that has not ended goes on
            return above.text[-1:].islower() and here.size > self.body_size - SAME_SIZE
        return above.end - here.y < SAME_PARAGRAPH * max(self._step, here.size)

    def _paragraph_end(self, index: int) -> int:
        """Index of the last line that goes on with this one."""
        while index + 1 < len(self.lines) and self._continues(index + 1):
            if self._begins(index + 1) or _CAPTION.match(self.lines[index + 1].text):
                break
            index += 1
        return index

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """References to figures and tables; the label of a caption is none."""
        starts: list[int] = []  # of the lines, in the text
        pieces: list[str] = []
        length = 0
        labels = {caption.first for caption in self.captions}
        captioned = {n: c for c in self.captions for n in range(c.first, c.last + 1)}
        for index, one in enumerate(self.lines):
            label = _CAPTION.match(one.text) if index in labels else None
            words = " ".join((one.text[label.end() :] if label else one.text).split()) + " "
            starts.append(length)
            pieces.append(words)
            length += len(words)
        text = "".join(pieces)
        found = []
        for match in _MENTION.finditer(text):
            index = bisect_right(starts, match.start()) - 1
            # A word at the end of a line and a number on the next may have nothing to do with each other.
            together = bisect_right(starts, match.start("numbers")) - 1 == index
            ours = together and not _ELSEWHERE.match(text, match.end())
            plural = match["kind"].lower().endswith(("s", "en"))
            for position, number in enumerate(listed(match["numbers"])):
                sure = ours and (position == 0 or plural)
                kind, page = _kind(match["kind"]), self.lines[index].page
                caption = captioned.get(index)  # none names itself: that is text close below it
                inside = caption is not None and (caption.kind, caption.number) != (kind, number)
                found.append(Mention(kind, number, page, index, inside, sure))
        return tuple(found)

    def position(self, index: int) -> float:
        """How far down the document a line stands, in pages."""
        if index >= len(self.lines):
            return float(len(self.content.pages))
        one = self.lines[index]
        height = self.content.pages[one.page - 1].height
        return one.page - 1 + min(max(1 - one.y / height, 0.0), 1.0)


def task_number(title: str, above: str) -> tuple[str, str]:
    """Number and rest of a heading: "1 a) Look" → "1a"; "b) Look" below task 2 → "2b"."""
    for pattern in _NUMBERS:
        if match := pattern.match(title):
            return "".join(match.groups()), title[match.end() :].strip()
    if above and (match := _SUBTASK.match(title)):
        return above + match[1], title[match.end() :].strip()
    return "", title


def listed(numbers: str) -> list[str]:
    """The numbers in "2, 3 and 5" or "2–4"; letters of subfigures fall away."""
    found: list[str] = []
    ranged = False
    for match in _LISTED.finditer(numbers):
        number = _arabic(match[1])
        if ranged and found[-1].isdigit() and number.isdigit():
            first, last = int(found[-1]), int(number)
            found.extend(str(n) for n in range(first + 1, min(last, first + 100)))
        found.append(number)
        ranged = match[2] is not None
    return found


def _edges(lines: tuple[Line, ...]) -> list[Line]:
    """The two highest and the two lowest lines of a page, where headers, footers and page numbers stand."""
    ordered = sorted(lines, key=lambda line: line.y)
    return [*ordered[:2], *ordered[2:][-2:]]


def _arabic(number: str) -> str:
    """A number, Roman ones as 1, 2, …: IEEE's tables have such in their captions."""
    if not re.fullmatch(r"[IVXL]+", number):
        return number
    values = [{"I": 1, "V": 5, "X": 10, "L": 50}[sign] for sign in number]
    return str(sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True)))


def _kind(word: str) -> str:
    return "Table" if word.lower().startswith("tab") else "Figure"


def _digitless(text: str) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s+", " ", text)).strip()


def _squashed(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
