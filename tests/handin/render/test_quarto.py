"""Quarto and the built-in renderer on the small project: the same words, notebook and figures."""

import subprocess
import unicodedata
from pathlib import Path

import pypdf
import pytest
from tests.handin.render.quartos import each_quarto, use

from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.quarto import quarto_environment, render_by_quarto


@pytest.fixture(autouse=True)
def _quarto(quarto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use(quarto, monkeypatch)


pytestmark = each_quarto


NAMES = ("report.qmd", "notebook.qmd")


def words(pdf: Path) -> list[str]:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)
    return unicodedata.normalize("NFKC", text).split()  # a raised 1 may be a character of its own


def test_both_renderers_agree(quarto: str, built: Project, folder: Path) -> None:
    project = load_project(folder)
    (folder / "notebook.quarto_ipynb").write_text("{}")  # left by a render that failed
    paths = render_by_quarto(project, project.documents)
    assert sorted(path.name for path in paths) == ["notebook.pdf", "report.pdf"]
    for path in paths:
        assert words(path) == words(built.output_dir / path.name)
    for name in ("_output/notebook.ipynb", "figures/fig-line.svg"):
        assert (folder / name).read_bytes() == (built.root / name).read_bytes(), name
    left = {path.name for path in folder.iterdir()} - {".quarto", "_build", "_output"}
    assert left == {path.name for path in built.root.iterdir()} - {"_build", "_output"}


def test_a_failure_shows_quartos_words_and_replaces_nothing(quarto: str, folder: Path) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "report.pdf").write_text("the old one")
    path = folder / "sections" / "1-words.qmd"
    path.write_text(path.read_text().replace("plt.show()", "1 / 0"))
    with pytest.raises(HandinError, match=r"(?s)Quarto failed.*ZeroDivisionError"):
        render_by_quarto(load_project(folder), ["report.qmd", "notebook.qmd"])
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]


def test_other_formats_leave_the_documents_alone(quarto: str, folder: Path) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "notebook.ipynb").write_text("the old one")
    environment = quarto_environment(load_project(folder))
    subprocess.run(
        ["quarto", "render", "report.qmd", "--to", "html"], cwd=folder, env=environment, check=True
    )
    assert (folder / "_output" / "notebook.ipynb").read_text() == "the old one"
    html = (folder / "_output" / "report.html").read_text()
    assert "Squares, computed." in html
