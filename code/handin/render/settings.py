"""The settings of one document: `_quarto.yml`, and over it the document's own front matter.

Settings that Quarto acts on and this renderer does not are refused, so that the two never differ unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handin.errors import HandinError, raise_all
from handin.project import Project
from handin.qmd.chunks import INLINE
from handin.qmd.source import Source, merged
from handin.yaml_lines import Key, Located

# What passes: of each setting the type of its value, or its values. Other names at the top level and under
# `format:` are the project's own or another format's, unless Quarto would print something else by them.
PASSES: dict[Key, dict[str, Any]] = {
    (): {
        "execute": Mapping, "format": Mapping | str, "bibliography": str | list, "csl": str,
        "fig-width": int | float, "fig-height": int | float, "fig-format": ("svg",),
    },
    ("format",): {"typst": Mapping | str},
    ("execute",): {
        **dict.fromkeys(("echo", "warning", "output", "include", "eval", "daemon"), bool), "cache": (False,),
    },
    ("format", "typst"): {
        **dict.fromkeys(("papersize", "margin", "mainfont", "fontsize", "number-sections"), object),
        **dict.fromkeys(("section-numbering", "figure-placement", "keep-ipynb", "keep-typ"), object),
        "fig-width": int | float, "fig-height": int | float, "fig-format": ("svg",),
        "pdf-standard": ("a-2b",), "template-partials": list, "syntax-highlighting": ("idiomatic",),
        "toc": (False,),
    },
}  # fmt: skip
REFUSED = {
    "abstract", "abstract-title", "affiliation", "brand", "columns", "crossref", "date", "date-format",
    "df-print", "dir", "engine", "from", "grid", "header-includes", "highlight-style", "include-after-body",
    "include-before-body", "include-in-header", "language", "layout", "listing", "logo", "metadata-files",
    "nocite", "number-depth", "number-offset", "params", "pdf-standard", "profile", "reference-location",
    "shift-heading-level-by", "shortcodes", "suppress-bibliography", "syntax-highlighting", "theme",
    "toc-depth",
}  # fmt: skip
QUARTOS = re.compile(r"(fig|tbl|lst|code|cap)-.*")  # likewise, but for those above
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
    data, refused = located.data, list[Key]()
    for block, passes in PASSES.items():
        found: Any = data
        for name in block:
            found = found.get(name) if isinstance(found, Mapping) else None
        for name, value in found.items() if isinstance(found, Mapping) else ():
            is_own = not block and name not in REFUSED and not QUARTOS.fullmatch(str(name))
            kind = passes.get(name, object if is_own or block == ("format",) else ())
            fits = value in kind if isinstance(kind, tuple) else value is None or isinstance(value, kind)
            refused += [] if fits else [(*block, name)]
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
