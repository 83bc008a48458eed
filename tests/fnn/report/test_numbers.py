"""Numbers as the documents show them."""

import math

import numpy as np
import pytest
import torch

from fnn.experiments.common import Share
from fnn.report.numbers import (
    NoNumberError,
    between,
    compared,
    count,
    decimals,
    number,
    often,
    out_of,
    percent,
    series,
    vector,
    where_known,
)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.372919, 4, "0.3729"),
        (-1.5, 2, "−1.5"),
        (0.0, 4, "0"),
        (3.2e-17, 2, r"$3.2 \cdot 10^{-17}$"),
        (-3.24e-7, 3, r"$-3.24 \cdot 10^{-7}$"),
        (1e-6, 1, "$10^{-6}$"),
        (0.00999, 2, "0.010"),
        (6144.8, 3, r"$6.14 \cdot 10^{3}$"),
        (627.3, 3, "627"),
        (627.3, 2, "627"),
        (12.52, 3, "12.5"),
    ],
)
def test_a_number_is_shown_with_its_significant_digits(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text
    assert number(torch.tensor(value, dtype=torch.float64), digits) == text
    assert number(np.float64(value), digits) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, torch.tensor(math.nan)])
def test_what_is_no_number_stops_the_build_and_is_marked_in_a_draft(
    value: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRAFT", raising=False)
    for show in (number, decimals):
        with pytest.raises(NoNumberError, match="where_known"):
            show(value)
    with pytest.raises(NoNumberError):
        between(torch.tensor([1.0, math.nan]))
    monkeypatch.setenv("DRAFT", "1")
    assert "Draft" in number(value)


def test_what_is_not_known_leaves_no_sentence() -> None:
    assert where_known("noise {} and {}", 0.01, 0.02) == "noise 0.0100 and 0.0200"
    assert where_known("noise {}", None) == where_known("noise {}", math.nan) == ""


def test_an_inline_number_is_markdown_and_not_escaped() -> None:
    assert number(1e-9)._repr_markdown_().startswith("$")


def test_a_vector_of_one_entry_is_that_number() -> None:
    assert vector(torch.tensor([0.5]), 1) == "0.5"
    assert vector([1.0, -2.0], 1) == "(1.0, −2.0)"


def test_words_for_counts_comparisons_and_shares() -> None:
    assert [count(2), count(0), count(20)] == ["two", "no", "20"]
    assert series(["1", 2, "3"]) == "1, 2 and 3"
    assert [often(1), often(3)] == ["once", "three times"]
    assert [compared(value, 1.0) for value in (0.4, 0.9, 1.0, 2.0)] == [
        "far better than", "better than", "as good as", "worse than",
    ]  # fmt: skip
    assert [between(torch.tensor([0.1, end])) for end in (0.2, 0.10001)] == ["0.100 to 0.200", "0.100"]
    assert [out_of(Share(count, 20)) for count in (20, 18)] == ["all 20 runs", "18 of 20 runs"]


@pytest.mark.parametrize(
    ("count", "of", "text"),
    [
        (2, 200, "1.0"), (104, 200, "52"), (198, 200, "99"), (199, 200, "99.5"),
        (1, 3000, "0.1"), (2999, 3000, "99.9"), (0, 3000, "0"), (3000, 3000, "100"),
    ],
)  # fmt: skip
def test_only_none_and_all_of_the_runs_are_0_and_100_per_cent(count: int, of: int, text: str) -> None:
    assert percent(Share(count, of)) == f"{text}\xa0%"
