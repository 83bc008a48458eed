"""Fonts: all embedded, none of Type 3; no text in a figure smaller than can be read. All notes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handin.reading.layout import Layout
from handin.reading.pdf import Picture
from handin.reading.submission import NOTEBOOK, Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, noted, passed
from handin.rules.report import on_report

FONTS = "fonts"
TEXT_SIZE = "text-size"
SMALLEST = 6.0  # pt
TOLERANCE = 0.05  # pt, for rounding in the PDF
SAME_RATIO = 0.003  # of height to width, between a drawing and its picture on the page

# Matplotlib draws letters as outlines in groups scaled by a hundredth of the font size.
_OUTLINED = re.compile(
    r"<g[^>]*transform=\"translate\([^)]*\)(?: rotate\([^)]*\))? scale\(([\d.]+) -[\d.]+\)\"[^>]*>(.*?)</g>",
    re.S,
)
_INNER = re.compile(r"<use[^>]*transform=\"[^\"]*scale\(([\d.]+)\)")
_LABEL = re.compile(r"#\|\s*label:\s*[\"']?([\w-]+)")


def fonts(submission: Submission) -> list[Finding]:
    """Every font of report and notebook is embedded, and none is of Type 3.

    Why: good practice, because other machines show other letters in the place of a font that is not
    embedded, and letters of Type 3 cannot be searched everywhere. Nobody demands it, so it is a note.

    Fails: nothing; Matplotlib's own fonts of Type 3 are noted.

    Passes: a report of pdflatex without figures.
    """
    if not submission.readable:
        return [cannot_tell(FONTS, "there is no report to read")]
    found, count = [], 0
    for path, content in submission.readable:
        held = content.fonts
        count += len(held)
        for names, remedy in (
            ([f for f in held if f.kind == "Type3"], "set matplotlib's `pdf.fonttype` to 42, or use SVG"),
            ([f for f in held if not f.embedded], "let the program that writes the PDF embed all fonts"),
        ):
            if names:
                what = "of Type 3" if names[0].kind == "Type3" else "not embedded"
                listed = ", ".join(dict.fromkeys(font.name for font in names[:3]))
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                place = at(path, page=names[0].page)
                found.append(noted(FONTS, f"{what}: {listed}{more}", place, remedy))
    return found or [passed(FONTS, f"{count} fonts, all embedded, none of Type 3")]


@on_report(TEXT_SIZE)
def text_size(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """The smallest text in the report's figures is at least 6 pt on the page.

    Why: good practice, because smaller letters cannot be read on paper. Nobody demands it, so it is a note.

    Fails: nothing; tick labels of 4 pt are noted.

    Passes: a figure drawn with letters of 9 pt and set at three quarters of its width.
    """
    sizes = [
        (text.size, at(document.path, page=number))
        for number, page in enumerate(layout.content.pages, start=1)
        for text in page.picture_text
        if text.size > 0.5
    ]
    sizes += _outlined(submission, [picture for page in layout.content.pages for picture in page.pictures])
    if not sizes:
        return [passed(TEXT_SIZE, "no figure with text that can be measured", document.path)]
    small: dict[str, float] = {}
    for size, place in sizes:
        if size < SMALLEST - TOLERANCE:
            small[place] = min(size, small.get(place, size))
    remedy = f"draw with a larger font, or the figure smaller, so that {SMALLEST:g} pt remain"
    return [
        noted(TEXT_SIZE, f"text of {size:.1f} pt in a figure", place, remedy) for place, size in small.items()
    ] or [passed(TEXT_SIZE, f"the smallest text in a figure has {min(sizes)[0]:.1f} pt", document.path)]


def _outlined(submission: Submission, pictures: list[Picture]) -> Iterator[tuple[float, str]]:
    """Smallest letter of every figure whose letters are outlines in the notebook's SVG, and its place.

    The drawn size follows from the picture of the same proportions; without one, figures have their own size.
    """
    floats = {one.label: one.place for one in (submission.outline.floats if submission.outline else ())}
    for cell in submission.cells(NOTEBOOK) if submission.is_ours else ():
        label = _LABEL.search(cell.source)
        for output in cell.outputs:
            svg = output.get("image/svg+xml", "")
            sizes = [
                100 * float(group[1]) * min([1.0, *map(float, _INNER.findall(group[2]))])
                for group in _OUTLINED.finditer(svg)
            ]
            if sizes:
                place = floats.get(label[1], NOTEBOOK) if label else NOTEBOOK
                yield min(sizes) * _scale(svg, pictures), place


def _scale(svg: str, pictures: list[Picture]) -> float:
    """Width on the page by width of the SVG."""
    head = svg[: svg.find(">", svg.find("<svg")) + 1]
    width, height = (re.search(rf'\b{side}="([\d.]+)(pt|px|in)?"', head) for side in ("width", "height"))
    if not width or not height:
        return 1.0
    unit = {"in": 72.0, "pt": 1.0}.get(width[2], 0.75)
    own, ratio = float(width[1]) * unit, float(height[1]) / float(width[1])
    drawn = [
        (p.right - p.left) / own
        for p in pictures
        if not p.raster and abs((p.top - p.bottom) / (p.right - p.left) - ratio) < SAME_RATIO * ratio
    ]
    return min([scale for scale in drawn if 0.3 < scale < 1.5], default=1.0)
