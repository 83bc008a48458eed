"""Citations of a stranger's PDF are read as a reader reads them."""

from __future__ import annotations

import pytest
from good_project import COURSE, typeset

from handin.rules import Finding, Status, Submission
from handin.rules.citations import citations, cross_references

NUMBERED = "\n\n= References\n" + "\n\n".join(
    f"\\[{n}\\] {name}. A book. Springer, 200{n}."
    for n, name in enumerate(("A. Bishop", "B. Lee", "C. Wu"), 1)
)
NAMED = """
= References
#set par(hanging-indent: 1.5em)
Bishop, Christopher. 2006. _Pattern Recognition,_ #lorem(20)

Nguyen, Derrick, and Bernard Widrow. 1990. _Improving the Learning Speed,_ #lorem(20)

Rumelhart, David. 1986. _Representations,_ #lorem(20)
"""


def found(text: str) -> list[Finding]:
    files = {"report.pdf": typeset(f'#set page("a4", margin: 5cm)\n{text}'), "a.py": b""}
    return citations(Submission("dl24-1-mmuster.zip", files, COURSE))


@pytest.mark.parametrize(
    "text",
    [
        "As shown \\[1\\], \\[2, p. 5\\] and \\[3\\].",
        "As shown \\[1\\]–\\[3\\], train1(\\[10\\]) on \\[0, 1\\].",
        "As shown in \\[1–3\\] by MLP(\\[7\\]).",
    ],
)
def test_brackets_name_the_entries(text: str) -> None:
    assert [finding.status for finding in found(text + NUMBERED)] == [Status.PASS]


def test_an_entry_that_no_bracket_names_fails() -> None:
    [finding] = found("As shown \\[1\\] and \\[3\\]." + NUMBERED)
    assert finding.status is Status.FAIL
    assert "[2]" in finding.message


def test_superscripts_leave_it_to_a_person() -> None:
    assert {finding.status for finding in found("As shown#super[1,2,3]." + NUMBERED)} == {Status.CANNOT_TELL}


def test_authors_are_found_by_name() -> None:
    text = "As Bishop (2006) says (Nguyen and Wi-#linebreak()drow 1990; Rumelhart 1986)."
    assert [finding.status for finding in found(text + NAMED)] == [Status.PASS]
    footnotes = "As said.#footnote[Bishop, p. 3.] #footnote[Nguyen, p. 3.] #footnote[Rumelhart, p. 3.]"
    assert [finding.status for finding in found(f"{footnotes}#pagebreak(){NAMED}")] == [Status.PASS]
    # Below the list they look like a part of it.
    below = found("As Bishop (2006) and Nguyen (1990) say.#footnote[Rumelhart, p. 3.]" + NAMED)
    assert [finding.status for finding in below] == [Status.CANNOT_TELL]
    [finding] = found("As Bishop (2006) says (Nguyen and Widrow 1990)." + NAMED)
    assert finding.status is Status.FAIL
    assert "Rumelhart" in finding.message


def test_without_a_list_it_is_for_a_person() -> None:
    assert found("As Bishop (2006) says.")[0].status is Status.PASS
    assert found("It is known (Bishop, 2006).")[0].status is Status.CANNOT_TELL


@pytest.mark.parametrize(
    ("text", "status"),
    [("As Section ?? says.", Status.FAIL), ("See \\[?\\].", Status.FAIL), ("Really??", Status.PASS)],
)
def test_references_that_lead_nowhere(text: str, status: Status) -> None:
    files = {"report.pdf": typeset(text)}
    assert [f.status for f in cross_references(Submission("a.zip", files, COURSE))] == [status]
