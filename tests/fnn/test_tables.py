"""Numbers and tables as the documents show them."""

import pytest
import torch

from fnn.prose.tables import Table, number, vector


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.372919, 4, "0.3729"),
        (-1.5, 2, "−1.50"),
        (0.0, 4, "0"),
        (3.2e-17, 4, r"$3.2 \cdot 10^{-17}$"),
        (-3.2e-7, 4, r"$-3.2 \cdot 10^{-7}$"),
        (0.00004, 4, r"$4.0 \cdot 10^{-5}$"),
        (12345.678, 0, "12346"),
        (1665763.0, 0, r"$1.7 \cdot 10^{6}$"),
        (float("inf"), 0, "inf"),
    ],
)
def test_a_number_is_shown_with_its_digits_or_as_a_power_of_ten(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text
    assert number(torch.tensor(value, dtype=torch.float64), digits) == text


def test_an_inline_number_is_markdown_and_not_escaped() -> None:
    assert number(1e-9)._repr_markdown_().startswith("$")


def test_a_vector_of_one_entry_is_that_number() -> None:
    assert vector(torch.tensor([0.5]), 1) == "0.5"
    assert vector([1.0, -2.0], 1) == "(1.0, −2.0)"


def test_a_table_is_a_pipe_table_with_alignment_and_relative_widths() -> None:
    table = Table(["a", "b"], [["1", "2"]], align="lr", widths=(1, 2))
    lines = table._repr_markdown_().splitlines()
    assert lines[0] == "| a | b |"
    left, right = lines[1].strip("| ").split(" | ")
    assert left.startswith(":")
    assert right.endswith(":")
    assert len(right) == 2 * len(left) - 1
    assert lines[2] == "| 1 | 2 |"


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="2 columns"):
        Table(["a", "b"], [["1"]], align="lr")
