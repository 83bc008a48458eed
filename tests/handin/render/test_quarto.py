"""Quarto and the built-in renderer on the small project: the same words, the same notebook."""

import os
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pypdf
import pytest
from tests.handin.render.conftest import ROOT
from tests.handin.render.quartos import each_quarto, use

from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.quarto import render_by_quarto
from handin.sources import Built, fingerprint


@pytest.fixture(autouse=True)
def _quarto(quarto: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(quarto, monkeypatch)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "code/handin", folder / "code/handin", ignore=ignored)


pytestmark = each_quarto


def words(pdf: Path) -> list[str]:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)
    return unicodedata.normalize("NFKC", text).split()  # a raised 1 may be a character of its own


def quarto_render(folder: Path, *words: str) -> str:
    """`quarto render` as a person gives it; what it says."""
    command = ["quarto", "render", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_both_renderers_agree(quarto: str, built: Project, folder: Path) -> None:
    project = load_project(folder)
    (folder / "notebook.quarto_ipynb").write_text("{}")  # left by a render that failed
    before = {path.name for path in folder.iterdir()}
    paths = render_by_quarto(project, project.documents)
    assert sorted(path.name for path in paths) == ["notebook.pdf", "report.pdf"]
    for path in paths:
        assert words(path) == words(built.output_dir / path.name)
    kept = folder / "_output/notebook.ipynb"
    assert kept.read_bytes() == (built.output_dir / "notebook.ipynb").read_bytes()
    assert Built(folder).is_current(kept, fingerprint(project))
    left = {path.name for path in folder.iterdir()} - {".quarto", "_build", "_output"}
    assert left == before - {"notebook.quarto_ipynb"}


def test_a_failure_shows_quartos_words_and_replaces_nothing(quarto: str, folder: Path) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "report.pdf").write_text("the old one")
    path = folder / "sections" / "1-words.qmd"
    path.write_text(path.read_text().replace("plt.show()", "1 / 0"))
    with pytest.raises(HandinError, match=r"(?s)Quarto failed.*ZeroDivisionError"):
        render_by_quarto(load_project(folder), ["report.qmd", "notebook.qmd"])
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]


def test_quarto_by_itself_keeps_the_notebook_and_notes_what_it_made(
    quarto: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Quarto's own Python, from a subfolder, in an environment that is not activated."""
    monkeypatch.setenv("QUARTO_PYTHON", os.sys.executable)  # type: ignore[attr-defined]
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"].split(os.pathsep)[0], "/usr/bin", "/bin"]))
    (folder / "notebook.ipynb").write_text("somebody's")
    quarto_render(folder / "sections", "../notebook.qmd")
    now = fingerprint(load_project(folder))
    made = ["notebook.pdf", "notebook.ipynb"]
    assert all(Built(folder).is_current(folder / "_output" / name, now) for name in made)
    assert (folder / "notebook.ipynb").read_text() == "somebody's"


@pytest.mark.parametrize("form", ["html", "docx", "latex"])
def test_other_formats_leave_the_documents_alone(quarto: str, folder: Path, form: str) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "notebook.ipynb").write_text("the old one")
    quarto_render(folder, "report.qmd", "--to", form)
    assert (folder / "_output" / "notebook.ipynb").read_text() == "the old one"
    made = {path.suffix for path in (folder / "_output").glob("report.*")}
    assert made == {{"latex": ".tex"}.get(form, f".{form}")}
