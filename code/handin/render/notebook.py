"""A document as a Jupyter notebook: its prose, its chunks and what they gave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import nbformat
from nbformat import NotebookNode

from handin.qmd.chunks import Chunk, Prose, expressions

CONTROL = re.compile(r"\x1b(\[[0-9;?]*[mKJhl]|\][^\x07\x1b]*(\x07|\x1b\\))")  # colours, erased ends, links
OVERWRITTEN = re.compile(r"[^\n\r]*\r+(?=[^\n\r])")  # by what follows on the line
READABLE = 20_000  # characters that one output may print, some five pages


@dataclass(frozen=True)
class CellResult:
    """What a kernel gave for one chunk, or for the inline expressions of one piece of prose."""

    outputs: list[NotebookNode] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)  # number of the expression → its value


def as_notebook(cells: Sequence[dict[str, Any]]) -> NotebookNode:
    """A notebook for Python with these cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    held = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    notebook: NotebookNode = nbformat.from_dict(held)
    return notebook


def asks(block: Prose | Chunk) -> bool:
    """Whether a block asks the kernel something, so that it has a result."""
    return block.runs if isinstance(block, Chunk) else bool(expressions(block.text))


def executed(blocks: Sequence[Prose | Chunk], results: Iterable[CellResult]) -> NotebookNode:
    """The notebook of a document with its results, one cell per block, fit to be read."""
    waiting, cells, count = iter(results), [], 0
    for number, block in enumerate(blocks, start=1):
        result = next(waiting) if asks(block) else CellResult()
        cell = {"id": f"cell-{number}", "metadata": {}}
        if isinstance(block, Chunk):
            count += block.runs
            ran = {"execution_count": count if block.runs else None, "outputs": result.outputs}
            cells.append({"cell_type": "code", **cell, "source": block.source, **ran})
        else:
            values = [
                {"expression": code, "result": result.values[str(position)]}
                for position, code in enumerate(expressions(block.text))
            ]
            cell["metadata"] = {"user_expressions": values}
            cells.append({"cell_type": "markdown", **cell, "source": block.text.strip("\n")})
    notebook = as_notebook(cells)
    tidy(notebook)
    return notebook


def tidy(notebook: NotebookNode) -> None:
    """Show what the cells print as a terminal would, cut where nobody can read it all.

    Neighbouring streams become one output each, stdout before stderr: how often they are flushed, and which
    first, is a matter of time. Typst needs 70 s and 1.2 GB to set 3 MB of text, on 400 pages.
    """
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = list(_joined(cell.outputs))
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = _shortened(output.text)
            elif "text/plain" in output.get("data", {}):
                output.data["text/plain"] = _shortened(output.data["text/plain"])


def _joined(outputs: Sequence[NotebookNode]) -> Iterable[NotebookNode]:
    for kind, run in groupby(outputs, key=lambda output: output.output_type):
        if kind != "stream":
            yield from run
            continue
        texts: dict[str, str] = {}
        for output in run:
            texts[output.name] = texts.get(output.name, "") + output.text
        for name in sorted(texts, reverse=True):
            yield nbformat.from_dict(
                {"output_type": "stream", "name": name, "text": on_terminal(texts[name])}
            )


def on_terminal(text: str) -> str:
    """What a terminal shows in the end of a text with progress bars, say; without colours."""
    return OVERWRITTEN.sub("", CONTROL.sub("", text)).replace("\r", "")


def _shortened(text: str) -> str:
    if len(text) <= READABLE:
        return text
    return f"{text[:READABLE]}\n[… {len(text) - READABLE:,} of {len(text):,} characters left out …]\n"


def remarks(notebook: NotebookNode) -> list[str]:
    """What chunks want to be told at the end of a render: the metadata `remark` of what they display."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.metadata.remark for output in outputs if "remark" in output.get("metadata", {})]
