"""Figures, tables, equations and sections get their labels, and references their links.

All is written in Typst as Quarto writes it, so that the templates serve both renderers. Typst counts.
"""

from __future__ import annotations

import re

from handin.errors import Faults, HandinError, near
from handin.qmd.outline import EQUATION_LABEL, label_of
from handin.qmd.pandoc import Node, attr, plain_text, raw_block, raw_inline, rewrite, walk
from handin.qmd.places import Places

WORDS = {"fig": "Figure", "tbl": "Table", "eq": "Equation", "sec": "Section"}
# Marks that Pandoc has taken for words: of a label, a formula, a heading, a picture, code, a table.
LEFT_OVER = re.compile(
    r"\{[#.][\w-]+|\{\{|\$\$|##|#[^\W\d]|!\[|`{3}|(?=.{3})[|+:=–—-]*[|+][|+:=–—-]*[=–—-][|+:=–—-]*$"
)


def resolve_references(tree: Node, places: Places, citations: set[str], depth: int) -> Node:
    """The tree with floats, labelled equations and cross-references in Typst; citations are kept.

    Args:
        tree: Without conditional content.
        depth: Levels of headings that have numbers.

    Raises:
        HandinError: A label stands twice; a reference or a citation leads nowhere (the nearest known label is
            named); a float lacks its caption; a reference is written in a form that would be lost.
    """
    resolver = _Resolver(places, citations, depth)
    tree = rewrite(tree, resolver.block)
    tree = rewrite(tree, resolver.cite)
    resolver.faults.raise_all()
    return tree


