"""The executed notebook as it is kept: to be read and run in Jupyter, the same bytes from both renderers.

The notebook that was executed holds Quarto's marks: front matter, `:::` fences, inline expressions, other
documents' text. The record shows what the PDF shows: title and names, values, this document's text only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import nbformat
from nbformat import NotebookNode

from handin.errors import Place
from handin.project import Project
from handin.qmd.chunks import OPTION
from handin.qmd.conditional import shown
from handin.qmd.source import Line, with_roles
from handin.render.markdown import substitute
from handin.yaml_lines import Located

OPENING = re.compile(r"^\s*:{3,}\s*(?P<attributes>\{.*\}|\w[\w-]*)\s*:*\s*$")
CLOSING = re.compile(r"^\s*:{3,}\s*$")
ATTRIBUTE = re.compile(r'(?P<name>[\w-]+)="?(?P<value>[^"\s}]*)"?')
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\s*(\n|\Z)", re.DOTALL)  # Quarto keeps it in the first cell
CLASS = re.compile(r"\.([\w-]+)")


def record(notebook: NotebookNode, metadata: Mapping[str, Any], project: Project) -> NotebookNode:
    """The notebook to keep.

    Args:
        notebook: As a renderer executed it.
        metadata: Of its document.
        project: Who hands in what.
    """
    cells = [_markdown(_title(metadata, project))]
    hidden: list[bool] = []  # of the fenced blocks that are open, the outermost first
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = FRONT_MATTER.sub("", str(cell.source)) if len(cells) == 1 else str(cell.source)
            text = substitute(text, cell.metadata.get("user_expressions", []))
            lines = _readable(text.split("\n"), metadata, hidden)
            text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
            if text:
                cells.append(_markdown(text))
        elif cell.cell_type == "code" and not any(hidden):
            cells.append(_code(cell))
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    kept: NotebookNode = nbformat.from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "cells": cells,
        }
    )
    return kept


def _title(metadata: Mapping[str, Any], project: Project) -> str:
    authors = [f"{author.name} (`{author.login}`)" for author in project.authors]
    lines = [f"# {metadata.get('title', '')}", str(metadata.get("subtitle", "")), project.handin.course]
    return "\n\n".join(line for line in [*lines, ", ".join(authors)] if line)


def _readable(lines: Sequence[str], metadata: Mapping[str, Any], hidden: list[bool]) -> Iterable[str]:
    """The lines of a cell that are shown, without fences and raw blocks."""
    raw = False
    for line, role in with_roles([Line(text, Place("notebook", n)) for n, text in enumerate(lines, start=1)]):
        if role == "open":
            raw = "{=" in line.text
        if role == "prose" and (opening := OPENING.match(line.text)):
            attributes = opening["attributes"]
            conditions = {match["name"]: match["value"] for match in ATTRIBUTE.finditer(attributes)}
            hidden.append(not shown(set(CLASS.findall(attributes)), conditions, metadata))
        elif role == "prose" and CLOSING.match(line.text) and hidden:
            hidden.pop()
        elif not any(hidden) and not (raw and role != "prose"):
            yield line.text


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(cell: NotebookNode) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "execution_count": cell.execution_count,
        "source": _source(str(cell.source)),
        "outputs": cell.outputs,
    }


def _source(code: str) -> str:
    """A chunk with its options written one way; Quarto writes them anew, in its own."""
    lines = code.split("\n")
    count = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
    options = Located("\n".join(OPTION.sub("", line) for line in lines[:count]), "notebook").data
    written = [f"#| {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in options.items()]
    return "\n".join([*written, *lines[count:]])
