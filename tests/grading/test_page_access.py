"""The teacher's page can be read by all."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from tests.axe import findings
from tests.browser import needs_browser

from grading.page import as_page
from grading.row import Row
from handin.rules.finding import Finding, Status


def thumbnail() -> str:
    held = io.BytesIO()
    Image.new("L", (120, 170), 255).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


@pytest.mark.long
@needs_browser
def test_the_page_has_no_serious_fault(tmp_path: Path) -> None:
    broken = Finding("sections", Status.FAIL, "There is no section for task 2d.", "report.pdf", "Add one.")
    doubt = Finding("captions", Status.CANNOT_TELL, "Page 3 holds no text.", "report.pdf")
    rows = [
        Row("dl24-1-one.zip", ("one",), (), 8, 12, ("1", "1a"), 2, 20, 9, 800, 30_000, thumbnail()),
        Row(
            "dl24-1-two.zip",
            ("two", "three"),
            (broken, doubt),
            7,
            9,
            ("1",),
            2,
            20,
            4,
            300,
            9_000,
            thumbnail(),
        ),
        Row("notes.zip"),
    ]
    page = tmp_path / "grades.html"
    page.write_text(as_page(rows, "Deep Learning, assignment 1", "Read with limits."), encoding="utf-8")
    assert findings(page, tmp_path, may_be_wide=True) == []  # a table of twelve columns
