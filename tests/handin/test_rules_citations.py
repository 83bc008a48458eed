"""Citations are read as a reader reads them."""

from types import SimpleNamespace

from handin.reading.layout import Part
from handin.rules.citations import _without_references


def test_a_citation_that_a_caption_interrupts_is_read_whole() -> None:
    lines = ["as in (Nguyen and Widrow", "Figure 6. Hidden outputs.", "1990), centres are", "References"]
    layout = SimpleNamespace(
        lines=[SimpleNamespace(text=line) for line in lines],
        parts=[Part.BODY, Part.BODY, Part.BODY, Part.REFERENCES],
        captions=[SimpleNamespace(first=1, last=1)],
    )
    text = _without_references(layout)  # type: ignore[arg-type]
    assert text.splitlines() == [lines[0], lines[2], lines[1]]
