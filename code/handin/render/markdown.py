"""An executed notebook as Markdown for Pandoc: code, outputs and inline values in their places.

The rules are Quarto's, so that both renderers print the same words: which of several forms of an output is
taken, what is left out, how a string is escaped.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from handin.errors import HandinError, Place
from handin.qmd.chunks import INLINE, Chunk, Prose, expressions
from handin.qmd.outline import div, float_block
from handin.qmd.source import Line, with_roles
from handin.render.figures import IMAGES
from handin.render.kernel import ANSI
from handin.render.settings import DocumentSettings

FORMS = (*IMAGES, "text/markdown", "text/html", "text/plain")  # of an output, the best first
TABLES = ("text/markdown", "text/html")
META = re.compile(r"\{\{<\s*meta\s+(?P<key>[\w.-]+)\s*>\}\}")
PAGEBREAK = re.compile(r"\{\{<\s*pagebreak\s*>\}\}")
SPECIAL = re.compile(r"([\\`*_{}\[\]()>#+,\-.!])")  # characters that Quarto escapes in a string
PLOT_OBJECT = re.compile(r"^[<(\[].*[>)\]]$")
PLOT_NAMES = ("[<matplotlib", "<matplotlib", "[<seaborn", "<seaborn.")


class Converter:
    """Converts the cells of one document.

    Args:
        settings: The document's.
        media: Folder that takes the images; Markdown refers to them by its name.
    """

    def __init__(self, settings: DocumentSettings, media: Path) -> None:
        self._defaults = {
            "echo": True, "include": True, "output": True, "warning": True, **settings.execute,
        }  # fmt: skip
        self._metadata = settings.metadata
        self._media = media

    def convert(self, notebook: NotebookNode, blocks: Sequence[Prose | Chunk]) -> str:
        """The document's Markdown; writes the images."""
        parts = []
        for cell, block in zip(notebook.cells, blocks, strict=True):
            parts.append(self._prose(cell, block) if isinstance(block, Prose) else self._chunk(cell, block))
        return "\n\n".join(part for part in parts if part) + "\n"

    def _prose(self, cell: NotebookNode, prose: Prose) -> str:
        """Prose with its shortcodes put in, then its values."""
        pagebreak = "\n```{=typst}\n#pagebreak()\n```\n"
        return with_values(cell, Prose(tuple(with_shortcodes(prose.lines, self._metadata, pagebreak))))

    def _chunk(self, cell: NotebookNode, chunk: Chunk) -> str:
        options = {**self._defaults, **chunk.options}
        if not options["include"]:
            return ""
        parts = [self._code(chunk, options)] if options["echo"] and chunk.code else []
        outputs = self._outputs(cell, chunk, options) if options["output"] else []
        if chunk.label and chunk.label.startswith(("fig-", "tbl-")) and options["output"] and chunk.runs:
            parts += self._float(chunk, outputs)
        elif "layout-ncol" in options:
            parts.append(div(f'layout-ncol="{options["layout-ncol"]}"', *(text for _, text in outputs)))
        else:
            parts += [text for _, text in outputs]
        return "\n\n".join(parts)

    def _code(self, chunk: Chunk, options: dict[str, Any]) -> str:
        attributes = [".python", ".cell-code"]
        if options.get("code-fold"):
            attributes += [f"code-fold={_quoted(str(options['code-fold']).lower())}"]
            attributes += [f"code-summary={_quoted(options.get('code-summary', 'Code'))}"]
        code = fenced(chunk.code, f"{{{' '.join(attributes)}}}")
        if "lst-label" in options:
            return div(f"#{options['lst-label']}", code, " ".join(str(options["lst-cap"]).split()))
        return code

    def _float(self, chunk: Chunk, outputs: list[tuple[str, str]]) -> list[str]:
        """The outputs, the figure or table among them wrapped with its label and caption."""
        assert chunk.label is not None
        is_figure = chunk.label.startswith("fig-")
        bodies = [text for form, text in outputs if form in (IMAGES if is_figure else TABLES)]
        captions = chunk.options.get("fig-subcap", [""])
        if len(bodies) != len(captions):
            noun = "figure" if is_figure else "table (text/markdown or text/html)"
            raise HandinError(
                f"chunk `{chunk.label}` gives {len(bodies)} outputs that are a {noun}, not {len(captions)}",
                place=chunk.place,
                remedy="let the chunk end in what its captions describe",
            )
        wrapped = float_block(chunk, bodies)
        forms = IMAGES if is_figure else TABLES
        others = [text for form, text in outputs if form not in forms]
        first = next((number for number, (form, _) in enumerate(outputs) if form in forms), 0)
        return [*others[:first], wrapped, *others[first:]]

    def _outputs(self, cell: NotebookNode, chunk: Chunk, options: dict[str, Any]) -> list[tuple[str, str]]:
        """Pairs of a form (a MIME type, or the name of a stream) and Markdown."""
        with_image = any(form in IMAGES for output in cell.outputs for form in output.get("data", {}))
        found: list[tuple[str, str]] = []
        for number, output in enumerate(cell.outputs, start=1):
            if output.output_type == "stream":
                if output.name == "stdout" and options["output"] == "asis":
                    found.append((output.name, output.text))
                elif output.name == "stdout" or options["warning"]:
                    found.append((output.name, fenced(ANSI.sub("", output.text))))
                continue
            if output.output_type == "error":
                trace = [f"{output.ename}: {output.evalue}", *output.traceback]
                found.append(("error", fenced(ANSI.sub("", "\n".join(trace)))))
                continue
            forms = output.get("data", {})
            form = next((form for form in FORMS if form in forms and _is_fit(form, forms[form])), None)
            if form is None:
                forms = ", ".join(output.get("data", {})) or output.output_type
                raise HandinError(
                    f"an output of chunk `{chunk.name}` is {forms}",
                    place=chunk.place,
                    remedy=f"the built-in renderer prints {', '.join(FORMS)}, of HTML tables",
                )
            data = str(output.data[form])
            if form in IMAGES:
                found.append((form, self._image(data, form, cell, chunk, number)))
            elif form == "text/markdown":
                found.append((form, data.strip("\n")))
            elif form == "text/html":
                found.append((form, fenced(data, "{=html}")))
            elif not _is_plot_object(output, data, with_image):
                found.append((form, fenced(data)))
        return found

    def _image(self, data: str, form: str, cell: NotebookNode, chunk: Chunk, number: int) -> str:
        name = f"{chunk.label or cell['id']}-{number}"
        path = self._media / f"{name}{IMAGES[form]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data) if form == "image/png" else data.encode())
        alt = " ".join(str(chunk.options.get("fig-alt", "")).split())
        return f"![]({self._media.name}/{path.name})" + (f"{{fig-alt={_quoted(alt)}}}" if alt else "")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_fit(form: str, data: str) -> bool:
    """Tables are the HTML that can be set on paper, and nobody wants to read a `<… HTML object>`."""
    if form == "text/html":
        return "<table" in data
    return form != "text/plain" or data != "<IPython.core.display.HTML object>"


