"""Tables in HTML, as pandas and polars write them, become tables of the document's tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handin.errors import HandinError, Place
from handin.qmd import pandoc
from handin.qmd.pandoc import Node, plain_text, rewrite
from handin.qmd.places import Places

SIZE = re.compile(
    r"\s*(\d+ rows × \d+ columns|shape: \([\d_, ]+\))?\s*"
)  # beside a table of pandas or polars
LOOK = re.compile(r"[;{\"'\s](background|color|font|border|display|visibility)[\w-]*\s*:", re.IGNORECASE)


def set_html_tables(tree: Node, places: Places, made: Mapping[str, Place]) -> Node:
    """The tree with raw HTML that is a table and nothing else turned into that table.

    Args:
        tree: The tree.
        places: Of its source.
        made: HTML that chunks gave, with the places of the chunks.

    Raises:
        HandinError: More than a table's words would be lost.
    """

    def change(node: Node) -> list[Node] | None:
        if node["t"] != "RawBlock" or node["c"][0] != "html" or "<table" not in node["c"][1].lower():
            return None
        html = node["c"][1]
        read = pandoc.parse(html, folder=Path(), form="html")["blocks"]
        rest = plain_text(rewrite(read, lambda block: [] if block["t"] == "Table" else None))
        styled = "scoped" not in html and LOOK.search(
            " ".join(re.findall(r"<style.*?</style>|style=\"[^\"]*\"", html, re.DOTALL))
        )
        if styled or not SIZE.fullmatch(rest):
            lost = "a look of its own" if styled else f"“{rest.strip()[:40]}” beside it"
            raise HandinError(
                f"a table in HTML with {lost}, which would not be printed",
                place=made.get(html.strip(), places.find(r"\{=html\}|<table")),
                remedy="give plain rows and columns, or draw it",
            )
        tables = []
        for table in _outermost(read):
            (_, classes, _), (_, caption), *cells = table["c"]
            tables += [*caption, {"t": "Table", "c": [["", classes, []], [None, []], *cells]}]
        return tables

    result: Node = rewrite(tree, change)
    return result


def _outermost(node: Any) -> Iterator[Node]:
    """The tables of a tree that stand in no other."""
    if isinstance(node, dict) and node.get("t") == "Table":
        yield node
    else:
        for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from _outermost(value)
