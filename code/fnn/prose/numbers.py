"""Numbers as the documents show them, in text and in tables alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

LEAST, MOST = 1e-3, 1e4  # outside, a number is shown with a power of ten
MINUS = "\N{MINUS SIGN}"
NORMAL_95 = 1.959964  # 95 % of a standard normal variable lie within ± this


class MarkdownText(str):
    """Text that an inline expression inserts as Markdown, unescaped."""

    def _repr_markdown_(self) -> str:
        return str(self)


def number(value: float | Tensor, digits: int = 3) -> MarkdownText:
    """A number with so many significant digits; with a power of ten where it is too small or too large.

    A whole part with more digits than that takes a power of ten too: 6144.8 is 6.14·10³ with three digits.
    """
    value = float(value)
    if value == 0 or not math.isfinite(value):
        return MarkdownText(f"{value:g}".replace("-", MINUS))
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = int(exponent)
    if LEAST <= abs(value) < MOST and power < max(digits, 3):
        return decimals(value, max(digits - 1 - power, 0))
    if float(mantissa) == 1 and digits == 1:
        return MarkdownText(f"$10^{{{power}}}$")
    return MarkdownText(f"${mantissa} \\cdot 10^{{{power}}}$")


def decimals(value: float | Tensor, places: int = 4) -> MarkdownText:
    """A number with so many decimals."""
    return MarkdownText(f"{float(value):.{places}f}".replace("-", MINUS))


def thousands(value: int) -> MarkdownText:
    """A whole number, its digits in groups of three: 10,000."""
    return MarkdownText(f"{value:,}")


def vector(values: Tensor | Sequence[float], places: int = 4) -> MarkdownText:
    """A vector as (1.2000, −3.4000); a vector of one entry as that number."""
    entries = [decimals(float(value), places) for value in values]
    return entries[0] if len(entries) == 1 else MarkdownText("(" + ", ".join(entries) + ")")


def series(values: Sequence[str]) -> MarkdownText:
    """One, two and three."""
    *first, last = values
    return MarkdownText(f"{', '.join(first)} and {last}" if first else last)


def where_known(text: str, *values: float | None, digits: int = 3) -> MarkdownText:
    """`text` with the values, by `number`, in its braces; nothing where one of them is not known."""
    if any(value is None or math.isnan(value) for value in values):
        return MarkdownText("")
    return MarkdownText(text.format(*(number(value, digits) for value in values if value is not None)))


def compared(value: float, other: float) -> MarkdownText:
    """How a loss compares with another, in words."""
    for factor, words in ((0.5, "far better than"), (0.95, "better than"), (1.05, "as good as")):
        if value < factor * other:
            return MarkdownText(words)
    return MarkdownText("worse than")


def after(evaluations: float) -> MarkdownText:
    """after 251; never where it is infinite."""
    return MarkdownText(f"after {evaluations:,.0f}" if math.isfinite(evaluations) else "never")


def often(times: int) -> MarkdownText:
    """once, twice, three times."""
    return MarkdownText({0: "never", 1: "once", 2: "twice"}.get(times, f"{count(times)} times"))


def between(low: float | Tensor, high: float | Tensor) -> MarkdownText:
    """0.0109 to 0.0112; one number where both are shown alike."""
    return number(low) if number(low) == number(high) else MarkdownText(f"{number(low)} to {number(high)}")


def times(ratio: float) -> MarkdownText:
    """as much as, where the ratio rounds to one; 1.4 times as much as."""
    words = "as much as" if f"{ratio:.1f}" == "1.0" else f"{ratio:.1f} times as much as"
    return MarkdownText(words)


WORDS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def count(value: int) -> MarkdownText:
    """A small whole number in words, a larger one in digits."""
    return MarkdownText(WORDS[value] if 0 <= value < len(WORDS) else f"{value:,}")


@dataclass(frozen=True)
class Share:
    """How many of so many runs."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.count / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the probability, in per cent (Wilson 1927, JASA 22(158):209–212)."""
        p, z2 = self.count / self.of, NORMAL_95**2 / self.of
        middle = (p + z2 / 2) / (1 + z2)
        half = math.sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)

    @property
    def text(self) -> MarkdownText:
        """34 %."""
        return MarkdownText(f"{_percent(self.percent)} %")

    @property
    def with_interval(self) -> MarkdownText:
        """34 % [28, 41]."""
        low, high = self.interval
        return MarkdownText(f"{_percent(self.percent)} % [{_percent(low)}, {_percent(high)}]")


def all_or(share: Share) -> MarkdownText:
    """all 20 runs; 18 of 20 runs."""
    whole = share.count == share.of
    return MarkdownText(f"all {share.of} runs" if whole else f"{share.count} of {share.of} runs")


def _percent(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 9.95 else str(math.floor(value + 0.5))