def with_shortcodes(
    lines: Iterable[Line], metadata: Mapping[str, Any], pagebreak: str = ""
) -> Iterator[Line]:
    """Lines with what `{{< meta key >}}` and `{{< pagebreak >}}` stand for.

    Raises:
        HandinError: The metadata have no such text or number.
    """
    for line, role in with_roles(lines):

        def meta(match: re.Match[str], place: Place = line.place) -> str:
            value: Any = metadata
            for key in match["key"].split("."):
                value = value.get(key) if isinstance(value, Mapping) else None
            if not isinstance(value, str | int | float):
                raise HandinError(
                    f"the metadata have no text or number `{match['key']}`",
                    place=place,
                    remedy="name one that stands in _quarto.yml or in the front matter",
                )
            return str(value)

        text = PAGEBREAK.sub(pagebreak, META.sub(meta, line.text)) if role == "prose" else line.text
        yield replace(line, text=text)


def with_values(cell: NotebookNode, prose: Prose) -> str:
    """Prose with the value of every inline expression in its place.

    Raises:
        HandinError: A value is an empty string (empty Markdown says that a sentence is left out) or cannot be
            printed in a line; an expression is not in Quarto's form.
    """

    def place(text: str) -> Place:
        return next((line.place for line in prose.lines if text in line.text), prose.lines[0].place)

    text = prose.text
    for code, value in zip(expressions(text), cell.metadata.get("user_expressions", []), strict=True):
        data = value["result"]["data"]
        if "text/markdown" not in data and set(data) != {"text/plain"}:
            raise HandinError(
                f"the inline expression `{code}` gives {', '.join(data)}",
                place=place(code),
                remedy="let it give text or a number",
            )
        if "text/markdown" not in data and data["text/plain"].strip() in ("", "''"):
            raise HandinError(
                f"the inline expression `{code}` is empty", place=place(code), remedy="give it a value"
            )
    text = substitute(text, cell.metadata.get("user_expressions", []))
    if left := re.search(r"`\{(?!=)\w+\}", text):
        raise HandinError(
            f"an inline expression that is not `{{python}} …` on one line: {left[0]}",
            place=place(left[0]),
            remedy="write it on one line, in Python",
        )
    return text


def substitute(text: str, values: Sequence[Mapping[str, Any]]) -> str:
    """Text with values, in order, in place of its inline expressions."""
    left = iter(values)

    def replace(match: re.Match[str]) -> str:
        data = next(left)["result"]["data"]
        markdown = data.get("text/markdown")
        return match["before"] + (escaped(str(data["text/plain"])) if markdown is None else str(markdown))

    return INLINE.sub(replace, text)


def escaped(representation: str) -> str:
    """What is printed for Python's `repr` of a value: a string loses its quotes and is taken literally."""
    quoted = (
        len(representation) > 1 and representation[0] == representation[-1] and representation[0] in "'\""
    )
    return SPECIAL.sub(r"\\\1", representation[1:-1]) if quoted else representation


def fenced(text: str, attributes: str = "") -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    newline = "" if text.endswith("\n") else "\n"
    return f"{fence} {attributes}".rstrip() + f"\n{text}{newline}{fence}"


def _is_plot_object(output: NotebookNode, text: str, with_image: bool) -> bool:
    """Matplotlib functions return objects whose names nobody wants to read."""
    if output.output_type != "execute_result":
        return False
    return text.startswith(PLOT_NAMES) or (with_image and bool(PLOT_OBJECT.match(text.strip())))
