"""PDFs that attack whoever reads them, or that are broken: `PDFS` maps a name to a maker and a verdict.

Each is small on disk and must end in its verdict within the limits of `grading.sandbox`.
"""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable, Sequence

import pypdf


def _pdf(*objects: bytes, root: int = 1) -> bytes:
    """A PDF of objects numbered from 1, with its cross-reference table."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + trailer % (len(objects) + 1, root, table))


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    head = b"<< /Filter /FlateDecode /Length %d %s >>" % (len(packed), entries)
    return head + b"\nstream\n" + packed + b"\nendstream"


_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
_FONT = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"


def _page(
    contents: bytes,
    resources: bytes = _FONT,
    box: bytes = b"0 0 595 842",
    more: Sequence[bytes] = (),
    catalog: bytes = _CATALOG,
) -> bytes:
    """A PDF of one page that draws the contents; further objects are numbered from 5."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R /Resources %s >>" % (box, resources)
    return _pdf(catalog, _PAGES, page, _stream(contents), *more)


_BLANK = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def _hello(text: bytes = b"Hello") -> bytes:
    return b"BT /F 12 Tf 72 700 Td (%s) Tj ET" % text


def _noise() -> bytes:
    return b"%PDF-1.7\n" + random.Random(4).randbytes(4000)


def _truncated() -> bytes:
    whole = _page(_hello() * 50)
    return whole[: len(whole) // 2]


def _encrypted() -> bytes:
    writer = pypdf.PdfWriter(io.BytesIO(_page(_hello())))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _no_pages() -> bytes:
    return _pdf(_CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>")


def _many_pages() -> bytes:
    """One page, listed 60,000 times."""
    kids = b"3 0 R " * 60_000
    return _pdf(_CATALOG, b"<< /Type /Pages /Kids [%s] /Count 60000 >>" % kids, _BLANK)


def _tree_of_itself() -> bytes:
    """A page tree that is its own child."""
    return _pdf(_CATALOG, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000 >>")


def _stream_bomb() -> bytes:
    """200 MB of page contents in 200 kB, packed twice to less than 1 kB."""
    packed = zlib.compress(zlib.compress(b" " * 200_000_000, 9), 9)
    head = b"<< /Filter [/FlateDecode /FlateDecode] /Length %d >>" % len(packed)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    return _pdf(_CATALOG, _PAGES, page, head + b"\nstream\n" + packed + b"\nendstream")


def _drawing_bomb() -> bytes:
    """Millions of curves."""
    return _page(b"0 0 m 600 800 0 800 600 0 c 0 800 600 0 0 0 c S\n" * 1_500_000)


def _slow_drawing() -> bytes:
    """Thousands of shadings of the whole page, each computed for every pixel by a small program."""
    program = b"{ 2 copy mul sin exch cos add 1 add 2 div dup dup }"
    function = b"/FunctionType 4 /Domain [0 595 0 842] /Range [0 1 0 1 0 1]"
    shading = b"<< /ShadingType 1 /ColorSpace /DeviceRGB /Domain [0 595 0 842] /Function 6 0 R >>"
    return _page(
        b"/S sh\n" * 20_000, b"<< /Shading << /S 5 0 R >> >>", more=(shading, _stream(program, function))
    )


def _many_letters() -> bytes:
    """A page with two hundred thousand letters on it."""
    return _page(b"BT /F 1 Tf 1 TL 10 800 Td " + b"(%s) ' " % (b"abcdefghi " * 200) * 100 + b"ET")


def _huge_page() -> bytes:
    return _page(_hello(), box=b"0 0 2000000 2000000")


def _strip() -> bytes:
    return _page(_hello(), box=b"0 0 1 900000")


def _huge_image() -> bytes:
    """100,000 x 100,000 pixels, all black."""
    entries = b"/Subtype /Image /Width 100000 /Height 100000 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    image = _stream(bytes(10_000_000), entries)
    return _page(b"q 500 0 0 500 20 20 cm /I Do Q", b"<< /XObject << /I 5 0 R >> >>", more=(image,))


def _self_drawing_form() -> bytes:
    """A drawing that draws itself twice."""
    resources = b"<< /XObject << /X 5 0 R >> >>"
    form = _stream(b"/X Do /X Do", b"/Subtype /Form /BBox [0 0 9 9] /Resources " + resources)
    return _page(b"/X Do", resources, more=(form,))


def _laughs() -> bytes:
    """Drawings that draw ten others each, eight levels deep: a hundred million in the end."""
    levels = 8
    forms = []
    for level in range(levels):
        inside = b"/Resources << /XObject << /X %d 0 R >> >>" % (6 + level) if level < levels - 1 else b""
        drawn = b"/X Do " * 10 if inside else b"0 0 m 9 9 l S"
        forms.append(_stream(drawn, b"/Subtype /Form /BBox [0 0 9 9] " + inside))
    return _page(b"/X Do", b"<< /XObject << /X 5 0 R >> >>", more=forms)


def _deep_array() -> bytes:
    """Brackets in brackets, for readers that recurse."""
    nest = b"[" * 100_000 + b"]" * 100_000
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Deep %s >>" % nest, _PAGES, b"<< /Type /Page /Parent 2 0 R >>"
    )


def _outline_in_a_ring() -> bytes:
    """Bookmarks that follow each other for ever."""
    entry = b"<< /Title (again) /Parent 4 0 R /Next 5 0 R /Prev 5 0 R /Dest [3 0 R /Fit] >>"
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>",
        _PAGES,
        _BLANK,
        b"<< /Type /Outlines /First 5 0 R /Last 5 0 R /Count 1 >>",
        entry,
    )


def _outline_without_text() -> bytes:
    """A scan whose bookmarks are all there."""
    return _pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>",
        _PAGES,
        _BLANK,
        b"<< /Type /Outlines /First 5 0 R /Last 5 0 R /Count 1 >>",
        b"<< /Title (1 Implement an MLP) /Parent 4 0 R /Dest [3 0 R /Fit] >>",
    )


