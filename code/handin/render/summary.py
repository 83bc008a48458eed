"""What a render has made, in a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from handin.reading import pdf
from handin.reading.layout import Layout, Part
from handin.render.progress import duration


def summary(paths: Iterable[Path], root: Path, renderer: str, seconds: float) -> str:
    """Where the files are, how many pages they have, who made them and how long it took."""
    lines = [
        f"{path.relative_to(root)}  "
        + (pages(path) if path.suffix == ".pdf" else f"{path.stat().st_size / 1000:,.0f} kB")
        for path in paths
    ]
    return "\n".join([*lines, f"built by {renderer} in {duration(seconds)}"])


def pages(path: Path) -> str:
    """`12 pages: 8 with text, references on 9, appendix on 9 to 12`; the total where there are no parts."""
    content = pdf.read(path.read_bytes())
    layout = Layout(content)
    count = len(content.pages)
    words = f"{count} page{'s' if count > 1 else ''}"
    where = {part: _pages_of(part, layout) for part in (Part.REFERENCES, Part.APPENDIX)}
    if not any(where.values()):
        return words
    parts = [
        f"{len(layout.body_pages)} with text",
        *(f"{part} on {span}" for part, span in where.items() if span),
    ]
    return f"{words}: {', '.join(parts)}"


def _pages_of(part: Part, layout: Layout) -> str:
    found = [line.page for line, its in zip(layout.lines, layout.parts, strict=True) if its is part]
    if not found:
        return ""
    first, last = min(found), max(found)
    return str(first) if first == last else f"{first} to {last}"
