"""Figures and tables: each has label and caption, is referred to in prose, and stands near its mention."""

from __future__ import annotations

import re

from handin.reading.layout import Caption, Layout, Part
from handin.reading.python_code import cell_source
from handin.reading.submission import Document, Submission
from handin.rules.finding import Finding, at, failed, passed
from handin.rules.report import no_report

CAPTIONS = "captions"
MENTIONS = "mentions"
PLACEMENT = "placement"
NEAR = 1  # pages between a figure and its first mention, at most


def captions(submission: Submission) -> list[Finding]:
    """Every figure and table has a number and a caption in words; numbers have no gaps and occur once."""
    document = submission.report
    if document is None or document.layout is None:
        return [no_report(CAPTIONS)]
    layout = document.layout
    found = [*_unlabelled_chunks(submission), *_bare_pictures(document)]
    for caption in layout.captions:
        if not any(sign.isalpha() for sign in caption.text):
            found.append(
                failed(
                    CAPTIONS,
                    f"{caption.kind} {caption.number} has no caption",
                    float_place(submission, document, caption),
                    "say in a sentence what it shows",
                )
            )
    for kind in ("Figure", "Table"):
        found.extend(_numbering(kind, layout, document))
    return found or [passed(CAPTIONS, f"{_count(layout)}, each with label and caption", document.path)]


def mentions(submission: Submission) -> list[Finding]:
    """Every figure and table is referred to in prose; being named in a caption does not count."""
    document = submission.report
    if document is None or document.layout is None:
        return [no_report(MENTIONS)]
    layout = document.layout
    mentioned = {(mention.kind, mention.number) for mention in layout.mentions}
    there = {(caption.kind, caption.number) for caption in layout.captions}
    found = [
        failed(
            MENTIONS,
            f"{caption.kind} {caption.number} is not referred to in the text",
            float_place(submission, document, caption),
            "refer to it by its label where its content is discussed, or leave it out",
        )
        for caption in layout.captions
        if (caption.kind, caption.number) not in mentioned
    ]
    seen = set()
    for mention in layout.mentions:
        key = (mention.kind, mention.number)
        if (
            key not in there
            and key not in seen
            and layout.captions
            and layout.parts[mention.index] is Part.BODY
        ):
            seen.add(key)
            found.append(
                failed(
                    MENTIONS,
                    f"the text refers to {mention.kind} {mention.number}, and there is none",
                    at(document.path, page=mention.page),
                    "mend the number, or add what is meant",
                )
            )
    return found or [passed(MENTIONS, f"{_count(layout)}, each referred to", document.path)]


def placement(submission: Submission) -> list[Finding]:
    """Every figure and table of the body stands within a page of its first mention."""
    document = submission.report
    if document is None or document.layout is None:
        return [no_report(PLACEMENT)]
    layout = document.layout
    found = []
    for caption in layout.captions:
        if layout.parts[caption.first] is not Part.BODY:
            continue
        pages = [
            mention.page
            for mention in layout.mentions
            if (mention.kind, mention.number) == (caption.kind, caption.number)
        ]
        if pages and abs(caption.page - pages[0]) > NEAR:
            found.append(
                failed(
                    PLACEMENT,
                    f"{caption.kind} {caption.number} stands on page {caption.page}, "
                    f"{abs(caption.page - pages[0])} pages from its first mention on page {pages[0]}",
                    float_place(submission, document, caption),
                    "move it, or mention it where it stands",
                )
            )
    return found or [
        passed(PLACEMENT, "figures and tables stand within a page of their first mention", document.path)
    ]


def float_place(submission: Submission, document: Document, caption: Caption) -> str:
    """File and line of a float where the sources are there, with its page; else the page alone."""
    page = at(document.path, page=caption.page)
    layout = document.layout
    if submission.outline is None or layout is None:
        return page
    labelled = submission.outline.of_kind(caption.kind)
    shown = [one for one in layout.captions if one.kind == caption.kind]
    if len(labelled) != len(shown):
        return page
    return f"{labelled[shown.index(caption)].place} ({page})"


def _unlabelled_chunks(submission: Submission) -> list[Finding]:
    """Chunks of the sources that draw a picture without being a labelled figure."""
    notebook = submission.notebook_json("notebook.ipynb") if "notebook.ipynb" in submission.files else None
    if notebook is None or submission.outline is None:
        return []
    found = []
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or not draws(cell):
            continue
        code = cell_source(cell)
        if re.search(r"#\|\s*label:\s*[\"']?fig-", code):
            continue
        chunk = next((c for c in submission.outline.chunks if _code(c.code) == _code(code)), None)
        if chunk:
            found.append(
                failed(
                    CAPTIONS,
                    "a chunk draws a picture that is no labelled figure",
                    str(chunk.place),
                    "give it `#| label: fig-…` and `#| fig-cap: …`",
                )
            )
    return found


def draws(cell: dict[str, object]) -> bool:
    """Whether a notebook's cell has a picture among its outputs."""
    outputs = cell.get("outputs")
    return isinstance(outputs, list) and any(
        isinstance(output, dict)
        and isinstance(output.get("data"), dict)
        and any(str(kind).startswith("image/") for kind in output["data"])
        for output in outputs
    )


def _code(text: str) -> str:
    return "\n".join(
        line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("#|")
    ).strip()


def _bare_pictures(document: Document) -> list[Finding]:
    """Pages with a photograph-like picture, and no caption on them or on the page before or after."""
    assert document.content is not None
    assert document.layout is not None
    captioned = {caption.page for caption in document.layout.captions}
    return [
        failed(
            CAPTIONS,
            "a picture without a label and caption",
            at(document.path, page=number),
            "label it “Figure N: …” and refer to it",
        )
        for number, page in enumerate(document.content.pages, start=1)
        if any(picture.raster for picture in page.pictures)
        and not captioned & {number - 1, number, number + 1}
    ]


def _numbering(kind: str, layout: Layout, document: Document) -> list[Finding]:
    """Numbers that occur twice, and gaps in 1, 2, 3, …"""
    numbers = [caption for caption in layout.captions if caption.kind == kind]
    found = []
    seen: set[str] = set()
    for caption in numbers:
        if caption.number in seen:
            found.append(
                failed(
                    CAPTIONS,
                    f"there are two captions “{kind} {caption.number}”",
                    at(document.path, page=caption.page),
                    "number figures and tables one by one",
                )
            )
        seen.add(caption.number)
    plain = sorted(int(number) for number in seen if number.isdigit())
    for number in range(1, plain[-1] + 1 if plain else 1):
        if number not in plain and len(found) < 5:
            found.append(
                failed(
                    CAPTIONS,
                    f"no caption “{kind} {number}”, though the numbers go on to {plain[-1]}",
                    document.path,
                    "give it a caption, or renumber",
                )
            )
    return found


def _count(layout: Layout) -> str:
    figures = sum(caption.kind == "Figure" for caption in layout.captions)
    tables = len(layout.captions) - figures
    return f"{figures} figure{'' if figures == 1 else 's'} and {tables} table{'' if tables == 1 else 's'}"
