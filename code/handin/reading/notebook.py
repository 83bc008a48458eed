"""An executed Jupyter notebook: its cells and what they gave."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    is_code: bool
    source: str
    outputs: list[dict[str, str]]  # by MIME type

    @property
    def draws(self) -> bool:
        """Whether one of its outputs is a picture."""
        return any(kind.startswith("image/") for output in self.outputs for kind in output)


def cells_of(data: bytes) -> list[Cell]:
    """The cells of a notebook; none where the file is no notebook."""
    try:
        return [
            Cell(
                cell["cell_type"] == "code",
                _text(cell["source"]),
                [
                    {kind: _text(text) for kind, text in output.get("data", {}).items()}
                    for output in cell.get("outputs", [])
                ],
            )
            for cell in json.loads(data)["cells"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _text(held: object) -> str:
    """Text, which the format keeps as a string or as a list of lines."""
    return "".join(map(str, held)) if isinstance(held, list) else str(held)
