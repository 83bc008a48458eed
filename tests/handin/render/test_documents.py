"""The real report and notebook, as the built-in renderer sets them, and as Quarto does where there is one."""

import os
import re
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import nbformat
import pypdf
import pypdfium2
import pytest
from tests.handin.render.quartos import each_quarto, use

from handin.environment import Mode
from handin.project import Project, load_project
from handin.qmd.chunks import chunks, read_blocks
from handin.qmd.outline import read_outline
from handin.qmd.source import on_disk, read_source
from handin.reading import pdf
from handin.reading.submission import Submission
from handin.render.quarto import render_by_quarto
from handin.rules.finding import Status
from handin.rules.report import pages

NAMES = ("report", "notebook")


def content(project: Project, name: str) -> pdf.Pdf:
    return pdf.read((project.output_dir / f"{name}.pdf").read_bytes())


def text(project: Project, name: str) -> str:
    return "\n".join(content(project, name).pages)


def test_the_report_stays_below_the_page_limit(documents: Project) -> None:
    assert pages(Submission.of(documents))[0].status is Status.PASS


@pytest.mark.parametrize("name", NAMES)
def test_names_and_logins_stand_on_the_first_page(documents: Project, name: str) -> None:
    first = content(documents, name).pages[0]
    for author in documents.authors:
        assert author.name in first
        assert author.login in first


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", ["Figure", "Table"])
def test_every_figure_and_table_has_its_caption(documents: Project, name: str, word: str) -> None:
    captions = re.findall(rf"^{word} (\d+)\. ", text(documents, name), re.MULTILINE)
    outline = read_outline(on_disk(documents.root), f"{name}.qmd", documents.metadata)
    floats = [
        one for one in outline.floats if one.label.startswith({"Figure": "fig-", "Table": "tbl-"}[word])
    ]
    assert captions == [str(number) for number in range(1, len(floats) + 1)]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_unresolved(documents: Project, name: str) -> None:
    assert not re.search(r"\?\?|@(fig|tbl|sec|eq)-|\[@|\{python\}|:::|\{\{<|#\| ", text(documents, name))


@pytest.mark.parametrize("name", NAMES)
def test_sections_carry_the_numbers_of_the_tasks(documents: Project, name: str) -> None:
    with pypdfium2.PdfDocument(documents.output_dir / f"{name}.pdf") as document:
        titles = [entry.get_title() for entry in document.get_toc()]
    numbers = [title.split()[0] for title in titles if re.match(r"\d", title)]
    assert tuple(numbers) == documents.handin.tasks


@pytest.mark.parametrize("name", NAMES)
def test_fonts_are_embedded_outlines(documents: Project, name: str) -> None:
    read = pypdf.PdfReader(documents.output_dir / f"{name}.pdf")
    found = [page["/Resources"].get("/Font", {}) for page in read.pages]
    fonts = [font["/DescendantFonts"][0].get_object() for page in found for font in page.values()]
    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & font["/FontDescriptor"].keys() for font in fonts)
    assert "/Type3" not in {font["/Subtype"] for font in fonts}


def test_the_notebook_is_executed_and_complete(documents: Project) -> None:
    notebook = nbformat.read(documents.output_dir / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == len(list(chunks(read_blocks(read_source(on_disk(documents.root), "notebook.qmd")))))
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def words(path: Path) -> Counter[str]:
    """Words and numbers of a PDF; formulas come in another order from another version of Typst."""
    found = "\n".join(pdf.read(path.read_bytes()).pages)
    return Counter(re.findall(r"[^\W\d_]{2,}|\d+(?:[.,]\d+)*", unicodedata.normalize("NFKC", found)))


@each_quarto
def test_quarto_prints_the_same_words_and_numbers(
    quarto: str, documents: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(documents.root, copy, ignore=shutil.ignore_patterns("_output", "_build", "*.svg"))
    use(quarto, copy, monkeypatch)
    draft = os.environ.get("PLAN", "full") != "full"
    render_by_quarto(load_project(copy), documents.documents, Mode(draft=draft), "typst")
    for name in ("report.pdf", "notebook.pdf"):
        assert words(copy / "_output" / name) == words(documents.output_dir / name)
    kept = documents.output_dir / "notebook.ipynb"
    assert (copy / "_output/notebook.ipynb").read_bytes() == kept.read_bytes()
