"""The settings of one document: `_quarto.yml`, and over it the document's own front matter.

Settings that Quarto acts on and this renderer does not are refused, so that the two never differ unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handin.errors import HandinError
from handin.project import Project
from handin.qmd.source import Source, merged
from handin.yaml_lines import Key, Located

# Settings of Quarto that change what is printed, unknown here.
REFUSED = {
    "abstract", "abstract-title", "affiliation", "brand", "code-fold", "columns", "crossref", "date",
    "date-format", "engine", "grid", "header-includes", "include-after-body",
    "include-before-body", "include-in-header", "layout", "listing", "logo", "metadata-files", "nocite",
    "number-depth", "number-offset", "params", "profile", "reference-location", "shift-heading-level-by",
    "shortcodes", "theme", "toc-depth",
}  # fmt: skip
EXECUTE = {"echo": bool, "warning": bool, "output": bool, "include": bool, "eval": bool}
TYPST = {
    "papersize", "margin", "mainfont", "fontsize", "number-sections", "section-numbering", "fig-format",
    "fig-width", "fig-height", "keep-ipynb", "keep-typ", "template-partials", "pdf-standard",
    "syntax-highlighting", "toc",
}  # fmt: skip
FIGURE_SIZE = (5.5, 3.5)  # in, Quarto's for Typst


@dataclass(frozen=True)
class DocumentSettings:
    """What the renderer needs to know of one document."""

    metadata: dict[str, Any]  # everything, for the template and for `when-meta`
    execute: dict[str, Any]  # defaults of chunk options
    typst: dict[str, Any]  # options of `format: typst:`

    @property
    def figure_size(self) -> tuple[float, float]:
        """Default width and height of a figure, in inches."""
        found = {"fig-width": FIGURE_SIZE[0], "fig-height": FIGURE_SIZE[1], **self.metadata, **self.typst}
        return float(found["fig-width"]), float(found["fig-height"])

    @property
    def filters(self) -> list[str]:
        """Lua filters for Pandoc that run when all is resolved (`at: post-quarto`)."""
        return [str(one["path"]) for one in self.metadata.get("filters", [])]

    def for_templates(self, project: Project) -> dict[str, Any]:
        """What the templates see, under the names that Quarto gives."""
        authors = [
            {"name": {"literal": author.name}, "metadata": {"login": author.login}}
            for author in project.authors
        ]
        return {**self.metadata, "by-author": authors}

    @property
    def bibliography(self) -> list[str]:
        named = self.metadata.get("bibliography", [])
        return [named] if isinstance(named, str) else list(named)


def document_settings(project: Project, source: Source) -> DocumentSettings:
    """Merge the settings that bear on a document.

    Raises:
        HandinError: A setting changes the documents in Quarto and is not supported here.
    """
    _check(project.source)
    _check(source.front_matter)
    metadata = merged(project.metadata, source.metadata)
    if not isinstance(metadata.get("title"), str):
        place = source.front_matter.place(("title",))
        raise HandinError("the document has no `title`", place=place, remedy='add `title: "…"`')
    formats = metadata.pop("format", {})
    typst = formats.get("typst", {}) if isinstance(formats, Mapping) else {}
    execute = metadata.pop("execute", {})
    return DocumentSettings(metadata, dict(execute), dict(typst) if isinstance(typst, Mapping) else {})


def _check(located: Located) -> None:
    data = located.data
    for key in data:
        if key in REFUSED:
            raise _refusal((key,), located)
    _check_kinds(located)
    execute = data.get("execute") or {}
    for key in execute:
        if not isinstance(execute[key], EXECUTE.get(key, type(None))):
            raise _refusal(("execute", key), located)
    for one in data.get("filters") or []:
        if not isinstance(one, Mapping) or one.get("at") != "post-quarto":
            why = "only filters `{at: post-quarto, path: …}` in Lua, for HTML"
            raise _refusal(("filters",), located, why)
    formats = data.get("format") or {}
    typst = formats.get("typst") if isinstance(formats, Mapping) else None
    for key in typst or {}:
        if key not in TYPST:
            raise _refusal(("format", "typst", key), located)
    language = str(data.get("lang", "en"))
    if not language.startswith("en"):
        raise _refusal(("lang",), located, "the words `Figure`, `Table`, `Section` are English here")


def _check_kinds(located: Located) -> None:
    """Refuse a setting of a kind that it cannot be: a number where a block is expected, say."""
    data = located.data
    formats = data.get("format") if isinstance(data.get("format"), Mapping) else {}
    typst = formats.get("typst") if isinstance(formats, Mapping) else None
    for key in ("execute", "format"):
        if data.get(key) is not None and not isinstance(
            data[key], Mapping | str if key == "format" else Mapping
        ):
            raise _kind((key,), located, "a block of settings")
    if typst is not None and not isinstance(typst, Mapping) and typst != "default":
        raise _kind(("format", "typst"), located, "a block of settings")
    options = typst if isinstance(typst, Mapping) else {}
    for key, block, where in (
        ("bibliography", data, ()),
        ("template-partials", options, ("format", "typst")),
    ):
        names = block.get(key, [])
        listed = names if isinstance(names, list) else [names]
        if not all(isinstance(name, str) for name in listed):
            raise _kind((*where, key), located, "a file's name, or a list of names")
    if not isinstance(data.get("csl", ""), str):
        raise _kind(("csl",), located, "a file's name")
    for key in ("fig-width", "fig-height"):
        if not isinstance(options.get(key, 1), int | float):
            raise _kind(("format", "typst", key), located, "a number of inches")


def _kind(key: Key, located: Located, wanted: str) -> HandinError:
    name = ".".join(str(part) for part in key)
    return HandinError(
        f"`{name}` is no {wanted.removeprefix('a ')}", place=located.place(key), remedy=f"give {wanted}"
    )


def _refusal(key: Key, located: Located, why: str = "") -> HandinError:
    name = ".".join(str(part) for part in key)
    return HandinError(
        f"the built-in renderer does not support the setting `{name}`" + (f": {why}" if why else ""),
        place=located.place(key),
        remedy="remove it, or render with Quarto",
    )
