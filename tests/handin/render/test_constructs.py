"""docs/quarto.md, row by row: by the built-in renderer and by each Quarto."""

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pypdf
import pytest
from tests.handin.render.conftest import ROOT, copy_project, render_made_up
from tests.handin.render.quartos import each_quarto, use

from handin.environment import HAND_IN
from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.render.quarto import render_by_quarto

BOX = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="60"><rect width="90" height="50"/></svg>'
START = """\
---
title: Constructs
---

# Constructs {#sec-constructs}

```{python}
import matplotlib.pyplot as plt
from IPython.display import Markdown
import words
```
"""


class Row(NamedTuple):
    what: str
    written: str
    expected: str


def rows(section: str) -> list[Row]:
    text = (ROOT / "docs" / "quarto.md").read_text(encoding="utf-8")
    text = text.split(f"## {section}\n")[1].split("\n## ")[0]
    found = []
    for line in text.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and not cells[0].startswith(("what", "---")):
            written = re.sub(r"^(`+) ?(.*?) ?\1$", r"\2", cells[1])
            found.append(Row(cells[0], written.replace("↵", "\n"), cells[2]))
    return found


WORKS, REFUSED = rows("Works"), rows("Refused")


def constructs(folder: Path) -> Project:
    """A project whose report holds every row that works."""
    copy_project(folder)
    parts = [row.written for row in WORKS]
    (folder / "report.qmd").write_text("\n\n".join([START, *parts, ""]), encoding="utf-8")
    (folder / "box.svg").write_text(BOX)
    return load_project(folder)


def words(path: Path) -> str:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    text = re.sub(r"\x1b?\[\d+(;\d+)*m", "", unicodedata.normalize("NFKC", text))  # Quarto leaves colours in
    return " ".join(re.sub(r"Testing \(FSS24\) *·.*?Ada Lovelace|\d+ of \d+", "", text).split())


def missing(row: Row, text: str) -> list[str]:
    """What a row should print and does not."""
    absent = []
    for phrase in row.expected.split(" · "):
        pattern = re.sub(r"\\ ", r"\\s*", re.escape(phrase)).replace("\\#", r"\d+")
        if not re.search(pattern, text):
            absent.append(f"{row.what}: {phrase}")
    return absent


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The words of the document of all constructs by the built-in renderer."""
    (pdf,) = Builder(constructs(tmp_path_factory.mktemp("constructs") / "project")).render(["report.qmd"])
    return words(pdf)


@pytest.mark.parametrize("row", WORKS, ids=lambda row: row.what)
def test_what_works(row: Row, printed: str) -> None:
    assert missing(row, printed) == []


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refused") / "project"
    constructs(folder)
    return folder


def render_with_kernel(folder: Path) -> None:
    Builder(load_project(folder)).render(["report.qmd"])


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.what)
def test_what_is_refused(row: Row, bare: Path) -> None:
    (bare / "sections" / "refused.qmd").write_text(f"Some words.\n\n{row.written}\n")
    (bare / "report.qmd").write_text(f"{START}\n{{{{< include sections/refused.qmd >}}}}\n")
    needs_kernel = any(word in row.written for word in ("object()", "HTML(", "Frame()", "display(", "a\\bb"))
    render = render_with_kernel if needs_kernel else render_made_up
    with pytest.raises(HandinError) as caught:
        render(bare)
    assert row.expected.strip() in str(caught.value)
    assert re.match(r"sections/refused\.qmd:[3-9]: ", str(caught.value))


@each_quarto
def test_each_quarto_prints_the_same(
    quarto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str
) -> None:
    project = constructs(tmp_path / "project")
    use(quarto, project.root, monkeypatch)
    render_by_quarto(project, ["report.qmd"], HAND_IN, "typst")
    found = words(project.output_dir / "report.pdf")
    assert [lack for row in WORKS for lack in missing(row, found)] == []
