"""The settings of one document: `_quarto.yml`, and over it the document's own front matter.

Settings that Quarto acts on and this renderer does not are refused, so that the two never differ unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handin.errors import HandinError
from handin.project import Project
from handin.qmd.chunks import INLINE
from handin.qmd.source import Source, merged
from handin.yaml_lines import Key, Located

# Settings of Quarto that change what is printed, unknown here.
REFUSED = {
    "abstract", "abstract-title", "affiliation", "brand", "cap-location", "columns", "crossref",
    "date", "date-format", "dir", "engine", "fig-cap-location", "from", "grid", "header-includes",
    "include-after-body", "include-before-body", "include-in-header", "layout", "listing", "logo",
    "metadata-files", "nocite", "number-depth", "number-offset", "params", "profile",
    "reference-location", "shift-heading-level-by", "shortcodes", "tbl-cap-location", "theme",
    "toc-depth",
}  # fmt: skip
EXECUTE = {"echo", "warning", "output", "include", "eval", "cache"}
TYPST = {
    "papersize", "margin", "mainfont", "fontsize", "number-sections", "section-numbering", "fig-format",
    "fig-width", "fig-height", "figure-placement", "keep-ipynb", "keep-typ", "template-partials",
    "pdf-standard", "syntax-highlighting", "toc",
}  # fmt: skip
KINDS: dict[Key, tuple[Any, str]] = {
    ("execute",): (Mapping, "a block of settings"),
    ("format",): (Mapping | str, "a block of settings"),
    ("format", "typst"): (Mapping | str, "a block of settings"),
    ("bibliography",): (str | list, "a file's name, or a list of names"),
    ("csl",): (str, "a file's name"),
    ("format", "typst", "template-partials"): (list, "a list of files' names"),
    ("format", "typst", "fig-width"): (int | float, "a number of inches"),
    ("format", "typst", "fig-height"): (int | float, "a number of inches"),
    **{("execute", name): (bool, "true or false") for name in EXECUTE},
}
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

    def for_templates(self, project: Project) -> dict[str, Any]:
        """What the templates see, under the names that Quarto gives."""
        authors = [
            {"name": {"literal": author.name}, "metadata": {"login": author.login}}
            for author in project.authors
        ]
        return {**self.metadata, **self.typst, "by-author": authors}

    @property
    def bibliography(self) -> list[str]:
        named = self.metadata.get("bibliography", [])
        return [named] if isinstance(named, str) else list(named)


def document_settings(project: Project, source: Source) -> DocumentSettings:
    """Merge the settings that bear on a document.

    Raises:
        HandinError: A setting changes the documents in Quarto and is not supported here.
    """
    own = source.front_matter
    _check(project.source)
    _check(own)
    refuse_author(own)
    metadata = merged(project.metadata, own.data)
    for name in ("title", "subtitle"):
        if isinstance(metadata.get(name), Mapping | list) or INLINE.search(str(metadata.get(name, ""))):
            problem = f"`{name}` is no plain text; Quarto computes no values there"
            raise HandinError(problem, place=own.place((name,)), remedy="write it out")
    if not str(metadata.get("title") or "").strip():
        place = own.place(("title",))
        raise HandinError("the document has no `title`", place=place, remedy='add `title: "…"`')
    formats, execute = metadata.pop("format", {}), metadata.pop("execute", {})
    typst = formats.get("typst") if isinstance(formats, Mapping) else {}
    return DocumentSettings(metadata, dict(execute or {}), dict(typst) if isinstance(typst, Mapping) else {})


def refuse_author(own: Located) -> None:
    """Raise that a document names authors of its own; Quarto would put them in the place of the project's."""
    if "author" in own.data:
        place = own.place(("author",))
        raise HandinError("the names come from _quarto.yml", place=place, remedy="remove `author` here")


def _check(located: Located) -> None:
    for key, (kind, wanted) in KINDS.items():
        value = _at(located.data, key)
        if value is not None and not isinstance(value, kind):
            name = ".".join(map(str, key))
            raise HandinError(
                f"`{name}` is no {wanted.removeprefix('a ')}",
                place=located.place(key),
                remedy=f"give {wanted}",
            )
    for block, known in ((("execute",), EXECUTE), (("format", "typst"), TYPST)):
        found = _at(located.data, block)
        for name in found if isinstance(found, Mapping) else ():
            if name not in known:
                raise _refusal((*block, name), located)
    for name in located.data:
        if name in REFUSED:
            raise _refusal((name,), located)
    for key in (("format", "typst", "toc"), ("execute", "cache")):  # the second fails in Quarto, too
        if _at(located.data, key):
            raise _refusal(key, located)
    if not str(located.data.get("lang", "en")).startswith("en"):
        raise _refusal(("lang",), located, ": the words `Figure`, `Table`, `Section` are English here")


def _at(data: Any, key: Key) -> Any:
    for name in key:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def _refusal(key: Key, located: Located, why: str = "") -> HandinError:
    return HandinError(
        f"the built-in renderer does not support the setting `{'.'.join(map(str, key))}`{why}",
        place=located.place(key),
        remedy="remove it, or render with Quarto",
    )
