"""Compares a rebuilt PDF with the one handed in: pages, words and numbers, and what is drawn."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pypdfium2
from PIL import Image, ImageChops

from handin.files import fingerprint
from handin.reading import pdf
from handin.reading.layout import Layout

SCALE = 1.5  # pixels per pt at which pages are compared
SHADE = 40  # of 255: a pixel that differs by less is the same
PIXELS = 12  # as many may differ on a page, from rounding


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    place: str  # "report.pdf, page 3"
    message: str


@dataclass(frozen=True)
class Comparison:
    """What two versions of one document have in common, and what not."""

    document: str  # report.pdf
    same_bytes: bool
    pages: int  # of the one handed in, like the counts that follow
    numbers: int
    figures: int
    differences: tuple[Difference, ...]
    causes: tuple[str, ...] = ()  # what else differs: other sources, other packages, another Typst

    @property
    def reproduced(self) -> bool:
        return not self.differences


@dataclass(frozen=True)
class _Word:
    text: str
    page: int  # from 1


def compare(document: str, handed_in: bytes, rebuilt: bytes) -> Comparison:
    """Compare two versions of a PDF.

    Raises:
        pdf.PdfError: one of them cannot be read.
    """
    before, after = Layout(pdf.read(handed_in)), Layout(pdf.read(rebuilt))
    same = handed_in == rebuilt
    words = _words(before.content)
    return Comparison(
        document,
        same,
        len(before.content.pages),
        sum(bool(_number(word.text)) for word in words),
        sum(caption.kind == "Figure" for caption in before.captions),
        () if same else tuple(_differences(document, handed_in, rebuilt, before, after)),
        tuple(_causes(before.content.info, after.content.info)),
    )


def _causes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """What the two PDFs say of how they were made, where it differs."""
    was, now = before.get("Creator", "an unnamed program"), after.get("Creator", "an unnamed program")
    if was != now:
        yield f"set by {was}, now by {now}"
    held, rebuilt = fingerprint.from_pdf(before), fingerprint.from_pdf(after)
    if held and rebuilt:
        yield from held.changes(rebuilt)


def _differences(
    document: str, handed_in: bytes, rebuilt: bytes, before: Layout, after: Layout
) -> Iterator[Difference]:
    pages, now = len(before.content.pages), len(after.content.pages)
    if pages != now:
        yield Difference(document, f"{pages} pages handed in, {now} rebuilt")
    figures = [sum(caption.kind == "Figure" for caption in layout.captions) for layout in (before, after)]
    if figures[0] != figures[1]:
        yield Difference(document, f"{figures[0]} figures handed in, {figures[1]} rebuilt")
    changed = set()
    for change in _changed_words(_words(before.content), _words(after.content)):
        changed.add(change.page)
        yield Difference(f"{document}, page {change.page}", change.text)
    if pages == now:
        for page in _pages_drawn_differently(handed_in, rebuilt):
            if page not in changed:  # other words look different anyway
                names = [f"{one.kind} {one.number}" for one in before.captions if one.page == page]
                drawn = f"{', '.join(names)} or something near is" if names else "something is"
                yield Difference(f"{document}, page {page}", f"{drawn} drawn differently")


def _words(content: pdf.Content) -> list[_Word]:
    return [
        _Word(word, number)
        for number, page in enumerate(content.pages, start=1)
        for word in page.text.split()
    ]


def _number(word: str) -> str:
    """The digits of a word with sign, point and exponent; empty where it has none."""
    match = re.search(r"[+\-−]?\d[\d.,]*(?:e[+\-−]?\d+)?", word)
    return match[0] if match else ""


def _changed_words(before: list[_Word], after: list[_Word]) -> Iterator[_Word]:
    """Every run of words that is not the same, in words, at the page it was handed in on."""
    matcher = difflib.SequenceMatcher(
        None, [word.text for word in before], [word.text for word in after], autojunk=False
    )
    for kind, start, end, start_now, end_now in matcher.get_opcodes():
        if kind == "equal":
            continue
        was, now = before[start:end], after[start_now:end_now]
        context = _text(before[max(start - 4, 0) : start])
        page = (was or before[max(start - 1, 0) : start] or [_Word("", 1)])[0].page
        what = "the number" if any(_number(word.text) for word in (*was, *now)) else "the text"
        yield _Word(f"{what} after “{context}” was “{_text(was)}”, is “{_text(now)}”", page)


def _text(words: list[_Word]) -> str:
    text = " ".join(word.text for word in words)
    return text if len(text) <= 80 else f"{text[:60]} … ({len(words)} words)"


def _pages_drawn_differently(handed_in: bytes, rebuilt: bytes) -> Iterator[int]:
    with pypdfium2.PdfDocument(handed_in) as before, pypdfium2.PdfDocument(rebuilt) as after:
        for index in range(min(len(before), len(after))):
            pictures = [_drawn(document[index]) for document in (before, after)]
            if pictures[0].size != pictures[1].size:
                yield index + 1
                continue
            difference = ImageChops.difference(*pictures).point(lambda shade: 255 * (shade >= SHADE))
            if difference.histogram()[255] > PIXELS:
                yield index + 1


def _drawn(page: pypdfium2.PdfPage) -> Image.Image:
    picture: Image.Image = page.render(scale=SCALE, grayscale=True).to_pil().convert("L")
    return picture
