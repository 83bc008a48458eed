"""Numbers and small words as the documents show them, in text and in tables alike."""

import math
from collections.abc import Sequence
from typing import SupportsFloat

from torch import Tensor

from fnn.experiments.common import Share
from fnn.inputs import environment

LEAST, MOST = 1e-3, 1e4  # outside, a number is shown with a power of ten
MINUS = "\N{MINUS SIGN}"
WORDS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


class MarkdownText(str):
    """Text that an inline expression inserts as Markdown, unescaped."""

    def _repr_markdown_(self) -> str:
        return str(self)


class NoNumberError(ValueError):
    """A value that is no finite number stands where the documents show one."""


def number(value: SupportsFloat | None, digits: int = 3) -> MarkdownText:
    """A number with so many significant digits; with a power of ten where it is too small or too large.

    A whole part with more digits than that takes a power of ten too: 6144.8 is 6.14·10³ with three digits.

    Raises:
        NoNumberError: if the value is None, NaN or infinite. In a draft (DRAFT=1) it is marked instead.
    """
    if value is None or not math.isfinite(value):
        return _no_number(value)
    value = float(value)
    if value == 0:
        return MarkdownText("0")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if LEAST <= abs(value) < MOST and power < max(digits, 3):
        return decimals(value, max(digits - 1 - power, 0))
    if float(mantissa) == 1 and digits == 1:
        return MarkdownText(f"$10^{{{power}}}$")
    return MarkdownText(f"${mantissa} \\cdot 10^{{{power}}}$")


def decimals(value: SupportsFloat | None, places: int = 4) -> MarkdownText:
    """A number with so many decimals; raises as `number` does."""
    if value is None or not math.isfinite(value):
        return _no_number(value)
    return MarkdownText(f"{float(value):,.{places}f}".replace("-", MINUS))


def _no_number(value: SupportsFloat | None) -> MarkdownText:
    if environment.draft():
        return MarkdownText(f"**[Draft: {value}]**")
    raise NoNumberError(
        f"{value} is no finite number, and would stand so in the document; mend what computes it, or write "
        "where_known(…) for a sentence that is left out where its value is not known"
    )


def where_known(text: str, *values: float | None, digits: int = 3) -> MarkdownText:
    """`text` with the values, by `number`, in its braces; nothing where one of them is not known."""
    if any(value is None or math.isnan(value) for value in values):
        return MarkdownText("")
    return MarkdownText(text.format(*(number(value, digits) for value in values)))


def thousands(value: int) -> MarkdownText:
    """A whole number, its digits in groups of three: 10,000."""
    return MarkdownText(f"{value:,}")


def vector(values: Tensor | Sequence[float], places: int = 4) -> MarkdownText:
    """A vector as (1.2000, −3.4000); a vector of one entry as that number."""
    entries = [decimals(float(value), places) for value in values]
    return entries[0] if len(entries) == 1 else MarkdownText("(" + ", ".join(entries) + ")")


def series(values: Sequence[object]) -> MarkdownText:
    """One, two and three."""
    *first, last = map(str, values)
    return MarkdownText(f"{', '.join(first)} and {last}" if first else last)


def percent(share: Share) -> MarkdownText:
    """34 %, on one line; with one decimal below ten and above 99: 3.5 %.

    0 % and 100 % are none and all of the runs. A share of no runs raises as `number` does.
    """
    if not share.of:
        return _no_number(share.percent)
    value = f"{math.floor(share.percent + 0.5)}"
    if 0 < share.percent < 9.95 or 99 < share.percent < 100:
        value = f"{min(max(share.percent, 0.1), 99.9):.1f}"
    return MarkdownText(f"{value}\N{NO-BREAK SPACE}%")


def out_of(share: Share) -> MarkdownText:
    """all 20 runs; 18 of 20 runs."""
    whole = share.count == share.of
    return MarkdownText(f"all {share.of} runs" if whole else f"{share.count} of {share.of} runs")


def compared(value: float, other: float) -> MarkdownText:
    """How a loss compares with another, in words."""
    for factor, words in ((0.5, "far better than"), (0.95, "better than"), (1.05, "as good as")):
        if value < factor * other:
            return MarkdownText(words)
    return MarkdownText("worse than")


def often(times: int) -> MarkdownText:
    """once, twice, three times."""
    return MarkdownText({0: "never", 1: "once", 2: "twice"}.get(times, f"{count(times)} times"))


def between(values: Tensor, digits: int = 3) -> MarkdownText:
    """The range of values, 0.0109 to 0.0112; one number where both ends are shown alike."""
    low, high = number(values.min(), digits), number(values.max(), digits)
    return low if low == high else MarkdownText(f"{low} to {high}")


def count(value: int) -> MarkdownText:
    """A small whole number in words, a larger one in digits."""
    return MarkdownText(WORDS[value] if 0 <= value < len(WORDS) else f"{value:,}")
