"""Where a line happens to break decides nothing."""

from __future__ import annotations

import pytest
from good_project import COURSE, REPORT, Recipe, typeset

from handin.reading import pdf
from handin.reading.layout import Layout
from handin.rules import Status, Submission
from handin.rules.floats import captions, mentions

WORDS = ["a", "wide", "net", "falls", "with", "every", "unit", "more", "than", "before", "and", "not", "less"]
FIGURE = "#figure(rect(width: 5cm, height: 3cm), caption: [The error over units.])"


def padded(count: int) -> str:
    """A sentence of a stranger with `count` letters before its reference to a figure."""
    text = " ".join(WORDS * 10)[:count].strip()
    return f"{text} as in Figure 1. The drop is steep. {text[::-1]} Figure 1: so it is. #lorem(40)"


@pytest.mark.parametrize("start", range(0, 200, 25))
def test_no_padding_makes_a_report_fail(start: int) -> None:
    pages = "#pagebreak()\n".join(
        f"{padded(count)}\n\n{FIGURE}\n#counter(figure.where(kind: image)).update(0)\n"
        for count in range(start, start + 25)
    )
    content = pdf.read(typeset(f"#set par(justify: true)\n{pages}"))
    for page in content.pages:
        layout = Layout(pdf.Content((page,), (), (), {}))
        assert [(c.number, c.text) for c in layout.captions if c.sure] == [("1", "The error over units.")]
        assert {(m.kind, m.number) for m in layout.mentions if not m.in_caption} == {("Figure", "1")}


@pytest.mark.parametrize("count", range(0, 200, 40))
def test_no_padding_makes_a_stranger_fail(count: int) -> None:
    text = f"{' '.join(WORDS * 10)[:count]} as in Figure 1. The drop is steep."
    report = Recipe().pdf(REPORT.replace("The layers follow", f"{text} The layers follow"))
    submission = Submission("dl24-1-mmuster.zip", {"report.pdf": report}, COURSE)
    found = [*captions(submission), *mentions(submission)]
    assert [finding for finding in found if finding.status is Status.FAIL] == []
