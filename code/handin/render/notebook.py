"""A document as a Jupyter notebook: what is executed, and the record of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import nbformat
from nbformat import NotebookNode

from handin.qmd.chunks import Chunk, Prose, expressions

CONTROL = re.compile(r"(\r|\n|\x08|\x1b\[[0-9;?]*[A-Za-z])")  # what moves a terminal's cursor, or colours
READABLE = 20_000  # characters that one output may print, some five pages


@dataclass(frozen=True)
class CellResult:
    """What a kernel gave for one chunk, or for the inline expressions of one piece of prose."""

    outputs: list[NotebookNode] = field(default_factory=list)
    count: int | None = None  # of executions
    values: dict[str, Any] = field(default_factory=dict)  # number of the expression → its value


def to_notebook(blocks: Sequence[Prose | Chunk]) -> NotebookNode:
    """A notebook with one cell per block, not yet executed. The same blocks give the same notebook."""
    return as_notebook([_cell(number, block) for number, block in enumerate(blocks, start=1)])


def as_notebook(cells: Sequence[dict[str, Any]]) -> NotebookNode:
    """A notebook for Python with these cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook: NotebookNode = nbformat.from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "cells": cells,
        }
    )
    return notebook


def _cell(number: int, block: Prose | Chunk) -> dict[str, Any]:
    identifier = f"cell-{number}"
    if isinstance(block, Prose):
        return {"cell_type": "markdown", "id": identifier, "metadata": {}, "source": block.text.strip("\n")}
    return {
        "cell_type": "code",
        "id": identifier,
        "metadata": {"origin": str(block.place)},
        "execution_count": None,
        "source": block.source,
        "outputs": [],
    }


def asks(block: Prose | Chunk) -> bool:
    """Whether a block asks the kernel something, so that it has a result."""
    return block.runs if isinstance(block, Chunk) else bool(expressions(block.text))


def executed(blocks: Sequence[Prose | Chunk], results: Iterable[CellResult]) -> NotebookNode:
    """The notebook of a document with its results, fit to be read."""
    notebook, waiting = to_notebook(blocks), iter(results)
    for cell, block in zip(notebook.cells, blocks, strict=True):
        if not asks(block):
            continue
        result = next(waiting)
        if isinstance(block, Chunk):
            cell.outputs = [nbformat.from_dict(output) for output in result.outputs]
            cell.execution_count = result.count
        else:
            cell.metadata["user_expressions"] = [
                {"expression": code, "result": result.values[str(number)]}
                for number, code in enumerate(expressions(block.text))
            ]
    tidy(notebook)
    return notebook


def made_up(blocks: Sequence[Prose | Chunk]) -> list[CellResult]:
    """Results of the right kind, to check all that does not depend on results."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    forms = {"fig-cap": {"image/svg+xml": svg}, "tbl-cap": {"text/markdown": "| a |\n|---|\n| 1 |"}}
    results = []
    for block in filter(asks, blocks):
        if isinstance(block, Chunk):
            data = next((data for option, data in forms.items() if option in block.options), None)
            output = nbformat.from_dict({"output_type": "display_data", "metadata": {}, "data": data})
            results.append(CellResult([output] if data else []))
        else:
            value = {"status": "ok", "data": {"text/plain": "1"}, "metadata": {}}
            results.append(CellResult(values={str(n): value for n in range(len(expressions(block.text)))}))
    return results


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
    lines, row, anew = [""], 0, False
    for piece in CONTROL.split(text):
        match piece:
            case "\n":
                row, anew = row + 1, False
                lines += [""] * (row == len(lines))
            case "\r":
                anew = True  # what follows is written over the line
            case "\b":
                lines[row] = lines[row][:-1]
            case _ if piece.startswith("\x1b["):
                if piece.endswith("A"):
                    row = max(0, row - int(piece[2:-1] or 1))
            case _ if piece:
                lines[row] = piece if anew else lines[row] + piece
                anew = False
    return "\n".join(lines)


def _shortened(text: str) -> str:
    if len(text) <= READABLE:
        return text
    head, tail = text[: READABLE // 2], text[-READABLE // 2 :]
    head, tail = head[: head.rfind("\n") + 1] or f"{head}\n", tail[tail.find("\n") + 1 :] or tail
    return f"{head}[… {len(text) - len(head) - len(tail):,} of {len(text):,} characters left out …]\n{tail}"


def remarks(notebook: NotebookNode) -> list[str]:
    """What chunks want to be told at the end of a render: the metadata `remark` of what they display."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.metadata.remark for output in outputs if "remark" in output.get("metadata", {})]
