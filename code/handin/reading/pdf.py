"""What a PDF says about itself: text by lines, outline, fonts, pictures, metadata.

pdfium (the reader inside Chromium) gives text with positions, pypdf gives structure. Both parse files
from strangers: whoever reads those runs `read` in a process with limits.
"""

from __future__ import annotations

import ctypes
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import pypdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image
from pypdf.generic import DictionaryObject, IndirectObject

MOST_PAGES = 200  # a hand-in with more is not read
MOST_BYTES = 100_000_000
MOST_OUTLINE = 2_000  # bookmarks
MOST_OBJECTS = 200_000  # page objects looked at for pictures and text sizes, over all pages
MOST_BOXES = 500  # on a page, among which its pictures are
MOST_STREAM = 2_000_000  # bytes of the first page's content, looked at for missing glyphs
COLOURS = 24  # of a thumbnail
SMALLEST_PICTURE = (60.0, 40.0)  # pt; smaller images and boxes are not figures


# What pdfium gives for ligatures (T1 fonts of LaTeX do not name them), and for the hyphen of a broken word.
_LIGATURES = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
_T1 = {"\x1b": "ff", "\x1c": "fi", "\x1d": "fl", "\x1e": "ffi", "\x1f": "ffl"}
_PLAIN = str.maketrans({**_LIGATURES, **_T1, "\ufffe": "", "\x02": "", "\xad": "", "\xa0": " "})

# pypdf tells at length what is odd about a file; what matters of it comes as an error.
logging.getLogger("pypdf").setLevel(logging.ERROR)


class PdfError(Exception):
    """The file cannot be read as a PDF; the message says why."""


@dataclass(frozen=True)
class Line:
    """A line of text as pdfium groups it."""

    page: int  # that it stands on, from 1
    text: str
    x: float  # left edge, pt from the left of the page
    y: float  # lower edge of its first letter, pt from the bottom of the page
    size: float  # font size of its first letter, pt
    end: float  # lower edge of its last letter: pdfium joins lines at a hyphen


@dataclass(frozen=True)
class Picture:
    """An image, or a box that other drawing stands in."""

    left: float
    bottom: float
    right: float
    top: float
    kind: int  # pdfium's number for images, paths, forms
    shapes: int = 0  # drawn paths inside

    @property
    def raster(self) -> bool:
        return bool(self.kind == pdfium.FPDF_PAGEOBJ_IMAGE)

    def holds(self, x: float, y: float, margin: float = 0.0) -> bool:
        return (
            self.left - margin <= x <= self.right + margin and self.bottom - margin <= y <= self.top + margin
        )


@dataclass(frozen=True)
class SmallText:
    """A piece of text inside a picture."""

    size: float  # pt on the page
    x: float
    y: float


