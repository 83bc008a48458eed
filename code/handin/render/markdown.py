"""An executed notebook as Markdown for Pandoc: code, outputs and marks for inline values in their places.

The rules are Quarto's, so that both renderers print the same words: which of several forms of an output is
taken, and what is left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from handin.errors import HandinError, raise_all
from handin.qmd.chunks import Chunk, Prose
from handin.qmd.conditional import shown_lines
from handin.qmd.outline import div
from handin.qmd.source import Line, lines_of
from handin.render.refusals import slips, unknown
from handin.render.settings import DocumentSettings
from handin.render.values import Value, marked

IMAGES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}
LATEX = "text/latex"
# Forms of an output, Quarto's first choice first; formulas, which Quarto prints as code, before words.
FORMS = ("text/markdown", *IMAGES, LATEX, "text/plain")
FORMULA = re.compile(r"\s*\$+(\\displaystyle )?(?P<tex>[^$]+)\$+\s*")
MOVE = re.compile("\x08|\x1b")  # of a terminal's cursor
PLOT_OBJECT = re.compile(r"^[<(\[].*[>)\]]$")
PLOT_NAMES = ("[<matplotlib", "<matplotlib", "[<seaborn", "<seaborn.")


class Converter:
    """Converts the cells of one document; the folder `media` takes its images."""

    def __init__(self, settings: DocumentSettings, media: Path) -> None:
        self._defaults = {
            "echo": True, "include": True, "output": True, "warning": True, **settings.execute,
        }  # fmt: skip
        self._metadata = settings.metadata
        self._media = media
        self.values: list[Value] = []  # that the marks stand for

    def convert(self, notebook: NotebookNode, blocks: Sequence[Prose | Chunk]) -> str:
        """The document's Markdown; writes the images."""
        parts: list[str] = []
        hidden: list[bool | None] = []  # see `shown_lines`
        for cell, block in zip(notebook.cells, blocks, strict=True):
            if isinstance(block, Prose):
                lines = marked(block, cell.metadata.get("user_expressions", []), self.values)
                parts.append("\n".join(line.text for line in shown_lines(lines, self._metadata, hidden)))
            elif not any(hidden):
                parts.append(self._chunk(cell, block))
        return "\n\n".join(part for part in parts if part) + "\n"

    def _chunk(self, cell: NotebookNode, chunk: Chunk) -> str:
        options = {**self._defaults, **chunk.options}
        if not options["include"]:
            return ""
        parts = [fenced(chunk.code, "{.python .cell-code}")] if options["echo"] and chunk.code else []
        outputs = self._outputs(cell, chunk, options) if options["output"] else []
        if chunk.caption and options["output"] and chunk.runs:
            return "\n\n".join(parts + self._float(chunk, outputs))
        return "\n\n".join(parts + [text for _, text in outputs])

    def _float(self, chunk: Chunk, outputs: list[tuple[str, str]]) -> list[str]:
        """The outputs, the figure or table among them wrapped with its label and caption."""
        is_figure = str(chunk.label).startswith("fig-")
        forms = tuple(IMAGES) if is_figure else ("text/markdown",)
        found = [number for number, (form, _) in enumerate(outputs) if form in forms]
        if len(found) != 1:
            noun = "figure" if is_figure else "table in Markdown"
            raise HandinError(
                f"chunk `{chunk.label}` gives {len(found)} outputs that are a {noun}, not 1",
                place=chunk.place,
                remedy="let the chunk end in what its caption describes",
            )
        body = outputs[found[0]][1]
        caption = re.sub(r"^(\(?\w*)([-+*#>|:.)])(?=\s|$)", r"\1\\\2", chunk.caption)  # "1. x" begins no list
        return [
            div(f"#{chunk.label}", body, caption) if number == found[0] else text
            for number, (_, text) in enumerate(outputs)
        ]

    def _outputs(self, cell: NotebookNode, chunk: Chunk, options: dict[str, Any]) -> list[tuple[str, str]]:
        """Pairs of a form (a MIME type, or the name of a stream) and Markdown."""
        with_image = any(form in IMAGES for output in cell.outputs for form in output.get("data", {}))
        found: list[tuple[str, str]] = []
        for number, output in enumerate(cell.outputs, start=1):
            if output.output_type == "stream":
                if MOVE.search(output.text):
                    raise unknown("what moves a terminal's cursor", chunk.place)
                if output.name == "stdout" and options["output"] == "asis":
                    found.append((output.name, _whole(output.text, chunk)))
                elif output.name == "stdout" or options["warning"]:
                    found.append((output.name, fenced(output.text)))
                continue
            if output.output_type == "error":
                trace = [f"{output.ename}: {output.evalue}", *output.traceback]
                found.append(("error", fenced("\n".join(trace))))
                continue
            form = next((form for form in FORMS if _is_fit(form, output.data)), "")
            data = str(output.data.get(form, ""))
            if form in IMAGES:
                if "width" in output.metadata.get(form, {}) and b"pHYs" not in base64.b64decode(data):
                    raise unknown("a picture with a width of its own", chunk.place)
                found.append((form, self._image(data, form, cell, chunk, number)))
            elif form == LATEX and (formula := FORMULA.fullmatch(data)):
                found.append((form, f"$${formula['tex'].strip()}$$"))
            elif form == "text/markdown":
                found.append((form, _whole(data.strip("\n"), chunk)))
            elif form and not _is_plot_object(output, data, with_image):
                found.append((form, fenced(data)))
            elif not form:
                raise HandinError(
                    f"an output of chunk `{chunk.name}` is {', '.join(output.data)}",
                    place=chunk.place,
                    remedy="let it give text, an image, a formula, Markdown: `Markdown(frame.to_markdown())`",
                )
        return found

    def _image(self, data: str, form: str, cell: NotebookNode, chunk: Chunk, number: int) -> str:
        name = f"{chunk.label or cell['id']}-{number}"
        path = self._media / f"{name}{IMAGES[form]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if form == "image/svg+xml" else base64.b64decode(data))
        alt = " ".join(str(chunk.options.get("fig-alt", "")).split()).replace("\\", r"\\").replace('"', r"\"")
        return f"![]({self._media.name}/{path.name})" + (f'{{fig-alt="{alt}"}}' if alt else "")


def _is_fit(form: str, data: dict[str, Any]) -> bool:
    """Whether an output has this form and it can be printed: nobody wants to read a `<… HTML object>`."""
    text = str(data.get(form, ""))
    if form == LATEX:
        return bool(FORMULA.fullmatch(text))
    if form == "text/plain" and len(data) > 1:  # beside what only a browser shows
        is_name = text.startswith("<") and text.endswith(">")
        return form in data and not is_name and not re.search("<table|widget", str(data), re.IGNORECASE)
    return form in data


def _whole(markdown: str, chunk: Chunk) -> str:
    """Markdown that ends what it begins, lest it swallow what follows."""
    raise_all(slips([Line(line, chunk.place) for line in lines_of(markdown)], {}))
    return markdown


def fenced(text: str, attributes: str = "") -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)  # of a terminal; on paper there is nothing to see
    newline = "" if text.endswith("\n") else "\n"
    return f"{fence} {attributes}".rstrip() + f"\n{text}{newline}{fence}"


def _is_plot_object(output: NotebookNode, text: str, with_image: bool) -> bool:
    """Matplotlib functions return objects whose names nobody wants to read."""
    if output.output_type != "execute_result":
        return False
    return text.startswith(PLOT_NAMES) or (with_image and bool(PLOT_OBJECT.match(text.strip())))
