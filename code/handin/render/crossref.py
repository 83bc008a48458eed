"""Figures, tables, listings, equations and sections get their labels, and references their links.

Here labels are checked and numbered; how a thing is written is for `handin.render.paper` to say. Blocks
with columns and callouts are put in their form, too.
"""

from __future__ import annotations

import re
from typing import Any

from handin.errors import Faults, HandinError, Place, near
from handin.qmd.outline import EQUATION_LABEL, REFERENCE
from handin.qmd.pandoc import Node, attr, plain_text, rewrite, walk
from handin.qmd.source import Source
from handin.render import paper

SUPPLEMENT = {"fig": "Figure", "tbl": "Table", "lst": "Listing", "eq": "Equation", "sec": "Section"}
FLOATS = ("fig-", "tbl-", "lst-")
# Words that people write in the place of the prefix of a label.
PREFIXES = {
    "figure": "fig", "table": "tbl", "tab": "tbl", "section": "sec", "equation": "eq", "eqn": "eq",
    "listing": "lst",
}  # fmt: skip


def resolve_references(tree: Node, source: Source, citations: set[str]) -> Node:
    """The tree with floats, labelled equations and cross-references written out; citations are kept.

    Args:
        tree: Without conditional content.
        source: Where places are looked up.
        citations: Keys of the bibliography.

    Raises:
        HandinError: A label stands twice; a reference or a citation leads nowhere (the nearest known label is
            named); a float lacks its caption; a reference is written in a form that would be lost.
    """
    resolver = _Resolver(source)
    resolver.collect_parts(tree)
    tree = rewrite(rewrite(tree, _cut_to_cells), resolver.block)
    resolver.collect_sections(tree)
    tree = resolver.resolve(tree, citations)
    resolver.faults.raise_all()
    return tree


