"""What is read from our PDFs: text, the pages of bookmarks; and what is refused."""

from __future__ import annotations

import pypdfium2
import pytest
from good_project import REPORT, Recipe, typeset

from handin.reading import pdf


def test_pages_have_text() -> None:
    content = pdf.read(typeset("#set text(12pt)\nÜber 𝑥 und ſ\n#pagebreak()\nMore"))
    assert [page.strip() for page in content.pages] == ["Über 𝑥 und ſ", "More"]


def test_bookmarks_know_what_begins_a_page() -> None:
    assert [mark.page for mark in pdf.read(Recipe().pdf(REPORT)).bookmarks[:3]] == [1, 1, 1]
    header = '#set page("a4", header: [Header #context here().page()])\nText #pagebreak()\n'
    assert pdf.read(typeset(f"{header}= A\n= B")).bookmarks[0].first
    assert not pdf.read(typeset(f"{header}= A\n= B")).bookmarks[1].first
    assert not pdf.read(typeset(f"{header}A line.\n\n= A")).bookmarks[0].first


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n", typeset("text")[:900]])
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(pypdfium2.PdfiumError):
        pdf.read(data)
