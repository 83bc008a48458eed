"""The figures of an executed notebook as files, whichever renderer ran it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from nbformat import NotebookNode

from handin.qmd.chunks import option_lines
from handin.yaml_lines import Located

IMAGES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}


def figures(notebook: NotebookNode) -> dict[str, bytes]:
    """File names, made of the chunks' labels, and contents of all labelled images."""
    return {name: content for cell in notebook.cells for name, content in _figures(cell)}


def _figures(cell: NotebookNode) -> Iterator[tuple[str, bytes]]:
    label = _label(cell)
    if cell.cell_type != "code" or not label:
        return
    images = [output.data for output in cell.outputs if set(output.get("data", {})) & set(IMAGES)]
    for number, data in enumerate(images, start=1):
        form = next(form for form in IMAGES if form in data)
        content = data[form].encode() if form == "image/svg+xml" else base64.b64decode(data[form])
        suffix = f"-{number}" if len(images) > 1 else ""
        yield f"{label}{suffix}{IMAGES[form]}", content


def _label(cell: NotebookNode) -> str | None:
    _, options = option_lines(cell.source.split("\n"))
    label = Located(options, "notebook").data.get("label")
    return str(label) if label else None
