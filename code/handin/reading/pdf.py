"""What a PDF of ours says about itself: the text of its pages, its bookmarks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline: a heading."""

    page: int  # from 1
    first: bool  # nothing stands above it on its page but a running header


@dataclass(frozen=True)
class Pdf:
    """What the rules need of a document."""

    pages: tuple[str, ...]  # the text of each
    bookmarks: tuple[Bookmark, ...]


def read(data: bytes) -> Pdf:
    """Read a PDF.

    Raises:
        pypdfium2.PdfiumError: It is empty, broken or encrypted.
    """
    with pypdfium2.PdfDocument(data) as document:
        texts = [page.get_textpage() for page in document]
        pages = tuple(text.get_text_range().replace("\r\n", "\n") for text in texts)
        return Pdf(pages, tuple(_bookmarks(document, texts)))


def _bookmarks(document: pypdfium2.PdfDocument, texts: list[pypdfium2.PdfTextPage]) -> Iterator[Bookmark]:
    for entry in document.get_toc():
        target = entry.get_dest()
        index = target.get_index() if target else None
        if index is None:
            continue
        _, view = target.get_view()  # x and y in pt from the lower left corner, zoom
        y = view[1] if len(view) > 1 else texts[index].page.get_height()
        head = _above(texts[index], y)
        beside = texts[max(index - 1, 0) : index] + texts[index + 1 : index + 2]
        first = not head or any(head == _above(text, y) for text in beside)
        yield Bookmark(index + 1, first)


def _above(text: pypdfium2.PdfTextPage, y: float) -> str:
    """The text above a height of a page, without its digits."""
    return re.sub(r"\d+", "", text.get_text_bounded(bottom=y)).strip()
