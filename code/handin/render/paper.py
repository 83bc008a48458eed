"""How floats, equations, references, callouts and columns are written in Typst: as Quarto writes them.

So the templates serve both renderers. Floats are `figure`s of kind `quarto-float-fig` and kin, one with parts
is a `quarto_super`, a callout a `callout`: functions of the template that Quarto calls, too. Typst counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from handin.qmd.pandoc import Node, raw_block, raw_inline

# Name → background and colour of its title, Quarto's.
CALLOUTS = {
    "note": ("#dae6fb", "#0758E5"),
    "tip": ("#ccf1e3", "#00A047"),
    "warning": ("#fcefdc", "#EB9113"),
    "caution": ("#ffe5d0", "#FC5300"),
    "important": ("#f7dddc", "#CC1914"),
}


def float_(
    label: str, word: str, number: str, content: list[Node], caption: list[Node], *, parts: bool
) -> list[Node]:
    kind = f'"quarto-float-{label[:3]}"'
    position = "bottom" if word == "Figure" else "top"
    said = {"t": "Plain", "c": caption}
    if parts:
        arguments = f'kind: {kind}, label: <{label}>, position: {position}, supplement: "{word}"'
        return [
            raw_block(f"#quarto_super({arguments}, caption: ["),
            said,
            raw_block("], ["),
            *content,
            raw_block("])"),
        ]
    return [
        raw_block("#figure(["),
        *content,
        raw_block(f"], caption: figure.caption(\nposition: {position}, \n["),
        said,
        raw_block(f']), \nkind: {kind}, \nsupplement: "{word}", \n)\n<{label}>\n'),
    ]


def equation(label: str, number: str, math: Node) -> list[Node]:
    return [
        raw_inline('#math.equation(block: true, numbering: "(1)", [ '),
        math,
        raw_inline(f" ])<{label}>"),
    ]


def reference(label: str, number: str, prefix: list[Node]) -> list[Node]:
    return [raw_inline(f"#ref(<{label}>, supplement: ["), *prefix, raw_inline("])")]


def grid(widths: Sequence[str], cells: Sequence[list[Node]]) -> list[Node]:
    columns = ", ".join(width or "1fr" for width in widths)
    inside = [block for cell in cells for block in (raw_block("["), *cell, raw_block("],"))]
    return [raw_block(f"#grid(columns: ({columns},), gutter: 1em,"), *inside, raw_block(")")]


def callout(kind: str, title: list[Node], body: list[Node]) -> list[Node]:
    background, colour = CALLOUTS[kind]
    return [
        raw_block("#callout(body: ["),
        *body,
        raw_block("], title: ["),
        {"t": "Plain", "c": title},
        raw_block(f'], background_color: rgb("{background}"), icon_color: rgb("{colour}"))'),
    ]
