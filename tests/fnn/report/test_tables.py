"""Tables as the documents show them."""

import pytest

from fnn.report.tables import Table


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
