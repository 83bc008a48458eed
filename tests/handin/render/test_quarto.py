"""Quarto and the built-in renderer on the small project: the same words, the same notebook."""

import os
import pty
import re
import subprocess
import unicodedata
from pathlib import Path

import pypdf
import pytest
from tests.handin.render.quartos import each_quarto, use

from handin.environment import HAND_IN
from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.builtin import Builder
from handin.render.quarto import render_by_quarto
from handin.sources import Built, fingerprint


@pytest.fixture(autouse=True)
def _quarto(quarto: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(quarto, folder, monkeypatch)


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
    render_by_quarto(project, project.documents, HAND_IN, "typst")
    for name in ("notebook.pdf", "report.pdf"):
        assert words(folder / "_output" / name) == words(built.output_dir / name)
    kept = folder / "_output/notebook.ipynb"
    assert kept.read_bytes() == (built.output_dir / "notebook.ipynb").read_bytes()
    assert Built(folder).is_current(kept, fingerprint(project))
    left = {path.name for path in folder.iterdir()} - {".quarto", "_build", "_output"}
    assert left == before - {"notebook.quarto_ipynb"}


def test_a_failure_shows_quartos_words_and_replaces_nothing(
    quarto: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "_output").mkdir()
    (folder / "_output" / "report.pdf").write_text("the old one")
    path = folder / "sections" / "1-words.qmd"
    path.write_text(path.read_text().replace("plt.show()", "1 / 0"))
    with pytest.raises(HandinError, match="Quarto failed"):
        render_by_quarto(load_project(folder), ["report.qmd", "notebook.qmd"], HAND_IN, "typst")
    assert "ZeroDivisionError" in "".join(capfd.readouterr())
    assert [path.name for path in (folder / "_output").iterdir()] == ["report.pdf"]
    assert (folder / "_output" / "report.pdf").read_text() == "the old one"


def test_an_edit_shows_in_a_terminal_where_quarto_keeps_kernels(quarto: str, folder: Path) -> None:
    """And the built-in renderer executes none of what Quarto has executed."""
    with (folder / "_environment").open("a") as file:
        file.write("HANDIN_MEMORY=1\n")
    module = folder / "code" / "words.py"
    for answer in (42, 42, 43):
        module.write_text(re.sub(r"(?m)^answer = .*", f"answer = {answer}", module.read_text()))
        status = pty.spawn(["quarto", "render", str(folder / "report.qmd")])
        assert status == 0
        assert f"The answer is {answer}, or" in " ".join(words(folder / "_output" / "report.pdf"))
    executed = set((folder / "_build" / "memory").iterdir())
    Builder(load_project(folder)).render(["report.qmd"])
    (_set_up,) = set((folder / "_build" / "memory").iterdir()) - executed


def test_quarto_by_itself_keeps_the_notebook_and_notes_what_it_made(
    quarto: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Quarto's own Python, from a subfolder, in an environment that is not activated."""
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
