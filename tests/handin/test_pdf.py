"""What is read from PDFs: lines, fonts, pictures, sizes of text in them, outline; and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import typst
from good_project import REPORT, Recipe, svg, typeset

from handin.reading import pdf


def test_lines_have_text_place_and_size() -> None:
    content = pdf.read(typeset("#set text(12pt)\nÜber 𝑥 und ſ"))
    [line] = content.pages[0].lines
    assert line.text == "Über 𝑥 und ſ"
    assert line.size == pytest.approx(12, abs=0.1)
    assert 0 < line.x < line.y


def test_outline_fonts_and_information() -> None:
    content = pdf.read(Recipe().pdf(REPORT))
    assert content.outline[0] == pdf.Bookmark(0, "1 The network", 1)
    assert all(font.embedded and font.kind == "Type0" for font in content.fonts)
    assert content.info["Title"] == "Assignment 1"


def test_text_in_pictures_is_measured_on_the_page() -> None:
    drawing = svg(letters=10).replace('"', '\\"')
    page = pdf.read(typeset(f'#image(bytes("{drawing}"), width: 144pt)')).pages[0]
    [picture] = page.pictures
    assert picture.right - picture.left == pytest.approx(144, abs=1)
    assert {round(text.size, 1) for text in page.picture_text} == {5.0}


def test_text_in_an_included_pdf_is_measured(tmp_path: Path) -> None:
    page_setup = b"#set page(width: 200pt, height: 100pt, margin: 5pt)\n#set text(8pt)\n"
    figure = page_setup + b"small #rect(width: 180pt, height: 70pt)"
    (tmp_path / "figure.pdf").write_bytes(bytes(typst.compile(figure)))
    (tmp_path / "main.typ").write_text('Body $x_(y_z)$\n\n#image("figure.pdf", width: 150pt)')
    page = pdf.read(bytes(typst.compile(tmp_path / "main.typ"))).pages[0]
    assert len(page.pictures) == 1
    assert {round(text.size, 1) for text in page.picture_text} == {6.0}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello", "not a PDF"),
        (b"%PDF-1.7\n", "broken"),
        (typeset("text")[:900], "broken"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(pdf.PdfError, match=reason):
        pdf.read(data)


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    with pytest.raises(pdf.PdfError, match="3 pages, more than 2"):
        pdf.read(typeset("a #pagebreak() b #pagebreak() c"))


def test_letters_without_a_glyph_are_counted() -> None:
    assert pdf.boxes(typeset("Ada")) == 0
    assert pdf.boxes(typeset("Ada 王小明")) == 3


def test_the_first_page_becomes_a_picture() -> None:
    assert pdf.thumbnail(typeset("text"), 120).startswith(b"\x89PNG")