def _table_in_a_ring() -> bytes:
    """A cross-reference table whose predecessor is itself."""
    whole = _page(_hello())
    at = whole.rindex(b"xref\n0")
    return whole.replace(b"/Root 1 0 R >>", b"/Root 1 0 R /Prev %d >>" % at)


def _acting(action: bytes) -> bytes:
    return _page(_hello(), catalog=b"<< /Type /Catalog /Pages 2 0 R /OpenAction %s >>" % action)


# The words that a warning must have; empty where the page can be read and merely is no report.
PDFS: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty file"),
    "not-a-pdf": (lambda: b"<html><script>alert(1)</script></html>", "not a PDF"),
    "noise": (_noise, "broken"),
    "truncated": (_truncated, "broken"),
    "encrypted": (_encrypted, "encrypted"),
    "no-pages": (_no_pages, "broken"),
    "many-pages": (_many_pages, "60000 pages"),
    "tree-of-itself": (_tree_of_itself, "1000000 pages"),
    "stream-bomb": (_stream_bomb, "memory"),
    "drawing-bomb": (_drawing_bomb, "memory"),
    "slow-drawing": (_slow_drawing, "stopped after"),
    "many-letters": (_many_letters, ""),
    "huge-page": (_huge_page, ""),
    "strip": (_strip, ""),
    "huge-image": (_huge_image, ""),
    "self-drawing-form": (_self_drawing_form, "memory"),
    "laughs": (_laughs, "memory"),
    "deep-array": (_deep_array, "broken"),
    "outline-in-a-ring": (_outline_in_a_ring, ""),
    "outline-without-text": (_outline_without_text, "hardly any text"),
    "table-in-a-ring": (_table_in_a_ring, ""),
    "script": (lambda: _acting(b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"), ""),
    "launch": (lambda: _acting(b"<< /S /Launch /F (/bin/sh) >>"), ""),
}
