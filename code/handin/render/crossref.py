"""Figures, tables, equations and sections get their labels, and references their links, in Typst's words.

What is written here is what Quarto writes for Typst, so that the templates serve both renderers:
floats are `figure`s of kind `quarto-float-fig` or `quarto-float-tbl`, numbered equations
`math.equation(numbering: "(1)")`, references `#ref(<label>, supplement: [Figure])`. Typst counts.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from handin.errors import HandinError, Place
from handin.qmd.outline import EQUATION_LABEL, REFERENCE
from handin.qmd.pandoc import Node, attr, plain_text, raw_block, raw_inline, rewrite, walk
from handin.qmd.source import Source

SUPPLEMENT = {"fig": "Figure", "tbl": "Table", "eq": "Equation", "sec": "Section"}


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
    tree = rewrite(tree, resolver.block)
    resolver.collect_sections(tree)
    return resolver.resolve(tree, citations)


class _Resolver:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._labels: set[str] = set()

    # First pass: what carries a label.

    def block(self, node: Node) -> list[Node] | None:
        """Floats and equations among the blocks."""
        match node["t"]:
            case "Div":
                identifier, _, _ = attr(node["c"][0])
                if identifier.startswith(("fig-", "tbl-")):
                    return self._float_of_div(identifier, node["c"][1])
            case "Figure":
                identifier, _, _ = attr(node["c"][0])
                return self._float(identifier, "fig", node["c"][2], self._caption(node["c"][1], identifier))
            case "Table":
                return self._table(node)
            case "Para" | "Plain":
                return [{"t": node["t"], "c": self._equations(node["c"])}]
        return None

    def _float_of_div(self, label: str, blocks: list[Node]) -> list[Node]:
        """A fenced block whose last paragraph is the caption."""
        if len(blocks) < 2 or blocks[-1]["t"] != "Para":
            raise HandinError(
                f"`{label}` has no caption", place=self._where(label), remedy="end the block with a paragraph"
            )
        return self._float(label, label[:3], blocks[:-1], blocks[-1]["c"])

    def _table(self, node: Node) -> list[Node]:
        identifier, classes, attributes = attr(node["c"][0])
        # Pandoc would wrap the table in a figure of its own.
        attributes_list = ["", [*classes, "typst:no-figure"], list(attributes.items())]
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
        self._define(label)
        position = "top" if kind == "tbl" else "bottom"
        content = [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in content]
        return [
            raw_block("#figure(["),
            *content,
            raw_block(f"], caption: figure.caption(\nposition: {position}, \n["),
            {"t": "Plain", "c": caption},
            raw_block(
                f']), \nkind: "quarto-float-{kind}", \nsupplement: "{SUPPLEMENT[kind]}", \n)\n<{label}>\n'
            ),
        ]

    def _equations(self, inlines: list[Node]) -> list[Node]:
        """`$$…$$ {#eq-x}` as a numbered equation."""
        result: list[Node] = []
        for node in inlines:
            match = EQUATION_LABEL.match(node["c"]) if node["t"] == "Str" else None
            if match:
                while result and result[-1]["t"] in ("Space", "SoftBreak"):
                    result.pop()
            if match and result and result[-1]["t"] == "Math" and result[-1]["c"][0]["t"] == "DisplayMath":
                self._define(match["label"])
                math = result.pop()
                result += [
                    raw_inline('#math.equation(block: true, numbering: "(1)", [ '),
                    math,
                    raw_inline(f" ])<{match['label']}>"),
                ]
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
                    self._define(identifier)

    def _define(self, label: str) -> None:
        if label in self._labels:
            raise HandinError(
                f"the label `{label}` stands twice",
                place=self._where(label, last=True),
                remedy=f"rename one; the first is at {self._where(label)}",
            )
        self._labels.add(label)

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
        for key in keys:
            if key not in (self._labels if key in references else known):
                raise self._unresolved(key, known)
        if not references:
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
            result += [raw_inline(f"#ref(<{key}>, supplement: ["), *prefix, raw_inline("])")]
        return result

    def _unresolved(self, key: str, citations: set[str]) -> HandinError:
        is_reference = REFERENCE.match(key) is not None
        kind = "label" if is_reference else "bibliography entry"
        candidates = self._labels if is_reference else citations
        near = difflib.get_close_matches(key, sorted(candidates), n=1, cutoff=0.3)
        remedy = f"did you mean @{near[0]}?" if near else f"there is no {kind} at all"
        return HandinError(f"there is no {kind} `{key}`", place=self._where(f"@{key}"), remedy=remedy)

    def _where(self, text: str, last: bool = False) -> Place:
        """Place of a label or a reference in the source."""
        pattern = re.escape(text) if text.startswith("@") else rf"(#|label:\s*[\"']?){re.escape(text)}"
        found = [line.place for line in self._source.lines if re.search(rf"{pattern}(?![\w-])", line.text)]
        return found[-1 if last else 0] if text and found else Place(self._source.name)
