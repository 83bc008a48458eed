"""Numbers as the documents show them."""

import math

import pytest
import torch

from fnn.prose.numbers import Share, after, compared, count, decimals, number, series, vector, where_known


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
        (float("inf"), 3, "inf"),
    ],
)
def test_a_number_is_shown_with_its_significant_digits(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text
    assert number(torch.tensor(value, dtype=torch.float64), digits) == text


def test_an_inline_number_is_markdown_and_not_escaped() -> None:
    assert number(1e-9)._repr_markdown_().startswith("$")


def test_a_vector_of_one_entry_is_that_number() -> None:
    assert vector(torch.tensor([0.5]), 1) == "0.5"
    assert vector([1.0, -2.0], 1) == "(1.0, −2.0)"


def test_words_for_counts_and_comparisons() -> None:
    assert [count(2), count(0), count(20)] == ["two", "no", "20"]
    assert series(["1", "2", "3"]) == "1, 2 and 3"
    assert [after(251.0), after(math.inf)] == ["after 251", "never"]
    assert [compared(value, 1.0) for value in (0.4, 0.9, 1.0, 2.0)] == [
        "far better than", "better than", "as good as", "worse than",
    ]  # fmt: skip
    assert decimals(-0.25, 1) == "−0.2"


def test_what_is_not_known_leaves_no_sentence() -> None:
    assert where_known("noise {} and {}", 0.01, 0.02) == "noise 0.0100 and 0.0200"
    assert where_known("noise {}", None) == where_known("noise {}", math.nan) == ""


def test_a_share_has_wilson_s_interval() -> None:
    few = Share(2, 200)
    assert few.interval == pytest.approx((0.2746, 3.5720), abs=1e-3)  # statsmodels' proportion_confint
    assert few.with_interval == "1.0 % [0.3, 3.6]"
    assert Share(0, 50).interval == pytest.approx((0.0, 7.135), abs=1e-3)
    assert Share(20, 20).interval == pytest.approx((83.887, 100.0), abs=1e-3)
    assert Share(104, 200).text == "52 %"
