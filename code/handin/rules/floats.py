"""Figures and tables: each has label and caption, and is referred to in prose."""

from __future__ import annotations

from collections.abc import Iterator

from handin.qmd.outline import Outline
from handin.reading.submission import REPORT, Submission
from handin.rules.finding import Finding, cannot_tell, failed, noted, passed

_SAY = "say in a sentence what it shows"


def captions(submission: Submission) -> list[Finding]:
    """Every figure and table of the report has a label and a caption in words.

    Why: "label all figures"; "follows standard scientific practice (e.g. when using images, tables or
    citations)".
    Fails: a chunk that draws, without `#| label: fig-…`; a picture `![](images/net.svg)`.
    Passes: `![The network.](images/net.svg){#fig-net}`; a missing alternative text (`fig-alt`) is a note.
    """
    outline = submission.outlines[REPORT]
    if outline is None:
        return [cannot_tell("the report's sources cannot be read")]
    found = [
        failed(f"`{one.label}` has no caption", one.place, _SAY)
        for one in outline.floats
        if not any(sign.isalpha() for sign in one.caption)
    ]
    found += [
        failed(f"`{chunk.label}` has no caption", str(chunk.place), _SAY)
        for chunk in outline.shown
        if str(chunk.label).startswith(("fig-", "tbl-")) and not chunk.caption
    ]
    found += _unlabelled(submission, outline)
    if bare := [*_without_alt(outline)]:
        names = ", ".join(name for name, _ in bare)
        message = f"without an alternative text: {names}"
        found.append(noted(message, bare[0][1], "say in `fig-alt` what is to be seen"))
    return found or [passed(f"figures and tables: {len(outline.floats)}, each with label and caption")]


def mentions(submission: Submission) -> list[Finding]:
    """Every figure and table is referred to in prose; being named in a caption does not count.

    Why: "label all figures (and refer to figure labels in your write-up)".
    Fails: a figure with the label `fig-fit`, and a text that speaks of “the plot below”.
    Passes: “@fig-fit shows”, in the prose or in what a chunk writes there.
    """
    outline = submission.outlines[REPORT]
    if outline is None:
        return [cannot_tell("the report's sources cannot be read")]
    referred = [mention.label for mention in outline.mentions if not mention.in_caption]
    parts = [label for label in referred if label not in {one.label for one in outline.floats}]
    remedy = "refer to it by its label where its content is discussed, or leave it out"
    found = [
        failed(f"`{one.label}` is not referred to in the text", one.place, remedy)
        for one in outline.floats
        if one.label not in referred and not any(part.startswith(f"{one.label}-") for part in parts)
    ]
    return found or [passed(f"figures and tables: {len(outline.floats)}, each referred to")]


def _unlabelled(submission: Submission, outline: Outline) -> Iterator[Finding]:
    """Pictures that are no labelled figure: included, or drawn by a chunk."""
    for picture in outline.pictures:
        if not picture.in_float:
            yield failed("a picture that is no labelled figure", picture.place, "write ![…](…){#fig-…}")
    drawn = {cell.source.strip() for cell in submission.cells if cell.draws}
    for chunk in outline.shown:
        if chunk.code.strip() in drawn and not str(chunk.label).startswith("fig-"):
            message = "a chunk draws a picture that is no labelled figure"
            remedy = "give it `#| label: fig-…` and `#| fig-cap: …`"
            yield failed(message, str(chunk.place), remedy)


def _without_alt(outline: Outline) -> Iterator[tuple[str, str]]:
    """Name and place of every figure whose picture is not described in words."""
    labels = {one.label for one in outline.floats}
    for chunk in outline.chunks:
        if str(chunk.label).startswith("fig-") and chunk.label in labels and not chunk.options.get("fig-alt"):
            yield str(chunk.label), str(chunk.place)
    for picture in outline.pictures:
        if not picture.has_alt:
            yield picture.file, picture.place
