"""What is kept after Quarto, where Quarto itself is not needed to see it."""

import shutil
from pathlib import Path

import nbformat
import pytest

from handin.errors import HandinError
from handin.project import Project, load_project
from handin.render.collect import collect


def test_a_notebook_that_was_not_executed_is_refused_and_cleared_away(built: Project, folder: Path) -> None:
    shutil.copytree(built.output_dir, folder / "_output")
    kept = (folder / "_output" / "notebook.ipynb").read_bytes()
    notebook = nbformat.reads(kept.decode(), as_version=4)
    nbformat.write(notebook, folder / "report.quarto_ipynb")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    nbformat.write(notebook, folder / "notebook.quarto_ipynb_1")
    with pytest.raises(HandinError, match=r"notebook\.qmd: Quarto has not executed its chunks.*--no-execute"):
        collect(load_project(folder))
    assert (folder / "_output" / "notebook.ipynb").read_bytes() == kept
    assert not list(folder.glob("*ipynb*"))
