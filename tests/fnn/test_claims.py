"""A claim stops the render where the data do not support it, and says where."""

from pathlib import Path

import pytest
import torch

from fnn.prose import claims
from fnn.prose.claims import ClaimBook, FalseClaimError, claim


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ClaimBook:
    """An empty book, and a section that makes one claim in its fifth line."""
    text = '# Title {#sec-2}\n\n## Widths {#sec-2c}\n\nclaim(a < b, "errors fall", a=a)\n'
    (tmp_path / "2-widths.qmd").write_text(text, encoding="utf-8")
    monkeypatch.setattr(claims, "SECTIONS", tmp_path)
    book = ClaimBook()
    monkeypatch.setattr(claims, "book", book)
    monkeypatch.delenv("DRAFT", raising=False)
    return book


def test_a_true_claim_is_noted_with_its_section_and_values(book: ClaimBook) -> None:
    claim(torch.tensor([True, True]), "errors fall", a=0.123456, steps=[1, 2])
    (noted,) = book
    assert (noted.section, noted.place) == ("2c", "sections/2-widths.qmd:5")
    assert noted.values == "a 0.123; steps 1, 2"
    assert book.table().rows == [["2c", "errors fall", "a 0.123; steps 1, 2"]]


@pytest.mark.parametrize("condition", [False, torch.tensor([True, False])])
def test_a_false_claim_stops_with_file_line_and_values(
    book: ClaimBook, condition: bool | torch.Tensor
) -> None:
    with pytest.raises(FalseClaimError, match=r"sections/2-widths\.qmd:5 .*2c.*errors fall.*a 3.*--draft"):
        claim(condition, "errors fall", a=3)


def test_a_draft_marks_a_false_claim_and_goes_on(
    book: ClaimBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRAFT", "1")
    claim(False, "errors fall", a=3)
    assert "Markdown" in capsys.readouterr().out  # what a kernel shows as a paragraph
    assert "**(false)**" in book.table().rows[0][1]


def test_a_claim_that_holds_reads_no_section(book: ClaimBook, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sentence: str) -> tuple[str, str]:
        raise AssertionError(f"the sections were searched for {sentence}")

    monkeypatch.setattr(claims, "_section", refuse)
    monkeypatch.setattr(claims, "_place", refuse)
    claim(True, "errors fall", a=1)
    assert len(book) == 1


def test_a_chunk_that_runs_again_replaces_its_claim(book: ClaimBook) -> None:
    claim(True, "errors fall", a=1)
    claim(True, "errors fall", a=2)
    assert [noted.values for noted in book] == ["a 2"]