@dataclass(frozen=True)
class Page:
    """One page; lengths in pt, y upwards."""

    width: float
    height: float
    lines: tuple[Line, ...]
    pictures: tuple[Picture, ...]
    picture_text: tuple[SmallText, ...]  # real text inside pictures; letters drawn as outlines are not in it

    @cached_property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline."""

    level: int  # 0 for the top
    title: str
    page: int  # from 1


@dataclass(frozen=True)
class Font:
    """A font as the pages name it."""

    name: str
    kind: str  # Type0, Type1, TrueType, Type3 …
    embedded: bool
    page: int  # the first that names it, from 1


@dataclass(frozen=True)
class Content:
    """What the rules need of a PDF."""

    pages: tuple[Page, ...]
    outline: tuple[Bookmark, ...]
    fonts: tuple[Font, ...]
    info: dict[str, str]  # document information, names without the slash

    @cached_property
    def text(self) -> str:
        return "\n".join(page.text for page in self.pages)


def read(data: bytes) -> Content:
    """Read a PDF.

    Raises:
        PdfError: It is empty, no PDF, broken, encrypted or beyond the limits above.
    """
    if len(data) > MOST_BYTES:
        raise PdfError(f"larger than {MOST_BYTES // 1_000_000} MB")
    if b"%PDF-" not in data[:1024]:
        raise PdfError("not a PDF" if data else "empty file")
    try:
        with pypdfium2.PdfDocument(data) as document:
            pages, outline = tuple(_pages(document)), tuple(_outline(document))
    except pypdfium2.PdfiumError as error:
        raise PdfError(_reason(data, error)) from error
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise PdfError("encrypted")
        return Content(pages, outline, tuple(_fonts(reader)), _info(reader))
    except PdfError:
        raise
    # pypdf meets broken files with many kinds of error, RecursionError and AttributeError among them;
    # whatever it is, the file cannot be read.
    except Exception as error:
        raise PdfError(f"broken: {error or type(error).__name__}") from error


def thumbnail(data: bytes, width: int) -> bytes:
    """The first page as a PNG of `width` pixels in few colours.

    Raises:
        PdfError: The page cannot be drawn.
    """
    try:
        with pypdfium2.PdfDocument(data) as document:
            page = document[0]
            height = page.get_height() / page.get_width() * width
            if not 0 < height <= 4 * width:
                raise PdfError("the first page is a strip")
            picture = page.render(scale=width / page.get_width()).to_pil().convert("RGB")
    except pypdfium2.PdfiumError as error:
        raise PdfError(_reason(data, error)) from error
    written = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


def _reason(data: bytes, error: pypdfium2.PdfiumError) -> str:
    return "encrypted" if "assword" in str(error) or b"/Encrypt" in data else f"broken: {error}"


def _pages(document: pypdfium2.PdfDocument) -> Iterator[Page]:
    if len(document) > MOST_PAGES:
        raise PdfError(f"{len(document)} pages, more than {MOST_PAGES}")
    if not len(document):
        raise PdfError("no pages")
    budget = MOST_OBJECTS
    for number, page in enumerate(document, start=1):
        lines = tuple(_lines(page, number))
        pictures, text, used = _pictures(page, budget)
        budget -= used
        yield Page(page.get_width(), page.get_height(), lines, pictures, text)
        page.close()


def _lines(page: Any, number: int) -> Iterator[Line]:
    """Lines of a page. pdfium counts letters in UTF-16 units, so lines are cut before decoding."""
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        buffer = (ctypes.c_ushort * (count + 1))()
        got = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
        units = "".join(map(chr, buffer[: max(got - 1, 0)]))
        box = [ctypes.c_double() for _ in range(4)]  # left, right, bottom, top
        matrix = pdfium.FS_MATRIX()
        for match in re.finditer(r"[^\r\n]+", units):
            if not match[0].strip():
                continue
            text = match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            text = text.translate(_PLAIN)
            first = match.end() - len(match[0].lstrip())
            pdfium.FPDFText_GetCharBox(textpage, first, *box)
            size = pdfium.FPDFText_GetFontSize(textpage, first)
            if pdfium.FPDFText_GetMatrix(textpage, first, matrix):
                size *= (matrix.c**2 + matrix.d**2) ** 0.5
            x, y = box[0].value, box[2].value
            pdfium.FPDFText_GetCharBox(textpage, match.start() + len(match[0].rstrip()) - 1, *box)
            yield Line(number, text.strip(), x, y, size, box[2].value)
    finally:
        textpage.close()


def _pictures(page: Any, budget: int) -> tuple[tuple[Picture, ...], tuple[SmallText, ...], int]:
    """Images and drawings of a page, the text inside drawings, and how many objects were looked at.

    A drawing is a form (an included PDF), or a path as large as a figure in which further paths stand:
    plotting libraries draw a background first. Paths as wide as the page are frames, not figures.
    """
    boxes: list[Picture] = []
    shapes: list[tuple[float, float]] = []
    text: list[SmallText] = []
    used = 0
    widest = 0.97 * page.get_width()
    for item in page.get_objects(max_depth=6):
        used += 1
        if used > budget:
            raise PdfError(f"more than {MOST_OBJECTS} objects drawn")
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            text.append(_measured(item))
            continue
        try:
            left, bottom, right, top = _bounds(item)
        except pypdfium2.PdfiumError:  # an object without extent
            continue
        if item.type in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING):
            shapes.append(((left + right) / 2, (bottom + top) / 2))
        if SMALLEST_PICTURE[0] <= right - left < widest and top - bottom >= SMALLEST_PICTURE[1]:
            boxes.append(Picture(left, bottom, right, top, item.type))
    pictures = [replace(box, shapes=sum(box.holds(x, y) for x, y in shapes)) for box in _outermost(boxes)]
    readable = [p for p in pictures if p.kind == pdfium.FPDF_PAGEOBJ_FORM or (not p.raster and p.shapes > 3)]
    inside = tuple(piece for piece in text if any(picture.holds(piece.x, piece.y) for picture in readable))
    return tuple(pictures), inside, used


def _measured(item: Any) -> SmallText:
    """Where a piece of text begins, and its size on the page."""
    size = ctypes.c_float()
    pdfium.FPDFTextObj_GetFontSize(item, size)
    matrix = item.get_matrix()
    for holder in _holders(item):
        matrix = matrix.multiply(holder.get_matrix())
    a, b, c, d, x, y = matrix.get()
    return SmallText(size.value * abs(a * d - b * c) ** 0.5, x, y)


def _bounds(item: Any) -> tuple[float, float, float, float]:
    """The edges of an object on the page: left, bottom, right, top."""
    edges: tuple[float, float, float, float] = item.get_bounds()
    for holder in _holders(item):
        edges = holder.get_matrix().on_rect(*edges)
    return edges


def _holders(item: Any) -> Iterator[Any]:
    """The forms that an object stands in, the innermost first; each has coordinates of its own."""
    holder = item.container
    while holder is not None:
        yield holder
        holder = holder.container


def _outermost(boxes: list[Picture]) -> list[Picture]:
    """The largest boxes, without those that stand in others."""
    kept: list[Picture] = []
    for box in sorted(boxes, key=lambda b: (b.left - b.right) * (b.top - b.bottom))[:MOST_BOXES]:
        if not any(o.holds(box.left, box.bottom, 1) and o.holds(box.right, box.top, 1) for o in kept):
            kept.append(box)
    return kept


def _outline(document: pypdfium2.PdfDocument) -> Iterator[Bookmark]:
    for entry in islice(document.get_toc(), MOST_OUTLINE):
        target = entry.get_dest()
        number = target.get_index() if target else None
        title = " ".join(entry.get_title().split())
        if title and number is not None and number >= 0:
            yield Bookmark(entry.level, title, number + 1)


def _fonts(reader: pypdf.PdfReader) -> Iterator[Font]:
    """Every font that a page, or a form or pattern drawn on it, names."""
    found: set[tuple[str, str, bool]] = set()
    seen: set[int] = set()  # numbers of the objects looked into
    for number, page in enumerate(reader.pages, start=1):
        waiting = [page.get("/Resources")]
        while waiting:
            resources = waiting.pop()
            for _, _, entry in _group(resources, "/Font"):
                font = _font(entry, number)
                key = (font.name, font.kind, font.embedded)
                if key not in found:
                    found.add(key)
                    yield font
            for kind in ("/XObject", "/Pattern", "/Font"):  # letters of Type 3 are drawn likewise
                for _, index, entry in _group(resources, kind):
                    if not index or index not in seen:
                        seen.add(index)
                        waiting.append(entry.get("/Resources"))


def _group(resources: Any, kind: str) -> Iterator[tuple[str, int, DictionaryObject]]:
    """Entries of a group of resources: name, number of the object (0 for one in place), dictionary."""
    held = _resolved(resources)
    group = _resolved(held.get(kind)) if isinstance(held, DictionaryObject) else None
    for name, entry in group.items() if isinstance(group, DictionaryObject) else ():
        index = entry.idnum if isinstance(entry, IndirectObject) else 0
        entry = _resolved(entry)
        if isinstance(entry, DictionaryObject):
            yield str(name), index, entry


def _resolved(held: Any) -> Any:
    return held.get_object() if isinstance(held, IndirectObject) else held


def _font(font: DictionaryObject, page: int) -> Font:
    kind = str(font.get("/Subtype", "")).lstrip("/")
    name = str(font.get("/BaseFont", font.get("/Name", "unnamed"))).lstrip("/")
    described = font
    if kind == "Type0":
        below = font["/DescendantFonts"].get_object()
        described = below[0].get_object()  # type: ignore[index]
    descriptor = _resolved(described.get("/FontDescriptor"))
    embedded = kind == "Type3" or (
        isinstance(descriptor, DictionaryObject)
        and any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    )
    return Font(re.sub(r"^[A-Z]{6}\+", "", name), kind, embedded, page)


def _info(reader: pypdf.PdfReader) -> dict[str, str]:
    held: dict[Any, Any] = dict(reader.metadata or {})
    return {str(key).lstrip("/"): str(value) for key, value in held.items()}


def boxes(data: bytes) -> int:
    """How many letters of the first page are glyph 0, the empty box that stands for what a font lacks.

    Seen in fonts whose codes are glyph numbers of two bytes, as Typst and LaTeX's newer engines write them.

    Raises:
        PdfError: The page cannot be read.
    """
    try:
        return _boxes(pypdf.PdfReader(io.BytesIO(data)).pages[0])
    except Exception as error:  # see `read`
        raise PdfError(f"broken: {error or type(error).__name__}") from error


def _boxes(page: pypdf.PageObject) -> int:
    fonts = {
        name
        for name, _, font in _group(page.get("/Resources"), "/Font")
        if font.get("/Subtype") == "/Type0" and font.get("/Encoding") == "/Identity-H"
    }
    contents = page.get_contents()
    if contents is None or len(contents.get_data()) > MOST_STREAM:
        return 0
    count, current = 0, ""
    for operands, operator in contents.operations:
        if operator == b"Tf":
            current = str(operands[0])
        elif operator in (b"Tj", b"TJ", b"'") and current in fonts:
            held = operands[0] if isinstance(operands[0], list) else [operands[0]]
            for text in held:
                raw = getattr(text, "original_bytes", text)
                if isinstance(raw, bytes):
                    count += sum(raw[i : i + 2] == b"\0\0" for i in range(0, len(raw), 2))
    return count
