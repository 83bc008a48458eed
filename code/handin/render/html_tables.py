"""Tables in HTML, as pandas writes them, become tables of the document's tree."""

from __future__ import annotations

import re
from pathlib import Path

from handin.qmd import pandoc
from handin.qmd.pandoc import Node, plain_text, rewrite, walk

SIZE = re.compile(r"\s*(\d+ rows × \d+ columns)?\s*")  # below a table of pandas; Quarto prints it on the web


def set_html_tables(tree: Node) -> Node:
    """The tree with raw HTML that is a table and nothing else turned into that table."""

    def change(node: Node) -> list[Node] | None:
        if node["t"] != "RawBlock" or node["c"][0] != "html" or "<table" not in node["c"][1]:
            return None
        read = pandoc.parse(node["c"][1], folder=Path(), form="html")["blocks"]
        tables = [block for block in walk(read) if block["t"] == "Table"]
        size = plain_text(rewrite(read, lambda block: [] if block["t"] == "Table" else None))
        if not SIZE.fullmatch(size):
            return None
        return tables

    result: Node = rewrite(tree, change)
    return result
