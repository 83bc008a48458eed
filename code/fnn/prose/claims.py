"""What the prose says about results, checked where it is said.

A chunk calls `claim(condition, "words of the sentence", name=value, …)`. A false claim stops the render; with
DRAFT=1 in the environment (`handin render --draft`) it is marked in the document and the render goes on.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from IPython.display import Markdown, display
from torch import Tensor

from fnn.inputs import environment
from fnn.prose.numbers import number
from fnn.prose.tables import Table

LINES = r'^#+ .*\{#sec-|^(claim\(|  ).*"'  # that tell the section of a claim: headings and claims
SECTIONS = Path(__file__).resolve().parents[3] / "sections"


@dataclass(frozen=True)
class Claim:
    """One checked sentence."""

    sentence: str
    holds: bool
    measured: dict[str, str]  # the values it rests on, as text

    @property
    def section(self) -> str:
        """The label of the section it stands in, "" where unknown; read from the sections when asked for."""
        return _section(self.sentence)

    @property
    def place(self) -> str:
        """file:line of its check, "" where unknown; likewise."""
        return _place(self.sentence)

    @property
    def values(self) -> str:
        """The measured values on one line."""
        return "; ".join(f"{name} {value}" for name, value in self.measured.items())


class FalseClaimError(AssertionError):
    """The data at hand do not support a sentence of the report."""


class ClaimBook:
    """The claims of one run of the documents, in order. A chunk that runs again replaces its claim."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._claims.values())

    def __len__(self) -> int:
        return len(self._claims)

    def add(self, claim: Claim) -> None:
        self._claims[claim.sentence] = claim

    def as_json(self) -> str:
        """Sentence, whether it holds, section and values of every claim, on one line."""
        fields = ("sentence", "holds", "section", "values")
        return json.dumps([{field: getattr(noted, field) for field in fields} for noted in self])

    def table(self, *sections: str) -> Table:
        """Section, words and measured values of every claim, or of those in `sections`."""
        chosen = [claim for claim in self if not sections or claim.section in sections]
        rows = [[c.section, c.sentence + ("" if c.holds else " **(false)**"), c.values] for c in chosen]
        return Table(["Section", "Claim", "Measured"], rows, align="lll", widths=(1, 5, 4))


book = ClaimBook()


def claim(condition: bool | Tensor, sentence: str, **measured: object) -> None:
    """Check one sentence of the prose beside it.

    Args:
        condition: whether it holds on the data at hand; a tensor must hold in every element.
        sentence: words of the sentence, which stand so in the prose of the section; unique in the documents.
        measured: the values it rests on, shown in the notebook and in the error.

    Raises:
        FalseClaimError: if it does not hold, unless DRAFT=1 is set.
    """
    holds = bool(condition.all()) if isinstance(condition, Tensor) else bool(condition)
    values = {name.replace("_", " "): _show(value) for name, value in measured.items()}
    checked = Claim(sentence, holds, values)
    book.add(checked)
    if holds:
        return
    where = f"{checked.place or 'a chunk'} (section {checked.section or '?'})"
    message = f"{where}: the data do not support “{sentence}”; {checked.values}"
    if not environment.draft():
        raise FalseClaimError(
            f"{message}. Mend the sentence, or see all false claims with `handin render --draft`"
        )
    marked = Markdown(f"**[Draft: not supported by the data: {sentence} ({checked.values})]**")  # type: ignore[no-untyped-call]
    display(marked, metadata={"remark": message})  # type: ignore[no-untyped-call]


def _show(value: object) -> str:
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_show(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_show(item) for item in value)
    return number(value) if isinstance(value, float) else str(value)


def _section(sentence: str) -> str:
    """The label of the section in which the sentence is claimed."""
    for path in sorted(SECTIONS.glob("*.qmd")):
        section = ""
        for line in _telling_lines(path):
            if heading := re.match(r"#+ .*\{#sec-(\S+?)[ }]", line):
                section = heading[1]
            if f'"{sentence}"' in line:
                return section
    return ""


def _telling_lines(path: Path) -> list[str]:
    """Those of a section; announced to whoever watches (`sys.addaudithook`): its prose does not count."""
    sys.audit("lines.begin", str(path), LINES)
    try:
        text = path.read_text(encoding="utf-8")
    finally:
        sys.audit("lines.end")
    return [line for line in text.splitlines() if re.search(LINES, line)]


def _place(sentence: str) -> str:
    """Where the sentence is claimed, file:line."""
    for path in sorted(SECTIONS.glob("*.qmd")):
        for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if f'"{sentence}"' in line:
                return f"sections/{path.name}:{count}"
    return ""
