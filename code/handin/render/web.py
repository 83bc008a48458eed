"""A document tree becomes one HTML file, by Pandoc and the project's templates.

Floats, references, callouts and columns stand as on Quarto's page, so that one style sheet serves both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handin.errors import HandinError
from handin.project import Project
from handin.qmd import pandoc
from handin.qmd.pandoc import Node, attr, rewrite
from handin.qmd.source import Source
from handin.render.settings import DocumentSettings

FORMAT = "html"
TEMPLATE = Path(__file__).parent / "web.html"


def float_(
    label: str, word: str, number: str, content: list[Node], caption: list[Node], *, parts: bool
) -> list[Node]:
    before = f"{number} " if number.startswith("(") else f"{number}: "
    said = [
        _raw("<figcaption>"),
        {"t": "Plain", "c": [{"t": "Str", "c": before}, *caption]},
        _raw("</figcaption>"),
    ]
    inside = [*content, *said] if word == "Figure" else [*said, *content]
    return [_div(label, [], [_raw("<figure>"), *inside, _raw("</figure>")])]


def equation(label: str, number: str, math: Node) -> list[Node]:
    numbered = {"t": "Math", "c": [math["c"][0], f"{math['c'][1]} \\qquad({number})"]}
    return [{"t": "Span", "c": [[label, [], []], [numbered]]}]


def reference(label: str, number: str, prefix: list[Node]) -> list[Node]:
    blank = [{"t": "Str", "c": "\xa0"}] if prefix else []
    text = [*prefix, *blank, {"t": "Str", "c": number or "0"}]  # sections are numbered by the filter
    return [{"t": "Link", "c": [["", ["quarto-xref"], []], text, [f"#{label}", ""]]}]


def grid(widths: Sequence[str], cells: Sequence[list[Node]]) -> list[Node]:
    columns = [
        _div("", ["quarto-layout-cell"], cell, width=widths[number % len(widths)] or f"{100 / len(widths)}%")
        for number, cell in enumerate(cells)
    ]
    rows = [columns[first : first + len(widths)] for first in range(0, len(columns), len(widths))]
    return [_div("", ["quarto-layout-row"], row) for row in rows]


def callout(kind: str, title: list[Node], body: list[Node]) -> list[Node]:
    head = {"t": "Para", "c": [{"t": "Strong", "c": title}]}
    return [_div("", [f"callout-{kind}"], [{"t": "BlockQuote", "c": [head, *body]}])]


def to_html(tree: Node, source: Source, settings: DocumentSettings, project: Project, folder: Path) -> str:
    """The page of a document, with everything that it needs inside.

    Args:
        tree: With all references resolved.
        source: What it was made from.
        settings: Of the document.
        project: Its files are what citations, styles and templates come from.
        folder: A scratch folder inside the project; images stand in it.

    Raises:
        HandinError: Pandoc fails, or warns.
    """
    metadata = folder / f"{Path(source.name).stem}-metadata.json"
    metadata.write_text(json.dumps(settings.for_templates(project), default=str), encoding="utf-8")
    templates = folder / "web"
    templates.mkdir(exist_ok=True)
    partials = [Path(name) for name in settings.metadata.get("template-partials", [])]
    for name in partials:
        (templates / name.name).write_bytes((project.root / name).read_bytes())
    (templates / "page.html").write_bytes(TEMPLATE.read_bytes())
    arguments = [
        "--from=json",
        "--to=html5",
        "--standalone",
        f"--template={templates / 'page.html'}",
        f"--metadata-file={metadata}",
        "--mathml",
        "--embed-resources",
        f"--resource-path={folder}:{project.root}",
        "--wrap=none",
    ]
    arguments += [f"--lua-filter={name}" for name in settings.filters]
    arguments += ["--citeproc"] if settings.metadata.get("citeproc") else []
    arguments += ["--toc"] if settings.metadata.get("toc") else []
    tree = rewrite(tree, _change)
    text, warnings = pandoc.run(arguments, json.dumps(tree), folder=project.root)
    if warnings.strip():
        raise HandinError(f"Pandoc warns: {warnings.strip()}", remedy="mend what it names")
    return text


def _change(node: Node) -> list[Node] | None:
    """Images get their alternative text, code folds and shows the name of its file."""
    match node["t"]:
        case "Image":
            identifier, classes, attributes = attr(node["c"][0])
            alt = attributes.pop("fig-alt", None) or attributes.pop("alt", None)
            caption = [{"t": "Str", "c": alt}] if alt else node["c"][1]
            return [{"t": "Image", "c": [[identifier, classes, _pairs(attributes)], caption, node["c"][2]]}]
        case "CodeBlock":
            identifier, classes, attributes = attr(node["c"][0])
            filename, fold = attributes.pop("filename", ""), attributes.pop("code-fold", "")
            summary = attributes.pop("code-summary", "Code")
            blocks = [_code(node["c"][1], identifier, classes, attributes)]
            if filename:
                blocks.insert(0, _div("", ["code-with-filename-file"], [_code(filename)]))
            if fold in ("true", "show"):
                head = _raw(f"<details{' open' if fold == 'show' else ''}><summary>")
                said = {"t": "Plain", "c": [{"t": "Str", "c": summary}]}
                blocks = [head, said, _raw("</summary>"), *blocks, _raw("</details>")]
            return blocks
    return None


def _pairs(attributes: Mapping[str, str]) -> list[list[str]]:
    return [[key, value] for key, value in attributes.items()]


def _code(
    text: str, identifier: str = "", classes: Sequence[str] = (), attributes: Mapping[str, str] | None = None
) -> Node:
    return {"t": "CodeBlock", "c": [[identifier, list(classes), _pairs(attributes or {})], text]}


def _raw(html: str) -> Node:
    return {"t": "RawBlock", "c": ["html", html]}


def _div(identifier: str, classes: list[str], blocks: list[Node], **attributes: Any) -> Node:
    return {"t": "Div", "c": [[identifier, classes, _pairs(attributes)], blocks]}
