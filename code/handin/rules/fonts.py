"""Fonts: all embedded, none of Type 3; no text in a figure of the report smaller than can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from handin.reading.pdf import Picture
from handin.reading.python_code import cell_source
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, failed, passed
from handin.rules.report import no_report

FONTS = "fonts"
TEXT_SIZE = "text-size"
SMALLEST = 6.0  # pt
TOLERANCE = 0.05  # pt, for rounding in the PDF

# Matplotlib draws letters as outlines in groups scaled by a hundredth of the font size.
_OUTLINED = re.compile(
    r"<g[^>]*transform=\"translate\([^)]*\)(?: rotate\([^)]*\))? scale\(([\d.]+) -[\d.]+\)\"[^>]*>(.*?)</g>",
    re.S,
)
_INNER = re.compile(r"<use[^>]*transform=\"[^\"]*scale\(([\d.]+)\)")


def fonts(submission: Submission) -> list[Finding]:
    """Every font of report and notebook is embedded, and none is of Type 3."""
    read = [d for d in (submission.report, submission.notebook) if d and d.content]
    if not read:
        return [no_report(FONTS)]
    found = []
    names = 0
    for document in read:
        assert document.content is not None
        for font in document.content.fonts:
            names += 1
            place = at(document.path, page=font.page)
            if font.kind == "Type3":
                remedy = "set matplotlib's `pdf.fonttype` to 42, or use SVG figures"
                found.append(failed(FONTS, f"the font {font.name} is of Type 3", place, remedy))
            elif not font.embedded:
                remedy = "let the program that writes the PDF embed all fonts"
                found.append(failed(FONTS, f"the font {font.name} is not embedded", place, remedy))
    return found or [passed(FONTS, f"{names} fonts, all embedded, none of Type 3")]


def text_size(submission: Submission) -> list[Finding]:
    """The smallest text in the report's figures is at least 6 pt on the page."""
    document = submission.report
    if document is None or document.content is None:
        return [no_report(TEXT_SIZE)]
    found: list[Finding] = []
    smallest: list[float] = []
    remedy = (
        f"draw with a larger font, or the figure smaller, so that {SMALLEST:g} pt remain (subscripts count)"
    )
    for number, page in enumerate(document.content.pages, start=1):
        sizes = [text.size for text in page.picture_text if text.size > 0.5]
        smallest += sizes
        if sizes and min(sizes) < SMALLEST - TOLERANCE:
            place = at(document.path, page=number)
            found.append(failed(TEXT_SIZE, f"text of {min(sizes):.1f} pt in a figure", place, remedy))
    for size, place in _outlined(submission, document):
        smallest.append(size)
        if size < SMALLEST - TOLERANCE:
            found.append(failed(TEXT_SIZE, f"text of {size:.1f} pt in a figure", place, remedy))
    if found:
        return found
    if not smallest:
        return [passed(TEXT_SIZE, "no figure with text that can be measured", document.path)]
    return [passed(TEXT_SIZE, f"the smallest text in a figure has {min(smallest):.1f} pt", document.path)]


def _outlined(submission: Submission, document: Document) -> Iterator[tuple[float, str]]:
    """Smallest letter of every figure whose letters are outlines in the notebook's SVG, and its place.

    The drawn size follows from the picture of the same proportions; without one, figures have their own size.
    """
    notebook = submission.notebook_json("notebook.ipynb") if "notebook.ipynb" in submission.files else None
    assert document.content is not None
    pictures = [picture for page in document.content.pages for picture in page.pictures]
    for cell in notebook["cells"] if notebook else ():
        for svg in _svgs(cell):
            sizes = [
                100 * float(group[1]) * min([1.0, *(float(inner) for inner in _INNER.findall(group[2]))])
                for group in _OUTLINED.finditer(svg)
            ]
            if sizes:
                yield min(sizes) * _scale(svg, pictures), _cell_place(submission, cell)


def _svgs(cell: object) -> Iterator[str]:
    outputs = cell.get("outputs") if isinstance(cell, dict) else None
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        svg = data.get("image/svg+xml") if isinstance(data, dict) else None
        if svg:
            yield "".join(svg) if isinstance(svg, list) else str(svg)


def _scale(svg: str, pictures: list[Picture]) -> float:
    """Width on the page by width of the SVG."""
    head = svg[: svg.find(">", svg.find("<svg")) + 1]
    width, height = (re.search(rf'\b{side}="([\d.]+)(pt|px|in)?"', head) for side in ("width", "height"))
    if not width or not height:
        return 1.0
    unit = {"in": 72.0, "px": 0.75}.get(width[2], 1.0 if width[2] == "pt" else 0.75)
    own, ratio = float(width[1]) * unit, float(height[1]) / float(width[1])
    drawn = [
        (p.right - p.left) / own
        for p in pictures
        if not p.raster and abs((p.top - p.bottom) / (p.right - p.left) - ratio) < 0.003 * ratio
    ]
    return min([scale for scale in drawn if 0.3 < scale < 1.5], default=1.0)


def _cell_place(submission: Submission, cell: dict[str, object]) -> str:
    """The chunk that a cell came from, by its label."""
    label = re.search(r"#\|\s*label:\s*[\"']?([\w-]+)", cell_source(cell))
    floats = submission.outline.floats if submission.outline and label else ()
    for one in floats:
        if label and one.label == label[1]:
            return one.place
    return "notebook.ipynb" + (f" ({label[1]})" if label else "")
