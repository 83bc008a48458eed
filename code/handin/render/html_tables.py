"""Tables in HTML, as pandas and polars write them, become tables of the document's tree."""

from __future__ import annotations

import re
from pathlib import Path

from handin.errors import HandinError, Place
from handin.qmd import pandoc
from handin.qmd.pandoc import Node, plain_text, rewrite, walk

# Beside a table of pandas or polars.
SIZE = re.compile(r"\s*(\d+ rows × \d+ columns|shape: \([\d_, ]+\))?\s*")
LOOK = re.compile(r"[;{\"'\s](background|color|font|border|display|visibility)[\w-]*\s*:", re.IGNORECASE)


def read_table(html: str, place: Place) -> list[Node]:
    """The blocks of a piece of HTML that is a table and nothing else.

    Raises:
        HandinError: More than a table's words would be lost; `place` is where it comes from.
    """
    read = pandoc.parse(html, folder=Path(), form="html")["blocks"]
    tables = [node for node in walk(read) if node["t"] == "Table"]
    rest = plain_text(rewrite(read, lambda block: [] if block["t"] == "Table" else None))
    styles = " ".join(re.findall(r"<style.*?</style>|style=\"[^\"]*\"", html, re.DOTALL))
    if len(tables) != 1 or not SIZE.fullmatch(rest) or ("scoped" not in html and LOOK.search(styles)):
        raise HandinError(
            "HTML that is more than one plain table, and would lose its look or its words",
            place=place,
            remedy="give plain rows and columns, or draw it",
        )
    _, (_, caption), *cells = tables[0]["c"]
    return [*caption, {"t": "Table", "c": [["", [], []], [None, []], *cells]}]
