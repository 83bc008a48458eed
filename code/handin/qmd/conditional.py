"""Content that only some document or format shows: `::: {.content-visible when-meta="notebook"}` and kin.

Conditions are judged line by line, before Pandoc reads the text, so that every mistake has its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handin.errors import HandinError, Place, near
from handin.qmd.source import EMPTY_COMMENT, Line, with_roles

FORMAT = "typst"
OPENING = re.compile(r"^\s*:{3,}\s*(?P<attributes>\{.*\}|\w[\w-]*)\s*:*\s*$")
CLOSING = re.compile(r"^\s*:{3,}\s*$")
CONDITIONAL = re.compile(r"\.content-(?P<kind>visible|hidden)\b(?P<conditions>[^}]*)")
CONDITION = re.compile(r'\s*(?P<when>when|unless)-(?P<of>meta|format)="?(?P<value>[\w.-]+)"?')


def shown_lines(
    lines: Iterable[Line], metadata: Mapping[str, Any], hidden: list[bool | None]
) -> Iterator[Line]:
    """The lines of a piece of Markdown that are shown; a comment stands for the fence of a condition.

    Args:
        lines: The piece, code blocks whole.
        hidden: For every block that is open, the outermost first, whether it hides what is in it; None where
            it is no condition. This function changes the list.

    Raises:
        HandinError: A code block is never closed, or a condition is missing, of an unknown kind, or misspelt.
    """
    for line, role in with_roles(lines):
        is_fence = False
        if role == "prose" and (opening := OPENING.match(line.text)):
            hidden.append(hides(opening["attributes"], line.place, metadata))
            is_fence = hidden[-1] is not None
        elif role == "prose" and CLOSING.match(line.text) and hidden:
            is_fence = hidden.pop() is not None
        if is_fence and not any(hidden):
            yield from (Line(text, line.place) for text in ("", EMPTY_COMMENT, ""))
        elif not any(hidden):
            yield line


def hides(attributes: str, place: Place, metadata: Mapping[str, Any]) -> bool | None:
    """Whether a block with these attributes hides what is in it; None where it is no condition."""
    block = CONDITIONAL.search(attributes)
    if not block:
        return None
    conditions = list(CONDITION.finditer(block["conditions"]))
    if not conditions or CONDITION.sub("", block["conditions"]).strip():
        raise HandinError(
            f"conditional content with {block['conditions'].strip() or 'no condition'}",
            place=place,
            remedy="use when-meta, unless-meta, when-format, unless-format",
        )
    flags = [key for key, value in metadata.items() if isinstance(value, bool)]
    for key in (one["value"] for one in conditions if one["of"] == "meta" and one["value"] not in metadata):
        if meant := near(key, flags):
            raise HandinError(f"no document says `{key}:`", place=place, remedy=f"did you mean `{meant}`?")
    holds = all(_holds(one["of"], one["value"], metadata) == (one["when"] == "when") for one in conditions)
    return holds == (block["kind"] == "hidden")


def _holds(of: str, value: str, metadata: Mapping[str, Any]) -> bool:
    if of == "format":
        return value == FORMAT
    found: Any = metadata
    for key in value.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return bool(found)
