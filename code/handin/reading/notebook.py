"""A Jupyter notebook, whoever wrote it: what is not as the format says is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cell:
    number: int  # from 1
    is_code: bool
    source: str
    has_run: bool
    failed: bool  # ended in an error that its author did not announce
    outputs: list[dict[str, str]]  # by MIME type

    @property
    def pictures(self) -> int:
        """How many of its outputs are pictures."""
        return sum(any(kind.startswith("image/") for kind in output) for output in self.outputs)


def notebook_of(data: bytes) -> dict[str, Any] | None:
    """A notebook as data, None where the file is none."""
    try:
        held = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) and isinstance(held.get("cells"), list) else None


def cells_of(notebook: Mapping[str, Any] | None) -> list[Cell]:
    """The cells of a notebook; none where there is no notebook."""
    cells = enumerate(notebook["cells"] if notebook else (), start=1)
    return [_cell(number, cell) for number, cell in cells if isinstance(cell, dict)]


def _cell(number: int, held: dict[str, Any]) -> Cell:
    source, given = _text(held.get("source", "")), held.get("outputs")
    outputs = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    bundles = [data for one in outputs if isinstance(data := one.get("data"), dict)]
    return Cell(
        number,
        held.get("cell_type") == "code",
        source,
        bool(outputs or held.get("execution_count")),
        any(one.get("output_type") == "error" for one in outputs)
        and not ("raises-exception" in str(held.get("metadata", "")) or "error: true" in source),
        [{str(kind): _text(text) for kind, text in data.items()} for data in bundles],
    )


def _text(held: object) -> str:
    """Text, which the format keeps as a string or as a list of lines."""
    return "".join(map(str, held)) if isinstance(held, list) else str(held)
