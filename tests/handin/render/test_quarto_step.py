"""What is done before and after Quarto, tried without one: it leaves its files by hand here."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.handin.render.conftest import ROOT

from handin.environment import HAND_IN
from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.notebook import as_notebook
from handin.render.quarto import after, before
from handin.sources import Built, fingerprint

FIGURE = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": "<svg/>"}}


@pytest.fixture
def project(folder: Path) -> Project:
    (folder / "_output").mkdir()
    return load_project(folder)


def leave(path: Path, *, count: int | None = 1) -> None:
    """A notebook as Quarto leaves it."""
    chunk: dict[str, Any] = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": count}
    notebook = as_notebook([{**chunk, "source": f"#| label: fig-{path.stem}", "outputs": [FIGURE]}])
    path.write_text(json.dumps(notebook))


def rendered(project: Project, name: str) -> Path:
    path = project.output_dir / name
    path.write_text(f"the new {name}")
    return path


def test_what_this_render_made_is_kept_and_nothing_else_is_touched(project: Project) -> None:
    old = project.root / "notebook.quarto_ipynb"
    leave(old)
    os.utime(old, ns=(0, 0))
    for name in ("report.ipynb", "notebook.ipynb", "report.quarto_ipynb"):
        (project.root / name).write_text("somebody's")
    before(project, HAND_IN)
    leave(project.root / "notebook.quarto_ipynb_1")
    (project.output_dir / "report.pdf").write_text("an old one")
    after(project, [rendered(project, "notebook.pdf")], HAND_IN)
    built, now = Built(project.root), fingerprint(project)
    made = ["notebook.pdf", "notebook.ipynb"]
    assert all(built.is_current(project.output_dir / name, now) for name in made)
    assert not built.is_ours(project.output_dir / "report.pdf")
    assert not list(project.root.glob("notebook.quarto_ipynb*"))
    for name in ("report.ipynb", "notebook.ipynb", "report.quarto_ipynb"):
        assert (project.root / name).read_text() == "somebody's"


def test_other_formats_keep_no_notebook(project: Project) -> None:
    before(project, HAND_IN)
    leave(project.root / "notebook.quarto_ipynb")
    after(project, [rendered(project, "notebook.html")], HAND_IN)
    assert [path.name for path in project.output_dir.iterdir()] == ["notebook.html"]


def test_a_pdf_that_quarto_made_by_latex_is_no_hand_in(project: Project) -> None:
    before(project, HAND_IN)
    after(project, [rendered(project, "report.pdf")], HAND_IN)
    assert not Built(project.root).is_current(project.output_dir / "report.pdf", fingerprint(project))


def test_an_edit_during_the_render_makes_it_stale(project: Project) -> None:
    before(project, HAND_IN)
    leave(project.root / "report.quarto_ipynb")
    (project.root / "report.qmd").write_text("# Later\n")
    after(project, [rendered(project, "report.pdf")], HAND_IN)
    assert Built(project.root).is_ours(project.output_dir / "report.pdf")
    assert not Built(project.root).is_current(project.output_dir / "report.pdf", fingerprint(project))


def test_authors_of_a_document_are_refused_before_it_is_rendered(project: Project) -> None:
    path = project.root / "report.qmd"
    path.write_text(
        path.read_text().replace("---\n", "---\nauthor: Grace Hopper\nabstract: Quarto's own\n", 1)
    )
    with pytest.raises(HandinError, match=r"report\.qmd:2: the names come from _quarto\.yml"):
        before(project, HAND_IN)


def test_what_was_not_executed_is_no_hand_in(project: Project) -> None:
    before(project, HAND_IN)
    leave(project.root / "report.quarto_ipynb", count=None)
    with pytest.raises(HandinError, match=r"report\.qmd: Quarto has not executed its chunks"):
        after(project, [rendered(project, "report.pdf")], HAND_IN)
    assert not Built(project.root).is_ours(project.output_dir / "report.pdf")


def test_an_installation_has_all_that_quarto_runs_chunks_by() -> None:
    """Its `share/jupyter/` imports these; where one is missing, it says "Broken pipe" and no more."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    packages = {name for one in named for name in re.findall(r"^[\w-]+", one)}
    assert packages >= {"nbclient", "nbformat", "jupyter_client", "ipykernel", "PyYAML"}


def test_a_python_without_the_dependencies_is_told_so(folder: Path) -> None:
    """Quarto takes the one of the PATH, where no environment is activated; `-S` is one without packages."""
    step = [sys.executable, "-IS", ROOT / "code" / "handin" / "quarto_step.py"]
    done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"error: .* has no `\w+`: activate .venv, or set QUARTO_PYTHON\n", done.stderr)
