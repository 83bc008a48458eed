"""Figures, tables, listings, equations and sections get their labels, and references their links.

All is written in Typst as Quarto writes it, so that the templates serve both renderers. Typst counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from handin.errors import Faults, HandinError, near
from handin.qmd.outline import EQUATION_LABEL, label_of
from handin.qmd.pandoc import Node, attr, plain_text, raw_block, raw_inline, rewrite, walk
from handin.qmd.places import Places

WORDS = {"fig": "Figure", "tbl": "Table", "lst": "Listing", "eq": "Equation", "sec": "Section"}
FLOATS = ("fig-", "tbl-", "lst-")
CALLOUTS = {
    "note": "#0758E5",
    "tip": "#00A047",
    "warning": "#EB9113",
    "caution": "#FC5300",
    "important": "#CC1914",
}
# What Quarto counts as well: callouts, theorems and kin.
UNKNOWN = {
    "nte", "tip", "wrn", "imp", "cau", "thm", "lem", "cor", "prp", "cnj", "def", "exm", "exr", "sol", "rem",
    "alg", "prf",
}  # fmt: skip


def resolve_references(tree: Node, places: Places, citations: set[str], depth: int) -> Node:
    """The tree with floats, labelled equations, callouts and cross-references in Typst; citations are kept.

    Args:
        tree: Without conditional content.
        places: Of its source.
        citations: Keys of the bibliography.
        depth: Levels of headings that have numbers.

    Raises:
        HandinError: A label stands twice; a reference or a citation leads nowhere (the nearest known label is
            named); a float lacks its caption; a reference is written in a form that would be lost.
    """
    resolver = _Resolver(places, citations, depth)
    resolver.refuse_parts(tree)
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

    def refuse_parts(self, tree: Node) -> None:
        """A figure inside a figure, each with a caption, is what Quarto counts (a), (b)."""
        for node in walk(tree["blocks"]):
            whole = attr(node["c"][0])[0] if node["t"] == "Div" else ""
            for part in walk(node["c"][1]) if whole.startswith(FLOATS) else ():
                label = attr(part["c"][0])[0] if part["t"] in ("Div", "Figure", "Table", "CodeBlock") else ""
                if label.startswith(FLOATS) or part["t"] == "Figure":
                    raise HandinError(
                        f"the built-in renderer knows no figures in a figure, as in `{whole}`",
                        place=self._places.label(label or whole),
                        remedy="make each a figure of its own, or draw them as one",
                    )

    # First pass: what carries a label.

    def block(self, node: Node) -> list[Node] | None:
        """Floats, callouts and equations among the blocks."""
        match node["t"]:
            case "Div":
                return self._div(node)
            case "Figure":
                label, caption = attr(node["c"][0])[0], self._caption(node)
                return (
                    self._float(label, "fig", node["c"][2], caption)
                    if label
                    else _uncounted(node["c"][2], caption)
                )
            case "Table":
                return self._table(node)
            case "CodeBlock" if attr(node["c"][0])[0].startswith("lst-"):
                (label, classes, attributes), code = attr(node["c"][0]), node["c"][1]
                bare = {"t": "CodeBlock", "c": [["", classes, []], code]}
                return self._float(label, "lst", [bare], [{"t": "Str", "c": attributes.get("lst-cap", "")}])
            case "Header":
                label, classes, _ = attr(node["c"][1])
                if label.startswith("sec-") and "unnumbered" not in classes and node["c"][0] <= self._depth:
                    self._define(label)
            case "Para" | "Plain":
                return [{"t": node["t"], "c": self._equations(node["c"])}]
        return None

    def _div(self, node: Node) -> list[Node] | None:
        label, classes, _ = attr(node["c"][0])
        blocks: list[Node] = node["c"][1]
        if label.startswith(FLOATS):
            if len(blocks) < 2 or blocks[-1]["t"] != "Para":
                raise HandinError(
                    f"`{label}` has no caption",
                    place=self._places.label(label),
                    remedy="end the block with a paragraph",
                )
            return self._float(label, label[:3], blocks[:-1], blocks[-1]["c"])
        if kind := next((kind for kind in CALLOUTS if f"callout-{kind}" in classes), ""):
            return _callout(kind, node)
        return None

    def _table(self, node: Node) -> list[Node]:
        label, classes, attributes = attr(node["c"][0])
        # Pandoc would wrap the table in a figure of its own.
        own = ["", [*classes, "typst:no-figure"], list(attributes.items())]
        bare = {"t": "Table", "c": [own, [None, []], *node["c"][2:]]}
        captioned = label or node["c"][1][1]
        return self._float(label, "tbl", [bare], self._caption(node)) if captioned else [bare]

    def _caption(self, node: Node) -> list[Node]:
        """Of a figure or a table."""
        label, blocks = attr(node["c"][0])[0], node["c"][1][1]
        if len(blocks) != 1:
            raise HandinError(
                f"`{label}` needs a caption of one paragraph",
                place=self._places.label(label),
                remedy="write one behind it",
            )
        inlines: list[Node] = blocks[0]["c"]
        return inlines

    def _float(self, label: str, kind: str, content: list[Node], caption: list[Node]) -> list[Node]:
        if not label.startswith(f"{kind}-"):
            raise HandinError(
                f"the figure or table “{plain_text(caption)[:40]}” has a caption but no label `{kind}-…`",
                place=self._places.containing(plain_text(caption[:1])),
                remedy=f"write {{#{kind}-name}} behind it",
            )
        self._define(label)
        position = "bottom" if kind == "fig" else "top"
        closing = f']), \nkind: "quarto-float-{kind}", \nsupplement: "{WORDS[kind]}", \n)\n<{label}>\n'
        return _figure(content, position, caption, closing)

    def _equations(self, inlines: list[Node]) -> list[Node]:
        """`$$…$$ {#eq-x}` as a numbered equation."""
        result: list[Node] = []
        for node in inlines:
            match = EQUATION_LABEL.match(node["c"]) if node["t"] == "Str" else None
            if not match:
                result.append(node)
                continue
            label = match["label"]
            while result and result[-1]["t"] in ("Space", "SoftBreak"):
                result.pop()
            if not result or result[-1]["t"] != "Math" or result[-1]["c"][0]["t"] != "DisplayMath":
                raise HandinError(
                    f"the label `{label}` follows no displayed equation",
                    place=self._places.label(label),
                    remedy="write $$…$$ {#eq-name}",
                )
            self._define(label)
            opening = raw_inline('#math.equation(block: true, numbering: "(1)", [ ')
            result[-1:] = [opening, result[-1], raw_inline(f" ])<{label}>")]
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
        if node["t"] != "Cite":
            return None
        cites = node["c"][0]
        keys = [cite["citationId"] for cite in cites]
        lost = [
            key
            for key in keys
            if (label_of(key) or key) not in (self._labels if label_of(key) else self._citations)
        ]
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

    def _unresolved(self, key: str) -> HandinError:
        place = self._places.mention(key)
        word, _, name = key.lower().partition("-")
        if name and word in UNKNOWN:
            problem = f"the built-in renderer counts no callouts and theorems, and there is no entry `{key}`"
            return HandinError(problem, place=place, remedy="refer to a section, or render with Quarto")
        if self._places.label(key) != self._places.document:
            return HandinError(f"`{key}` has no number", place=place, remedy="refer to what has one")
        meant = near(key, self._labels if label_of(key) else self._labels | self._citations)
        remedy = f"did you mean @{meant}?" if meant else "mend the name, or add what it names"
        kind = "label" if label_of(key) else "bibliography entry"
        return HandinError(f"there is no {kind} `{key}`", place=place, remedy=remedy)


def _figure(content: Sequence[Node], position: str, caption: list[Node], closing: str) -> list[Node]:
    inside = [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in content]
    opened = raw_block(f"], caption: figure.caption(\nposition: {position}, \n[")
    return [raw_block("#figure(["), *inside, opened, {"t": "Plain", "c": caption}, raw_block(closing)]


def _uncounted(content: list[Node], caption: list[Node]) -> list[Node]:
    """A picture whose caption has no number, as nothing can refer to it."""
    return _figure(
        content, "bottom", caption, ']), \nkind: "uncounted", \nnumbering: none, \nsupplement: none, \n)\n'
    )


def _callout(kind: str, node: Node) -> list[Node]:
    """A note set apart; its title is its own, its first heading, or its kind."""
    _, _, attributes = attr(node["c"][0])
    blocks, title = node["c"][1], [{"t": "Str", "c": attributes.get("title", kind.capitalize())}]
    if "title" not in attributes and blocks and blocks[0]["t"] == "Header":
        title, blocks = blocks[0]["c"][2], blocks[1:]
    opening = raw_block(
        f'#block(width: 100%, inset: (left: 0.9em, y: 0.5em), stroke: (left: 2pt + rgb("{CALLOUTS[kind]}")))['
    )
    return [opening, {"t": "Para", "c": [{"t": "Strong", "c": title}]}, *blocks, raw_block("]")]