class _Resolver:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._numbers: dict[str, str] = {}  # of everything with a label, as it is printed
        self._parts: dict[str, str] = {}  # label of a part → its letter
        self._wholes: set[str] = set()  # floats that consist of parts
        self._counts: dict[str, int] = {}
        self.faults = Faults()

    # First pass: what carries a label.

    def collect_parts(self, tree: Node) -> None:
        """Floats inside others, which share their number."""
        for node in walk(tree["blocks"]):
            if node["t"] != "Div" or not attr(node["c"][0])[0].startswith(FLOATS):
                continue
            labels = [
                attr(part["c"][0])[0]
                for part in walk(node["c"][1])
                if part["t"] in ("Div", "Figure", "Table")
            ]
            parts = [label for label in labels if label.startswith(FLOATS)]
            self._parts |= {label: chr(ord("a") + number) for number, label in enumerate(parts)}
            self._wholes |= {attr(node["c"][0])[0]} if parts else set()

    def block(self, node: Node) -> list[Node] | None:
        """Floats, columns, callouts and equations among the blocks."""
        match node["t"]:
            case "Div":
                return self._div(node)
            case "Figure":
                identifier, _, _ = attr(node["c"][0])
                return self._float(identifier, "fig", node["c"][2], self._caption(node["c"][1], identifier))
            case "Table":
                return self._table(node)
            case "Para" | "Plain":
                return [{"t": node["t"], "c": self._equations(node["c"])}]
        return None

    def _div(self, node: Node) -> list[Node] | None:
        identifier, classes, attributes = attr(node["c"][0])
        blocks: list[Node] = node["c"][1]
        caption: list[Node] = []
        if identifier.startswith(FLOATS):
            if len(blocks) < 2 or blocks[-1]["t"] != "Para":
                raise HandinError(
                    f"`{identifier}` has no caption",
                    place=self._where(identifier),
                    remedy="end the block with a paragraph",
                )
            caption, blocks = blocks[-1]["c"], blocks[:-1]
        elif kind := next((name[8:] for name in classes if name.startswith("callout-")), ""):
            title = [{"t": "Str", "c": kind.capitalize()}]
            if "title" in attributes:
                title = [{"t": "Str", "c": attributes["title"]}]
            elif blocks and blocks[0]["t"] == "Header":
                title, blocks = blocks[0]["c"][2], blocks[1:]
            return list(paper.callout(kind, title, blocks))
        elif "columns" in classes:
            columns = [block for block in blocks if block["t"] == "Div"]
            widths = [attr(column["c"][0])[2].get("width", "") for column in columns]
            return list(paper.grid(widths, [column["c"][1] for column in columns]))
        if "layout-ncol" in attributes:
            cells = [cell["c"][1] for cell in blocks]
            blocks = paper.grid([""] * int(attributes["layout-ncol"]), cells)
        if caption:
            return self._float(identifier, identifier[:3], blocks, caption)
        return blocks if "layout-ncol" in attributes else None

    def _table(self, node: Node) -> list[Node]:
        identifier, classes, attributes = attr(node["c"][0])
        # Pandoc would wrap the table in a figure of its own.
        own = ["typst:no-figure"]
        attributes_list = ["", [*classes, *own], list(attributes.items())]
        caption = node["c"][1]
        bare = {"t": "Table", "c": [attributes_list, [None, []], *node["c"][2:]]}
        if not identifier and not caption[1]:
            return [bare]
        return self._float(identifier, "tbl", [bare], self._caption(caption, identifier))

    def _caption(self, caption: list[Any], label: str) -> list[Node]:
        blocks = caption[1]
        if len(blocks) != 1:
            raise HandinError(
                f"`{label or 'this table or figure'}` needs a caption of one paragraph",
                place=self._where(label),
            )
        inlines: list[Node] = blocks[0]["c"]
        return inlines

    def _float(self, label: str, kind: str, content: list[Node], caption: list[Node]) -> list[Node]:
        if not label.startswith(f"{kind}-"):
            raise HandinError(
                f"the figure or table “{plain_text(caption)[:40]}” has a caption but no label",
                place=self._source.find(re.escape(plain_text(caption[:1]))),
                remedy=f"write {{#{kind}-name}} behind it",
            )
        word = SUPPLEMENT[kind]
        whole = f"{self._counts.get(word, 0) + 1}"
        part = self._parts.get(label)
        self._define(label, f"{whole} ({part})" if part else self._next(word))
        content = [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in content]
        number = f"({part})" if part else f"{word} {whole}"
        parts = label in self._wholes
        return list(paper.float_(label, word, number, content, caption, parts=parts))

    def _next(self, word: str) -> str:
        self._counts[word] = self._counts.get(word, 0) + 1
        return str(self._counts[word])

    def _equations(self, inlines: list[Node]) -> list[Node]:
        """`$$…$$ {#eq-x}` as a numbered equation."""
        result: list[Node] = []
        for node in inlines:
            match = EQUATION_LABEL.match(node["c"]) if node["t"] == "Str" else None
            if match:
                while result and result[-1]["t"] in ("Space", "SoftBreak"):
                    result.pop()
            if match and result and result[-1]["t"] == "Math" and result[-1]["c"][0]["t"] == "DisplayMath":
                self._define(match["label"], self._next("Equation"))
                result += paper.equation(match["label"], self._numbers[match["label"]], result.pop())
                result += [{"t": "Str", "c": match["rest"]}] if match["rest"] else []
            elif match:
                raise HandinError(
                    f"the label `{match['label']}` follows no displayed equation",
                    place=self._where(match["label"]),
                    remedy="write $$…$$ {#eq-name}",
                )
            else:
                result.append(node)
        return result

    def collect_sections(self, tree: Node) -> None:
        """Labels of numbered headings."""
        for node in walk(tree["blocks"]):
            if node["t"] == "Header":
                identifier, classes, _ = attr(node["c"][1])
                if identifier.startswith("sec-") and "unnumbered" not in classes:
                    self._define(identifier, "")

    def _define(self, label: str, number: str) -> None:
        if label in self._numbers:
            place, first = self._where(label, last=True), self._where(label)
            remedy = f"rename one; the first is at {first}"
            self.faults.found.append(
                HandinError(f"the label `{label}` stands twice", place=place, remedy=remedy)
            )
        self._numbers[label] = number

    # Second pass: what refers to a label.

    def resolve(self, tree: Node, citations: set[str]) -> Node:
        def change(node: Node) -> list[Node] | None:
            return self._cite(node, citations) if node["t"] == "Cite" else None

        result: Node = rewrite(tree, change)
        return result

    def _cite(self, node: Node, known: set[str]) -> list[Node] | None:
        cites = node["c"][0]
        keys = [cite["citationId"] for cite in cites]
        references = [key for key in keys if REFERENCE.match(key)]
        lost = [key for key in keys if key not in (self._numbers if key in references else known)]
        self.faults.found += [self._unresolved(key, known) for key in lost]
        if lost or not references:
            return None
        if len(references) < len(keys) or any(cite["citationSuffix"] for cite in cites):
            raise HandinError(
                f"Pandoc reads “{plain_text(node['c'][1])}” as one citation, and part of it would be lost",
                place=self._where(f"@{references[0]}"),
                remedy="put a comma or a word between the reference and what follows",
            )
        result: list[Node] = []
        for number, cite in enumerate(cites):
            key, prefix = cite["citationId"], cite["citationPrefix"]
            if number:
                result += [{"t": "Str", "c": ","}, {"t": "Space"}]
            if not prefix and cite["citationMode"]["t"] != "SuppressAuthor":
                prefix = [{"t": "Str", "c": SUPPLEMENT[key.split("-")[0]]}]
            result += paper.reference(key, self._numbers[key], prefix)
        return result

    def _unresolved(self, key: str, citations: set[str]) -> HandinError:
        word, _, name = key.partition("-")
        prefix = PREFIXES.get(word.lower(), word)
        is_label = bool(name) and prefix in SUPPLEMENT
        kind = "label" if is_label else "bibliography entry"
        alike = [label for label in self._numbers if label.startswith(f"{prefix}-")]
        meant = near(f"{prefix}-{name}" if is_label else key, alike if is_label else citations)
        remedy = f"did you mean @{meant}?" if meant else f"mend the name, or add the {kind}"
        return HandinError(f"there is no {kind} `{key}`", place=self._where(f"@{key}"), remedy=remedy)

    def _where(self, text: str, last: bool = False) -> Place:
        """Place of a label or a reference in the source."""
        pattern = re.escape(text) if text.startswith("@") else rf"(#|label:\s*[\"']?){re.escape(text)}"
        found = [line.place for line in self._source.lines if re.search(rf"{pattern}(?![\w-])", line.text)]
        return found[-1 if last else 0] if text and found else Place(self._source.name)


def _cut_to_cells(node: Node) -> list[Node] | None:
    """In a block with columns, a div around each cell: a block, or an image of a paragraph of images."""
    if node["t"] != "Div" or "layout-ncol" not in attr(node["c"][0])[2]:
        return None
    cells: list[list[Node]] = []
    blocks = node["c"][1]
    last = len(blocks) - (1 if attr(node["c"][0])[0].startswith(FLOATS) else 0)
    for block in blocks[:last]:
        inlines = block["c"] if block["t"] == "Para" else []
        images = [inline for inline in inlines if inline["t"] == "Image"]
        if images and all(inline["t"] in ("Image", "Space", "SoftBreak") for inline in inlines):
            cells += [[{"t": "Plain", "c": [image]}] for image in images]
        else:
            cells.append([block])
    divs = [{"t": "Div", "c": [["", [], []], cell]} for cell in cells]
    return [{"t": "Div", "c": [node["c"][0], [*divs, *blocks[last:]]]}]
