"""The executed notebook as it is kept: to be read and run in Jupyter, the same bytes from both renderers.

The notebook that was executed holds Quarto's marks: front matter, `:::` fences, inline expressions, other
documents' text. The record shows what the PDF shows: title and names, values, this document's text only,
code without its options.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode

from handin.errors import Place
from handin.project import Project
from handin.qmd.chunks import option_lines
from handin.qmd.conditional import shown_lines
from handin.qmd.source import Line
from handin.render.notebook import as_notebook
from handin.render.values import substitute

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\s*(\n|\Z)", re.DOTALL)  # Quarto keeps it in the first cell
# Fences of blocks, comments, page breaks and raw blocks, of which a notebook shows nothing.
NO_WORDS = re.compile(r"^(:::.*|<!-- -->|\{\{< *pagebreak *>\}\}|(`{3,})\{=[^`]*\2)$", re.MULTILINE)


def record(notebook: NotebookNode, metadata: Mapping[str, Any], project: Project) -> bytes:
    """The notebook to keep, as a file."""
    cells = [_markdown(_title(metadata, project))]
    hidden: list[bool | None] = []  # see `shown_lines`
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = FRONT_MATTER.sub("", str(cell.source)) if len(cells) == 1 else str(cell.source)
            text = substitute(text, cell.metadata.get("user_expressions", []))
            lines = [Line(line, Place("notebook", n)) for n, line in enumerate(text.split("\n"), start=1)]
            text = "\n".join(line.text for line in shown_lines(lines, metadata, hidden))
            text = re.sub(r"\n{3,}", "\n\n", NO_WORDS.sub("", text)).strip()
            if text:
                cells.append(_markdown(text))
        elif cell.cell_type == "code" and not any(hidden):
            written = str(cell.source).split("\n")
            code = "\n".join(written[option_lines(written)[0] :])
            ran = {"execution_count": cell.execution_count, "outputs": cell.outputs}
            cells.append({"cell_type": "code", "metadata": {}, "source": code, **ran})
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
    return f"{nbformat.writes(as_notebook(cells))}\n".encode()


def _title(metadata: Mapping[str, Any], project: Project) -> str:
    authors = [f"{author.name} (`{author.login}`)" for author in project.authors]
    lines = [f"# {metadata.get('title', '')}", str(metadata.get("subtitle", "")), project.handin.course]
    return "\n\n".join(line for line in [*lines, ", ".join(authors)] if line)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}
