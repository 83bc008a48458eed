"""What is read from our PDFs: text, bookmarks with their place on the page; and what is refused."""

from __future__ import annotations

import pytest
from good_project import REPORT, Recipe, typeset

from handin.reading import pdf


def test_pages_have_text() -> None:
    content = pdf.read(typeset("#set text(12pt)\nÜber 𝑥 und ſ\n#pagebreak()\nMore"))
    assert [page.strip() for page in content.pages] == ["Über 𝑥 und ſ", "More"]


def test_bookmarks_are_the_headings_and_know_what_begins_a_page() -> None:
    marks = pdf.read(Recipe().pdf(REPORT)).bookmarks
    assert [mark.title for mark in marks[:3]] == ["1 The network", "1a Layers", "1b Widths"]
    assert (marks[0].level, marks[1].level, marks[0].page) == (0, 1, 1)
    assert [mark.position for mark in marks] == sorted(mark.position for mark in marks)
    header = '#set page("a4", header: [Header #context here().page()])\nText #pagebreak()\n'
    assert pdf.read(typeset(f"{header}= A\n= B")).bookmarks[0].first
    assert not pdf.read(typeset(f"{header}= A\n= B")).bookmarks[1].first
    assert not pdf.read(typeset(f"{header}A line.\n\n= A")).bookmarks[0].first


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7\n", typeset("text")[:900]])
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(pdf.PdfError):
        pdf.read(data)
