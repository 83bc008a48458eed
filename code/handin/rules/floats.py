"""Figures and tables: each has label and caption, is referred to in prose, and stands near its mention.

Where the sources are, the document tree says what is labelled and referred to. With nothing but a PDF,
captions and mentions are read from the look of lines (`handin.reading.layout`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handin.qmd.outline import Outline
from handin.reading.layout import Caption, Layout, Part
from handin.reading.pdf import Page
from handin.reading.submission import NOTEBOOK, Document, Submission
from handin.rules.finding import Finding, at, cannot_tell, failed, noted, passed
from handin.rules.report import on_report

CAPTIONS = "captions"
MENTIONS = "mentions"
PLACEMENT = "placement"
NEAR = 1  # pages between a figure and its first mention, at most
SHAPES = 8  # drawn paths that make a drawing: axes alone have as many

_SAY = "say in a sentence what it shows"
_REFER = "refer to it by its label where its content is discussed, or leave it out"


@on_report(CAPTIONS)
def captions(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """Every figure and table has a label and a caption in words.

    Why: "label all figures"; "follows standard scientific practice (e.g. when using images, tables or
    citations)".

    Certain: two captions with the same number, each set apart from the text and with a sign between number
    and words. A picture far from every caption may be a logo, a gap in the numbers a caption inside a
    picture: both are "cannot tell".

    Fails: two figures called “Figure 2: …”.

    Passes: “Abb. 3: Fehler je Breite” below its figure.
    """
    if outline := submission.outline:
        found = [
            failed(CAPTIONS, f"{one.kind} {one.number} has no caption", one.place, _SAY)
            for one in outline.floats
            if not any(sign.isalpha() for sign in one.caption)
        ]
        found += [
            failed(CAPTIONS, f"`{chunk.label}` has no caption", str(chunk.place), _SAY)
            for chunk in outline.chunks
            if str(chunk.label).startswith(("fig-", "tbl-")) and not chunk.caption
        ]
        found += _unlabelled_chunks(submission, outline)
        count = len(outline.floats)
        return found or [passed(CAPTIONS, f"{count} figures and tables, each with label and caption")]
    found = [*_bare_pictures(document, layout)]
    for caption in layout.captions:
        if not any(sign.isalpha() for sign in caption.text):
            message = f"{caption.kind} {caption.number} seems to have no caption"
            found.append(cannot_tell(CAPTIONS, message, at(document.path, page=caption.page), _SAY))
    for kind in ("Figure", "Table"):
        found.extend(_numbering(kind, layout, document))
    return found or [passed(CAPTIONS, f"{_count(layout)}, each with label and caption", document.path)]


@on_report(MENTIONS)
def mentions(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """Every figure and table is referred to in prose; being named in a caption does not count.

    Why: "label all figures (and refer to figure labels in your write-up)".

    Certain: a caption of the body, set apart from the text, whose number nowhere follows a word for figures
    (Figure, Fig., Abb., Table, …, lists and ranges included), while other figures are referred to that way;
    and a mention of a number that begins no line of the report, while the captions run from 1 without a
    gap.

    Fails: “Figure 3: The fit” and a text that speaks of “the plot below”.

    Passes: “figures 2(a), 2(b)”, “3, 4 and 5”, “Abb. 1”, “Figures 1–3”; “Figure 5.1 of Bishop” is another's.
    """
    if outline := submission.outline:
        referred = [mention.label for mention in outline.mentions if not mention.in_caption]
        parts = tuple(label for label in referred if label not in {one.label for one in outline.floats})
        found = [
            failed(MENTIONS, f"{one.kind} {one.number} is not referred to in the text", one.place, _REFER)
            for one in outline.floats
            if one.label not in referred and not any(p.startswith(f"{one.label}-") for p in parts)
        ]
        return found or [passed(MENTIONS, f"{len(outline.floats)} figures and tables, each referred to")]
    if not layout.captions and any(shown_on(page) for page in layout.content.pages):
        return [cannot_tell(MENTIONS, "there are pictures and no labels to refer to", document.path, _REFER)]
    found = [*_not_mentioned(layout, document), *_not_there(layout, document)]
    return found or [passed(MENTIONS, f"{_count(layout)}, each referred to", document.path)]


def _not_mentioned(layout: Layout, document: Document) -> Iterator[Finding]:
    """Captions that no prose refers to; sure where the report refers to others."""
    in_prose = {(m.kind, m.number) for m in layout.mentions if not m.in_caption}
    anywhere = {(m.kind, m.number) for m in layout.mentions}
    for caption in layout.captions:
        key = (caption.kind, caption.number)
        if key not in in_prose:
            body = layout.parts[caption.first] is Part.BODY
            sure = caption.sure and body and in_prose and key not in anywhere
            message = f"{caption.kind} {caption.number} is not referred to in the text"
            say = failed if sure else cannot_tell
            yield say(MENTIONS, message, at(document.path, page=caption.page), _REFER)


def _not_there(layout: Layout, document: Document) -> Iterator[Finding]:
    """Mentions of figures and tables that nothing is called."""
    seen = {(caption.kind, caption.number) for caption in layout.captions}
    for mention in layout.mentions:
        numbers = [c.number for c in layout.captions if c.kind == mention.kind]
        if not numbers or not mention.sure or (mention.kind, mention.number) in seen:
            continue
        if "." in mention.number and not any("." in number for number in numbers):
            continue  # of a book
        seen.add((mention.kind, mention.number))
        label = re.compile(rf"(?i)(fig|abb|tab)\w*\.?\s*{re.escape(mention.number)}\b")
        begun = any(label.match(one.text) for one in layout.lines)
        regular = sorted(numbers) == sorted(str(n) for n in range(1, len(numbers) + 1))
        message = f"the text refers to {mention.kind} {mention.number}, and there is none"
        say = failed if regular and not begun else cannot_tell
        yield say(
            MENTIONS, message, at(document.path, page=mention.page), "mend the number, or add what is meant"
        )


@on_report(PLACEMENT)
def placement(submission: Submission, document: Document, layout: Layout) -> list[Finding]:
    """Every figure and table of the body stands within a page of its first mention, before the references.

    Why: good practice, because a reader should not have to turn pages; nobody demands it, so it is a note.

    Fails: nothing; a table set below the reference list is noted.

    Passes: a figure at the top of the next page.
    """
    found = []
    floats = submission.outline.floats if submission.outline else ()
    body = {(one.kind, one.number) for one in floats if one.part == "body"}
    for caption in layout.captions:
        place = _place(submission, document, layout, caption)
        shown = f"{caption.kind} {caption.number}"
        part = layout.parts[caption.first]
        pages = [m.page for m in layout.mentions if (m.kind, m.number) == (caption.kind, caption.number)]
        if part is not Part.BODY and (caption.kind, caption.number) in body:
            found.append(noted(PLACEMENT, f"{shown} stands behind the references", place, "move it forward"))
        elif part is Part.BODY and pages and abs(caption.page - pages[0]) > NEAR:
            message = f"{shown} stands on page {caption.page}, its first mention on page {pages[0]}"
            found.append(noted(PLACEMENT, message, place, "move it, or mention it where it stands"))
    return found or [passed(PLACEMENT, "figures and tables stand within a page of their first mention")]


def _place(submission: Submission, document: Document, layout: Layout, caption: Caption) -> str:
    """File and line of a float where the sources are there, with its page; else the page alone."""
    page = at(document.path, page=caption.page)
    labelled = submission.outline.of_kind(caption.kind) if submission.outline else []
    same = [one for one in labelled if one.number == caption.number]
    return f"{same[0].place} ({page})" if same else page


def _unlabelled_chunks(submission: Submission, outline: Outline) -> Iterator[Finding]:
    """Pictures of the sources that are no labelled figure: drawn by a chunk, or included."""
    for place in outline.bare_pictures:
        yield failed(CAPTIONS, "a picture that is no labelled figure", place, "write ![…](…){#fig-…}")
    for cell in submission.cells(NOTEBOOK):
        if not cell.pictures or re.search(r"#\|\s*label:\s*[\"']?fig-", cell.source):
            continue
        if chunk := next((c for c in outline.chunks if _code(c.code) == _code(cell.source)), None):
            message = "a chunk draws a picture that is no labelled figure"
            remedy = "give it `#| label: fig-…` and `#| fig-cap: …`"
            yield failed(CAPTIONS, message, str(chunk.place), remedy)


def _code(text: str) -> str:
    return "\n".join(
        line.rstrip() for line in text.splitlines() if not line.lstrip().startswith("#|")
    ).strip()


def _bare_pictures(document: Document, layout: Layout) -> Iterator[Finding]:
    """Pages with a picture and no caption of a figure."""
    captioned = {caption.page for caption in layout.captions if caption.kind == "Figure"}
    for number, page in enumerate(layout.content.pages, start=1):
        if number not in captioned and shown_on(page):
            place = at(document.path, page=number)
            remedy = "label it “Figure N: …” and refer to it"
            yield cannot_tell(CAPTIONS, "a picture on a page without a caption", place, remedy)


def shown_on(page: Page) -> int:
    """How many pictures a page shows."""
    return sum(picture.raster or picture.shapes >= SHAPES for picture in page.pictures)


def _numbering(kind: str, layout: Layout, document: Document) -> Iterator[Finding]:
    """Numbers that occur twice, and gaps in 1, 2, 3, …"""
    seen: dict[str, Caption] = {}
    for caption in layout.captions:
        if caption.kind != kind:
            continue
        if before := seen.get(caption.number):
            both = before.sure and caption.sure and before.text != caption.text
            in_body = {layout.parts[before.first], layout.parts[caption.first]} == {Part.BODY}
            say = failed if both and in_body else cannot_tell
            message = f"there are two captions “{kind} {caption.number}”"
            place = at(document.path, page=caption.page)
            yield say(CAPTIONS, message, place, "number figures and tables one by one")
        seen[caption.number] = caption
    plain = sorted(int(number) for number in seen if number.isdigit())
    missing = [n for n in range(1, plain[-1] if plain else 0) if n not in plain]
    if missing:
        message = f"no caption “{kind} {missing[0]}” was found, though the numbers go on to {plain[-1]}"
        yield cannot_tell(CAPTIONS, message, document.path, "give it a caption, or renumber")


def _count(layout: Layout) -> str:
    figures = sum(caption.kind == "Figure" for caption in layout.captions)
    tables = len(layout.captions) - figures
    return f"{figures} figure{'' if figures == 1 else 's'} and {tables} table{'' if tables == 1 else 's'}"
