"""An executed Jupyter notebook: its cells and what they gave."""

from __future__ import annotations

import json
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
    def draws(self) -> bool:
        """Whether one of its outputs is a picture."""
        return any(kind.startswith("image/") for output in self.outputs for kind in output)


def cells_of(data: bytes) -> list[Cell] | None:
    """The cells of a notebook; None where the file is none."""
    try:
        return [_cell(number, cell) for number, cell in enumerate(json.loads(data)["cells"], start=1)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _cell(number: int, held: dict[str, Any]) -> Cell:
    source, outputs = _text(held["source"]), held.get("outputs", [])
    return Cell(
        number,
        held["cell_type"] == "code",
        source,
        bool(outputs or held.get("execution_count")),
        any(one["output_type"] == "error" for one in outputs)
        and not ("raises-exception" in held["metadata"].get("tags", ()) or "error: true" in source),
        [{kind: _text(text) for kind, text in one.get("data", {}).items()} for one in outputs],
    )


def _text(held: object) -> str:
    """Text, which the format keeps as a string or as a list of lines."""
    return "".join(map(str, held)) if isinstance(held, list) else str(held)
