"""The settings of one document: `_quarto.yml`, and over it the document's own front matter.

Settings that Quarto acts on and this renderer does not are refused, so that the two never differ unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handin.errors import HandinError, raise_all
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
EXECUTE = {"echo", "warning", "output", "include", "eval", "cache", "daemon"}
TYPST = {
    "papersize", "margin", "mainfont", "fontsize", "number-sections", "section-numbering", "fig-format",
    "fig-width", "fig-height", "figure-placement", "keep-ipynb", "keep-typ", "template-partials",
    "pdf-standard", "syntax-highlighting", "toc",
}  # fmt: skip
KINDS: dict[Key, Any] = {
    ("execute",): Mapping,
    ("format",): Mapping | str,
    ("format", "typst"): Mapping | str,
    ("bibliography",): str | list,
    ("csl",): str,
    ("format", "typst", "template-partials"): list,
    ("format", "typst", "fig-width"): int | float,
    ("format", "typst", "fig-height"): int | float,
    **{("execute", name): bool for name in EXECUTE},
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
    data = located.data
    refused: list[Key] = [(name,) for name in data if name in REFUSED]
    refused += [key for key, kind in KINDS.items() if not isinstance(_at(data, key), kind | None)]
    for block, known in ((("execute",), EXECUTE), (("format", "typst"), TYPST)):
        found = _at(data, block)
        names = found if isinstance(found, Mapping) else ()
        refused += [(*block, name) for name in names if name not in known]
    # The second fails in Quarto, too.
    refused += [key for key in (("format", "typst", "toc"), ("execute", "cache")) if _at(data, key)]
    if not str(data.get("lang", "en")).startswith("en"):  # `Figure`, `Table`, `Section` are English here
        refused.append(("lang",))
    raise_all(
        HandinError(
            f"the built-in renderer does not support `{'.'.join(map(str, key))}` as it stands here",
            place=located.place(key),
            remedy="remove it, write it another way, or render with Quarto",
        )
        for key in refused
    )


def _at(data: Any, key: Key) -> Any:
    for name in key:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data
