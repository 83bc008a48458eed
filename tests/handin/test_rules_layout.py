"""The structure of a report as its PDF shows it: numbers, parts, captions, mentions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from good_project import REPORT, Recipe, typeset

from handin.reading import pdf
from handin.reading.layout import Layout, Part, task_number


@pytest.mark.parametrize(
    ("title", "above", "number"),
    [
        ("1 Implement", "", "1"),
        ("1a The class", "1", "1a"),
        ("1 a) The class", "1", "1a"),
        ("1.a The class", "1", "1a"),
        ("1(a) The class", "1", "1a"),
        ("1a) The class", "1", "1a"),
        ("a) The class", "2", "2a"),
        ("(b) The class", "2", "2b"),
        ("Task 3: Backpropagation", "", "3"),
        ("Task 3b – Backward", "", "3b"),
        ("Exercise 2", "", "2"),
        ("1.1 The class", "1", "1.1"),
        ("A network", "1", ""),
        ("a network", "1", ""),
        ("2 layers or 3", "", "2"),
        ("1990 was a year", "", ""),
        ("References", "3", ""),
    ],
)
def test_the_number_of_a_heading(title: str, above: str, number: str) -> None:
    assert task_number(title, above)[0] == number


def layout(report: str) -> Layout:
    recipe = Recipe(report=report)
    return Layout(pdf.read(recipe.pdf(report)))


def test_parts_headings_captions_and_mentions_of_a_report() -> None:
    found = layout(REPORT)
    assert [h.number for h in found.headings if h.number] == ["1", "1a", "1b", "2", "2a", "2b"]
    assert [(c.kind, c.number) for c in found.captions] == [("Figure", "1"), ("Table", "1"), ("Figure", "2")]
    assert {(m.kind, m.number) for m in found.mentions} == {("Figure", "1"), ("Table", "1"), ("Figure", "2")}
    assert set(found.parts) == set(Part)


def test_without_bookmarks_the_text_tells() -> None:
    content = replace(layout(REPORT).content, outline=())
    found = Layout(content)
    assert [h.number for h in found.headings if h.number] == ["1", "1a", "1b", "2", "2a", "2b"]
    assert found.body_pages == layout(REPORT).body_pages


def test_bookmarks_without_numbers_take_them_from_the_text() -> None:
    content = layout(REPORT).content
    bare = [
        replace(b, title=b.title.split(" ", 1)[-1] if b.title[0].isdigit() else b.title)
        for b in content.outline
    ]
    found = Layout(replace(content, outline=tuple(bare)))
    assert [h.number for h in found.headings if h.number] == ["1", "1a", "1b", "2", "2a", "2b"]


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        ("See Figures 1, 2 and 4.", ["1", "2", "4"]),
        ("See Figures 2–4.", ["2", "3", "4"]),
        ("See Figures 2 to 4.", ["2", "3", "4"]),
        ("See Fig. 3a and Fig. 4b.", ["3", "4"]),
        ("Abbildung 2 zeigt es.", ["2"]),
        ("See Figure 3 and 12 networks.", ["3", "12"]),
        ("Figurative 3.", []),
        ("See figures 2(a), 2(b), 2(c) and 2(d).", ["2", "2", "2", "2"]),
        ("See figures 3, 4 and \\ 5.", ["3", "4", "5"]),
        ("Siehe Abb. 3 und 4.", ["3", "4"]),
        ("Die Abbildungen 1 bis 3 zeigen es.", ["1", "2", "3"]),
        ('#set text(lang: "en", hyphenate: true)\n#block(width: 0.9cm)[Figure 3]', ["3"]),
        ("See Tables I and IX.", ["1", "9"]),
        ("See Fig.3, FIG. A.1 and Figure 2.1.", ["3", "A.1", "2.1"]),
    ],
)
def test_lists_and_ranges_of_mentions(sentence: str, numbers: list[str]) -> None:
    found = Layout(pdf.read(typeset(f"{sentence}\n\n#lorem(30)")))
    assert [mention.number for mention in found.mentions] == numbers


def test_table_and_figure_in_one_sentence_keep_their_kinds() -> None:
    found = Layout(pdf.read(typeset("See Table 1 and Figure 5. #lorem(20)")))
    assert [(m.kind, m.number) for m in found.mentions] == [("Table", "1"), ("Figure", "5")]


def test_running_heads_and_page_numbers_are_no_text_of_the_body() -> None:
    found = layout(REPORT)
    assert not any(one.text.startswith("Assignment 1 Deep Learning") for one in found.lines)
    assert not any(one.text.endswith("of 3") for one in found.lines)


def test_pages_of_references_and_appendix_are_not_counted() -> None:
    with_breaks = REPORT.replace("#refs[", "#pagebreak()\n#refs[").replace(
        "#show: appendix", "#pagebreak()\n#show: appendix"
    )
    found = layout(with_breaks)
    assert len(found.content.pages) == len(found.body_pages) + 2


@pytest.mark.parametrize("heading", ["Bibliography", "Literatur", "Works cited"])
def test_other_words_for_references(heading: str) -> None:
    found = layout(REPORT.replace("#refs[", f"#heading(numbering: none)[{heading}]\n["))
    assert Part.REFERENCES in found.parts


@pytest.mark.parametrize(
    ("sentence", "sure"),
    [
        ("See Figure 5.", [True]),
        ("See Figures 5 and 6.", [True, True]),
        ("See Figure 3 and 12 networks.", [True, False]),
        ("See Figure 5.1 of Bishop.", [False]),
        ('Siehe Abbildung 2 in #"[7]".', [False]),
    ],
)
def test_whose_figure_is_meant(sentence: str, sure: list[bool]) -> None:
    found = Layout(pdf.read(typeset(f"{sentence}\n\n#lorem(30)")))
    assert [mention.sure for mention in found.mentions] == sure


@pytest.mark.parametrize(
    ("label", "number", "sure"),
    [
        ("Figure 1: The fit.", "1", True),
        ("Fig. 2 – The fit.", "2", True),
        ("Abb. 3: Die Kurve.", "3", True),
        ("Figure 1.1. The fit.", "1.1", True),
        ("TABLE II", "2", False),
        ("Figure 1 | The fit.", "1", True),
        ("Figure 4 The fit.", "4", False),
        ("Figure 1.1.: The fit.", "1.1", True),
    ],
)
def test_captions_of_many_programs(label: str, number: str, sure: bool) -> None:
    page = f"#lorem(60)\n#v(2cm)\n#align(center)[#text(9pt)[{label}]]\n#v(1cm)\n#lorem(60)"
    found = Layout(pdf.read(typeset(page))).captions
    assert [(caption.number, caption.sure) for caption in found] == [(number, sure)]


@pytest.mark.parametrize(
    "line", ["Figure 4 shows the fit", "Figure 1: The fit ........ 3", "Figures are drawn"]
)
def test_what_is_no_caption(line: str) -> None:
    assert Layout(pdf.read(typeset(f"#lorem(60)\n#v(2cm)\n{line}\n#v(2cm)\n#lorem(60)"))).captions == ()
