"""Content that only some document or format shows: `::: {.content-visible when-meta="notebook"}` and kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handin.errors import HandinError
from handin.qmd.source import Source
from handin.render.pandoc import Node, attr, rewrite

CLASSES = {"content-visible", "content-hidden"}
CONDITIONS = {"when-meta", "unless-meta", "when-format", "unless-format"}
FORMAT = "typst"


def resolve_conditions(tree: Node, source: Source, metadata: Mapping[str, Any]) -> Node:
    """The tree with conditional blocks and spans either opened up or taken out.

    Raises:
        HandinError: A condition is missing or of an unknown kind.
    """

    def change(node: Node) -> list[Node] | None:
        if node["t"] not in ("Div", "Span"):
            return None
        _, classes, attributes = attr(node["c"][0])
        kind = CLASSES & set(classes)
        if not kind:
            return None
        if not attributes or set(attributes) - CONDITIONS:
            raise HandinError(
                f"conditional content with {', '.join(attributes) or 'no condition'}",
                place=source.find("content-(visible|hidden)"),
                remedy=f"use {', '.join(sorted(CONDITIONS))}",
            )
        return list(node["c"][1]) if shown(kind, attributes, metadata) else []

    result: Node = rewrite(tree, change)
    return result


def shown(classes: set[str], conditions: Mapping[str, str], metadata: Mapping[str, Any]) -> bool:
    """Whether content of these classes, under these conditions, is shown in a document with this metadata."""
    if not CLASSES & classes:
        return True
    holds = all(_holds(name, value, metadata) for name, value in conditions.items())
    return holds == ("content-visible" in classes)


def _holds(condition: str, value: str, metadata: Mapping[str, Any]) -> bool:
    when = condition.startswith("when-")
    if condition.endswith("-format"):
        return (value == FORMAT) == when
    found: Any = metadata
    for key in value.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return bool(found) == when
