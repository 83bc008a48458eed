"""What the built-in renderer supports, and the refusal of everything else by file and line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from handin.errors import HandinError
from handin.qmd import chunks
from handin.qmd.conditional import CLASSES, CONDITIONS
from handin.qmd.source import Source
from handin.render.pandoc import Node, attr, plain_text, walk

DIVS = {"refs"}  # identifiers of fenced blocks
SPANS = {"smallcaps", "underline"}
IMAGE_ATTRIBUTES = {"fig-alt", "alt", "width", "height"}

SUPPORTED = {
    "includes": "{{< include path >}} on a line by itself, nested too",
    "chunks": "```{python} with options " + ", ".join(chunks.OPTIONS),
    "outputs": "SVG and PNG images, text/markdown, text/plain, stdout and stderr",
    "inline values": "`{python} expression` on one line",
    "figures": "chunks labelled fig-…, ![caption](file){#fig-…}, ::: {#fig-…} with the caption last",
    "tables": "chunks labelled tbl-… that give a Markdown table, and `: caption {#tbl-…}`",
    "equations": "$$…$$ {#eq-…}",
    "references": "@sec-… @fig-… @tbl-… @eq-…, [@fig-a; @tbl-b], [-@fig-a]",
    "citations": "@key, [@key], [@key, p. 3; @other], with citeproc and ::: {#refs}",
    "conditional content": "::: {.content-visible …} and .content-hidden with "
    + ", ".join(sorted(CONDITIONS)),
    "raw blocks": "```{=typst}",
    "Markdown": "the rest of Pandoc's: lists, quotes, footnotes, links, code, headings {.unnumbered}",
}


def refuse_unsupported(tree: Node, source: Source, roots: Sequence[Path]) -> None:
    """Look through a tree, conditional content resolved, for what would be lost or come out different.

    Args:
        tree: The tree.
        source: Where places are looked up.
        roots: Folders that images may stand in.

    Raises:
        HandinError: The first such thing, with its place.
    """
    for node in walk(tree["blocks"]):
        match node["t"]:
            case "RawBlock" | "RawInline":
                _raw(node, source)
            case "Div":
                _div(node, source)
            case "Span":
                _, classes, _ = attr(node["c"][0])
                if set(classes) - SPANS:
                    raise _refusal(
                        f"the span [{plain_text(node)}]{{.{classes[0]}}}", re.escape(classes[0]), source
                    )
            case "Image":
                _image(node, source, roots)


def _raw(node: Node, source: Source) -> None:
    form, text = node["c"]
    comment = form == "html" and re.fullmatch(r"\s*<!--.*-->\s*", text, re.DOTALL)
    if form != "typst" and not comment:
        line = next((line for line in text.splitlines() if line.strip()), text)
        raise _refusal(f"raw {form}, which is lost in a PDF set by Typst: {line}", re.escape(line), source)


def _div(node: Node, source: Source) -> None:
    identifier, classes, _ = attr(node["c"][0])
    unknown = [name for name in classes if name not in CLASSES]
    if unknown:
        raise _refusal(f"the block `::: {{.{unknown[0]}}}`", rf":::.*{re.escape(unknown[0])}", source)
    if identifier not in DIVS and not identifier.startswith(("fig-", "tbl-")):
        raise _refusal(f"the block `::: {{#{identifier}}}`", rf":::.*{re.escape(identifier)}", source)


def _image(node: Node, source: Source, roots: Sequence[Path]) -> None:
    _, classes, attributes = attr(node["c"][0])
    target = node["c"][2][0]
    unknown = [*classes, *(set(attributes) - IMAGE_ATTRIBUTES)]
    if unknown:
        raise _refusal(f"the image attribute `{unknown[0]}`", re.escape(unknown[0]), source)
    if "://" in target or not any((root / target).is_file() for root in roots):
        raise HandinError(
            f"there is no image `{target}` in the project",
            place=source.find(re.escape(target)),
            remedy="mend the path; it is relative to the project",
        )


def _refusal(what: str, pattern: str, source: Source) -> HandinError:
    return HandinError(
        f"the built-in renderer does not support {what}",
        place=source.find(pattern),
        remedy="write it another way (see `handin render --list-supported`), or render with Quarto",
    )
