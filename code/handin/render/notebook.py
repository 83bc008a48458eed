"""A document as a Jupyter notebook: what is executed, and the record of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import nbformat
from nbformat import NotebookNode

from handin.qmd.chunks import Chunk, Prose, expressions

# Where a warning says that a cell's code stands. It is looked for once a word: a line may have 10 MB.
SCRATCH = re.compile(r"(?<!\S)\S*/ipykernel_\d+/\d+\.py")
OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.MULTILINE)  # on a terminal, as a progress bar does
READABLE = 20_000  # characters that one output may print, some five pages


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
        "metadata": {
            "origin": str(block.place),
            "tags": ["raises-exception"] if block.options.get("error") else [],  # nbclient then goes on
        },
        "execution_count": None,
        "source": block.source,
        "outputs": [],
    }


def program(blocks: Sequence[Prose | Chunk]) -> list[str]:
    """All that a kernel would be told to run, in order. Equal programs need to run only once."""
    told: list[str] = []
    for block in blocks:
        if isinstance(block, Prose):
            told += [f"inline: {code}" for code in expressions(block.text)]
        elif block.runs:
            told.append(f"chunk: {block.code}" + (" (may fail)" if block.options.get("error") else ""))
    return told


def take_results(notebook: NotebookNode, executed: NotebookNode) -> None:
    """Fill `notebook` with the results of another one that ran the same program."""
    chunks = iter([cell for cell in executed.cells if cell.cell_type == "code"])
    values = iter(
        [
            value
            for cell in executed.cells
            if cell.cell_type == "markdown"
            for value in cell.metadata.get("user_expressions", [])
        ]
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            other = next(chunks)
            cell.outputs = other.outputs
            cell.execution_count = other.execution_count
        elif found := [next(values) for _ in expressions(cell.source)]:
            cell.metadata["user_expressions"] = found


def results(notebook: NotebookNode) -> list[dict[str, Any]]:
    """What `take_results` needs of an executed notebook, as JSON values."""
    return [
        {
            "cell_type": cell.cell_type,
            "metadata": {"user_expressions": cell.metadata.get("user_expressions", [])},
            "outputs": cell.get("outputs", []),
            "execution_count": cell.get("execution_count"),
        }
        for cell in notebook.cells
    ]


def pretend(notebook: NotebookNode, blocks: Sequence[Prose | Chunk]) -> NotebookNode:
    """A copy with made-up results of the right kind, to check all that does not depend on results."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    forms = {"fig-cap": {"image/svg+xml": svg}, "tbl-cap": {"text/markdown": "| a |\n|---|\n| 1 |"}}
    copy: NotebookNode = deepcopy(notebook)
    for cell, block in zip(copy.cells, blocks, strict=True):
        if isinstance(block, Chunk):
            data = next((data for option, data in forms.items() if option in block.options), None)
            output = {"output_type": "display_data", "metadata": {}, "data": data}
            count = len(block.options.get("fig-subcap", [""])) if data else 0
            cell.outputs = [nbformat.from_dict(output) for _ in range(count)]
        else:
            value = {"status": "ok", "data": {"text/plain": "1"}, "metadata": {}}
            found = [{"expression": code, "result": value} for code in expressions(cell.source)]
            cell.metadata["user_expressions"] = found
    return copy


def tidy(notebook: NotebookNode) -> None:
    """Cut what the cells print where nobody can read it all, and say so in its place; name no scratch file.

    Each of a cell's streams becomes one output, as `coalesce_streams` of nbclient makes it, whose search for
    carriage returns takes minutes for 10 MB in one line. Typst needs 70 s and 1.2 GB to set 3 MB of text, on
    400 pages, and ever more for every line after that.
    """
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = _shortened(SCRATCH.sub("chunk", output.text))
            elif "text/plain" in output.get("data", {}):
                output.data["text/plain"] = _shortened(output.data["text/plain"])


def _joined(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The outputs with each stream in one piece; they come in any order, so stdout is put before stderr."""
    pieces: dict[str, list[str]] = {}
    joined: list[NotebookNode] = []
    for output in outputs:
        if output.output_type != "stream":
            joined.append(output)
            continue
        if output.name not in pieces:
            pieces[output.name] = []
            joined.append(output)
            if [one.get("name") for one in joined[-2:]] == ["stderr", "stdout"]:
                joined[-2:] = reversed(joined[-2:])
        pieces[output.name].append(output.text)
    for output in joined:
        if output.output_type == "stream":
            output.text = OVERWRITTEN.sub("", "".join(pieces[output.name]))
    return joined


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
