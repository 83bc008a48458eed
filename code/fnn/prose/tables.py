"""Tables and numbers as the documents show them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from torch import Tensor

LARGE = 1e5  # numbers from here on are shown with a power of ten
MINUS = "\N{MINUS SIGN}"
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


class MarkdownText(str):
    """Text that an inline expression inserts as Markdown, unescaped."""

    def _repr_markdown_(self) -> str:
        return str(self)


def number(value: float | Tensor, digits: int = 4) -> MarkdownText:
    """A number with `digits` decimals; with a power of ten where it is too small or too large for that."""
    value = float(value)
    if value == 0:
        return MarkdownText("0")
    if math.isfinite(value) and not 0.5 * 10.0**-digits <= abs(value) < LARGE:
        mantissa, exponent = f"{value:.1e}".split("e")
        return MarkdownText(f"${mantissa} \\cdot 10^{{{int(exponent)}}}$")
    return MarkdownText(f"{value:.{digits}f}".replace("-", MINUS))


def vector(values: Tensor | Sequence[float], digits: int = 4) -> MarkdownText:
    """A vector as (1.2000, −3.4000); a vector of one entry as that number."""
    entries = [number(float(value), digits) for value in values]
    return entries[0] if len(entries) == 1 else MarkdownText("(" + ", ".join(entries) + ")")
