"""A claim stops the render where the data do not support it, with the values it rests on."""

import numpy as np
import pytest
import torch

from fnn.report import claims, tables
from fnn.report.claims import Claim, FalseClaimError, claim


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> dict[str, Claim]:
    """An empty book."""
    book: dict[str, Claim] = {}
    monkeypatch.setattr(claims, "book", book)
    monkeypatch.setattr(tables, "book", book)
    monkeypatch.delenv("DRAFT", raising=False)
    return book


def test_a_true_claim_is_noted_with_its_values(book: dict[str, Claim]) -> None:
    claim(torch.tensor([True, True]), "errors fall", section="2c", a=0.123456, last_step=[1, np.float64(2.5)])
    assert tables.claims().rows == [["2c", "errors fall", "a 0.123; last step 1, 2.50"]]


@pytest.mark.parametrize("condition", [False, torch.tensor([True, False]), np.bool_(False)])
def test_a_false_claim_stops_with_its_values(book: dict[str, Claim], condition: bool | torch.Tensor) -> None:
    with pytest.raises(FalseClaimError, match=r"errors fall.*a 3; b nan"):
        claim(condition, "errors fall", a=3, b=float("nan"))


def test_a_condition_of_no_elements_is_refused(book: dict[str, Claim]) -> None:
    with pytest.raises(ValueError, match=r"errors fall.*no elements"):
        claim(torch.empty(0) > 0, "errors fall")
    assert not book


@pytest.mark.parametrize("condition", ["False", 0.3, (x > 5 for x in [1]), [False], None, torch.tensor(0.3)])
def test_a_condition_that_is_neither_true_nor_false_is_refused(
    book: dict[str, Claim], condition: bool
) -> None:
    with pytest.raises(TypeError, match=r"errors fall.*not True or False; compare it"):
        claim(condition, "errors fall")
    assert not book


def test_a_draft_marks_a_false_claim_and_goes_on(
    book: dict[str, Claim], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRAFT", "1")
    claim(False, "errors fall", a=3)
    assert "Markdown" in capsys.readouterr().out  # what a kernel shows as a paragraph
    assert "**(false)**" in tables.claims().rows[0][1]


def test_a_chunk_that_runs_again_replaces_its_claim(book: dict[str, Claim]) -> None:
    claim(True, "errors fall", a=1)
    claim(True, "errors fall", a=2)
    assert [noted.values for noted in book.values()] == ["a 2"]