class _Resolver:
    def __init__(self, places: Places, citations: set[str], depth: int) -> None:
        self._depth = depth
        self._places = places
        self._citations = citations
        self._labels: set[str] = set()
        self.faults = Faults()

    # First pass: what carries a label.

    def block(self, node: Node) -> list[Node] | None:
        """Floats and equations among the blocks."""
        match node["t"]:
            case "Div":
                label, blocks = attr(node["c"][0])[0], node["c"][1]
                if label.startswith(("fig-", "tbl-")):
                    caption = blocks[-1]["c"] if blocks[-1]["t"] == "Para" else []
                    return self._float(label, label[:3], blocks[:-1], caption)
            case "Figure":
                return self._float(attr(node["c"][0])[0], "fig", node["c"][2], self._caption(node))
            case "Table":
                return self._table(node)
            case "Header":
                label, classes, _ = attr(node["c"][1])
                if label.startswith("sec-") and "unnumbered" not in classes and node["c"][0] <= self._depth:
                    self._define(label)
            case "Para" | "Plain":
                return [{"t": node["t"], "c": self._equations(node["c"])}]
        return None

    def _table(self, node: Node) -> list[Node]:
        # Pandoc would wrap the table in a figure of its own.
        bare = {"t": "Table", "c": [["", ["typst:no-figure"], []], [None, []], *node["c"][2:]]}
        label, has_caption = attr(node["c"][0])[0], node["c"][1][1]
        return self._float(label, "tbl", [bare], self._caption(node)) if label or has_caption else [bare]

    def _caption(self, node: Node) -> list[Node]:
        """Of a figure or a table."""
        blocks = node["c"][1][1]
        inlines: list[Node] = blocks[0]["c"] if len(blocks) == 1 else []
        return inlines

    def _float(self, label: str, kind: str, content: list[Node], caption: list[Node]) -> list[Node]:
        if not caption or not label.startswith(f"{kind}-"):
            name, first = label or plain_text(caption)[:40], re.escape(plain_text(caption[:1]))
            raise HandinError(
                f"the figure or table “{name}” needs a caption of one paragraph and a label `{kind}-…`",
                place=self._places.label(label) if label else self._places.find(first),
                remedy=f"write the caption, and {{#{kind}-name}} behind it",
            )
        if any(node["t"] == "RawBlock" and "#figure(" in node["c"][1] for node in walk(content)):
            place = self._places.label(label)
            raise HandinError(f"a figure or table within `{label}`", place=place, remedy="set each by itself")
        self._define(label)
        position = "bottom" if kind == "fig" else "top"
        inside = [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in content]
        return [
            raw_block("#figure(["),
            *inside,
            raw_block(f"], caption: figure.caption(\nposition: {position}, \n["),
            {"t": "Plain", "c": caption},
            raw_block(f']), \nkind: "quarto-float-{kind}", \nsupplement: "{WORDS[kind]}", \n)\n<{label}>\n'),
        ]

    def _equations(self, inlines: list[Node]) -> list[Node]:
        """`$$…$$ {#eq-x}` as a numbered equation."""
        result: list[Node] = []
        for node in inlines:
            match = EQUATION_LABEL.match(node["c"]) if node["t"] == "Str" else None
            while match and result and result[-1]["t"] in ("Space", "SoftBreak"):
                result.pop()
            formula = result[-1] if match and result else node
            if not match or formula["t"] != "Math" or formula["c"][0]["t"] != "DisplayMath":
                result.append(node)
                continue
            self._define(match["label"])
            opening = raw_inline('#math.equation(block: true, numbering: "(1)", [ ')
            result[-1:] = [opening, formula, raw_inline(f" ])<{match['label']}>")]
            result += [{"t": "Str", "c": match["rest"]}] if match["rest"] else []
        return result

    def _define(self, label: str) -> None:
        if label in self._labels:
            place, first = self._places.label(label, last=True), self._places.label(label)
            remedy = f"rename one; the first is at {first}"
            self.faults.found.append(
                HandinError(f"the label `{label}` stands twice", place=place, remedy=remedy)
            )
        self._labels.add(label)

    # Second pass: what refers to a label.

    def cite(self, node: Node) -> list[Node] | None:
        """A cross-reference; None for other nodes and for citations, which Pandoc resolves."""
        if node["t"] == "Str" and LEFT_OVER.match(node["c"]):
            written = re.sub("[–—]", "-{2,3}", re.escape(node["c"]))
            place = self._places.find(("^" if node["c"][0] in "#|+:=–—-" else r"(?<!\\)") + written)
            if place.line:  # else it is escaped
                remedy = "write it in its form, a label right behind what it names; or put \\ before it"
                raise HandinError(f"`{node['c']}` would be printed as it stands", place=place, remedy=remedy)
        if node["t"] != "Cite":
            return None
        cites = node["c"][0]
        keys = [cite["citationId"] for cite in cites]
        lost = [key for key in keys if (label_of(key) or key) not in self._known(key)]
        self.faults.found += [self._unresolved(key) for key in lost]
        references = [key for key in keys if label_of(key)]
        if lost or not references:
            return None
        if len(references) < len(keys) or any(cite["citationSuffix"] for cite in cites):
            raise HandinError(
                f"Pandoc reads “{plain_text(node['c'][1])}” as one citation, and part of it would be lost",
                place=self._places.mention(references[0]),
                remedy="put a comma or a word between the reference and what follows",
            )
        result: list[Node] = []
        for number, cite in enumerate(cites):
            label, prefix = label_of(cite["citationId"]), cite["citationPrefix"]
            if number:
                result += [{"t": "Str", "c": ","}, {"t": "Space"}]
            if not prefix and cite["citationMode"]["t"] != "SuppressAuthor":
                prefix = [{"t": "Str", "c": WORDS[label.split("-")[0]]}]
            result += [raw_inline(f"#ref(<{label}>, supplement: ["), *prefix, raw_inline("])")]
        return result

    def _known(self, key: str) -> set[str]:
        return self._labels if label_of(key) else self._citations

    def _unresolved(self, key: str) -> HandinError:
        place = self._places.mention(key)
        if self._places.label(key) != self._places.document:
            return HandinError(f"`{key}` has no number", place=place, remedy="refer to what has one")
        meant = near(key, self._labels | self._known(key))
        remedy = f"did you mean @{meant}?" if meant else "mend the name, or add what it names"
        kind = "label" if label_of(key) else "bibliography entry"
        return HandinError(f"there is no {kind} `{key}`", place=place, remedy=remedy)
