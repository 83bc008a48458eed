"""Tables as the documents show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

ALIGNMENT = {"l": ":---", "r": "---:", "c": ":---:"}


@dataclass(frozen=True)
class Table:
    """Header and rows of cells, each cell Markdown text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str  # one of l, r, c per column
    widths: Sequence[int] = ()  # relative column widths; () lets every column take what it needs

    def __post_init__(self) -> None:
        columns = len(self.header)
        if len(self.align) != columns or any(len(row) != columns for row in self.rows):
            raise ValueError(
                f"every row and the alignment {self.align!r} must have {columns} columns as the header has"
            )

    def _repr_markdown_(self) -> str:
        rules = [ALIGNMENT[side] for side in self.align]
        if self.widths:  # Pandoc reads relative widths from the lengths of the dashes
            rules = [
                rule.replace("---", "-" * (10 * width))
                for rule, width in zip(rules, self.widths, strict=True)
            ]
        lines = chain([self.header, rules], self.rows)
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
