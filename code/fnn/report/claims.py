"""What the prose says about results, checked where it is said.

A chunk calls `claim(condition, "words of the sentence", name=value, …)`. A false claim stops the render; with
DRAFT=1 in the environment it is marked in the document and the render goes on. Whether the words stand in the
prose is for whoever builds the documents to check.
"""

from dataclasses import dataclass
from typing import SupportsFloat

import torch
from IPython.display import Markdown, display
from torch import Tensor

from fnn.inputs import environment
from fnn.report.numbers import NoNumberError, number


@dataclass(frozen=True)
class Claim:
    """One checked sentence."""

    sentence: str
    holds: bool
    values: str  # what it rests on
    section: str  # where a section's claims begin, its number


class FalseClaimError(AssertionError):
    """The data at hand do not support a sentence of the report."""


book: dict[str, Claim] = {}  # by sentence, in order; a chunk that runs again replaces its claim


def claim(condition: bool | Tensor, sentence: str, *, section: str = "", **measured: object) -> None:
    """Check one sentence of the prose beside it.

    Args:
        condition: whether it holds on the data at hand; a tensor must hold in every element.
        sentence: words of the sentence, which stand so in the prose; unique in the documents.
        section: the number of the section, at the first of its claims.
        measured: the values it rests on, shown in the notebook and in the error.

    Raises:
        FalseClaimError: if it does not hold, unless DRAFT=1 is set.
        TypeError: if the condition is neither True nor False, nor a tensor of these.
        ValueError: if the condition is a tensor of no elements, which says nothing.
    """
    kind = condition.dtype if isinstance(condition, Tensor) else type(condition).__name__
    if kind not in (torch.bool, "bool", "bool_"):  # the last two are NumPy's too
        raise TypeError(f"“{sentence}” rests on {kind}, which is not True or False; compare it, as in a < b")
    if isinstance(condition, Tensor) and condition.numel() == 0:
        raise ValueError(f"“{sentence}” rests on a tensor of no elements; give what is to hold")
    holds = bool(condition.all() if isinstance(condition, Tensor) else condition)
    values = "; ".join(f"{name.replace('_', ' ')} {_show(value)}" for name, value in measured.items())
    book[sentence] = Claim(sentence, holds, values, section)
    if holds:
        return
    message = f"the data do not support “{sentence}”" + (f"; {values}" if values else "")
    if not environment.draft():
        raise FalseClaimError(
            f"{message}. Mend the sentence, or set DRAFT=1 (`--draft`) to have every false claim marked"
        )
    marked = Markdown(f"**[Draft: not supported by the data: {sentence} ({values})]**")  # type: ignore[no-untyped-call]
    display(marked, metadata={"remark": message})  # type: ignore[no-untyped-call]


def _show(value: object) -> str:
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_show(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_show, value))
    if isinstance(value, str | int) or not isinstance(value, SupportsFloat):
        return str(value)
    try:
        return number(value)
    except NoNumberError:  # it may be why the claim is false
        return str(float(value))
