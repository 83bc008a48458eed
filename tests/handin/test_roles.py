"""The report is found among the PDFs of a hand-in."""

from __future__ import annotations

import pytest
from good_project import COURSE, typeset

from handin.reading.submission import Submission
from handin.rules import RULES, Status

REPORT = typeset('#set page("a4")\nMaria Muster (mmuster)\n\n= Task 1\n#lorem(300)')
OTHER = typeset('#set page("a4")\n= Draft\n#lorem(300)')
CELLS = typeset(
    '#set page("a4")\n' + "\n\n".join(f'#"[{n}]: import torch"' for n in range(1, 5)) + "\n#lorem(99)"
)
SHEET = typeset(
    '#set page("a4")\nRules for Submission. Hand-in your solution via ILIAS as a ZIP archive. #lorem(99)'
)
FIGURE = typeset("#set page(width: 8cm, height: 6cm)\n1 2 3")
LARGE_FIGURE = typeset('#set page("a4")\n1 2 3')


def submission(**files: bytes) -> Submission:
    named = {name.replace("__", "/").replace("_pdf", ".pdf"): data for name, data in files.items()}
    return Submission("dl24-1-mmuster.zip", {**named, "a01.ipynb": b"{}", "mlp.py": b""}, COURSE)


@pytest.mark.parametrize("name", ["a01-mmuster_pdf", "final_pdf", "a01_pdf", "Abgabe_pdf"])
def test_the_report_is_found_by_its_look(name: str) -> None:
    others = {"zz_pdf": CELLS, "task_pdf": SHEET, "loss_pdf": FIGURE, "plots__all_pdf": LARGE_FIGURE}
    found = submission(**{name: REPORT}, **others).roles
    assert found.reports[0] == name.replace("_pdf", ".pdf")
    assert found.certain
    assert "zz.pdf" in found.notebooks


def test_a_name_says_which_of_two_documents_is_the_report() -> None:
    found = submission(draft_pdf=OTHER, report_pdf=OTHER).roles
    assert (found.reports[0], found.certain) == ("report.pdf", True)


def test_what_is_called_like_a_script_is_its_render() -> None:
    found = submission(mlp_pdf=OTHER, final_pdf=OTHER).roles
    assert (found.reports, found.notebooks) == (("final.pdf",), ("mlp.pdf",))


def test_the_only_pdf_may_be_called_like_the_notebook() -> None:
    assert submission(a01_pdf=REPORT).roles.reports == ("a01.pdf",)
    assert submission(a01_pdf=CELLS).roles.reports == ()


def test_candidates_are_listed_and_the_likeliest_is_judged() -> None:
    unclear = submission(a_pdf=OTHER, b_pdf=OTHER)
    [finding] = RULES["report"](unclear)
    assert finding.status is Status.CANNOT_TELL
    assert "a.pdf, b.pdf" in finding.message
    assert RULES["pages"](unclear)[0].place == "a.pdf"
