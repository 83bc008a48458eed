"""Fonts: all embedded. A note."""

from __future__ import annotations

from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, at, cannot_tell, noted, passed

FONTS = "fonts"


def fonts(submission: Submission) -> list[Finding]:
    """Every font of report and notebook is embedded.

    Why: good practice, because other machines show other letters in the place of a font that is not
    embedded. Nobody demands it, so it is a note.

    Fails: nothing; an included PDF whose fonts are not embedded is noted.

    Passes: what Typst sets.
    """
    documents = [(f"{name}.pdf", submission.document(name)[0]) for name in (REPORT, NOTEBOOK)]
    read = [(file, content) for file, content in documents if content]
    if not read:
        return [cannot_tell(FONTS, "there is no document to read")]
    found = []
    for file, content in read:
        if missing := [font for font in content.fonts if not font.embedded]:
            names = ", ".join(font.name for font in missing)
            remedy = "let the program that draws the picture embed its fonts, or use SVG"
            found.append(noted(FONTS, f"not embedded: {names}", at(file, page=missing[0].page), remedy))
    return found or [passed(FONTS, f"{sum(len(content.fonts) for _, content in read)} fonts, all embedded")]
