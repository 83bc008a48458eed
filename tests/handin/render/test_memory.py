"""The built-in renderer with memory: what has not changed is neither executed nor set, what has always is."""

import io
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from handin.project import load_project
from handin.render.builtin import Builder

EXECUTES, SETS, NOTHING = "1/", "Set report.qmd", "nothing has changed"


Render = Callable[..., tuple[str, bytes]]


@pytest.fixture
def render(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Render:
    """Renders a document; what is said, and the bytes of the PDF."""
    monkeypatch.setenv("HANDIN_MEMORY", "1")

    def rendered(name: str = "report.qmd") -> tuple[str, bytes]:
        said = io.StringIO()
        (pdf,) = Builder(load_project(folder), console=Console(file=said, width=200)).render([name])
        return said.getvalue(), pdf.read_bytes()

    return rendered


def test_each_edit_costs_what_it_changes(
    folder: Path, render: Render, edit: Callable[[str, str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, first = render()
    assert EXECUTES in said

    said, again = render()
    assert NOTHING in said
    assert again == first

    edit("sections/1-words.qmd", "quotes” stay", "quotes”, stay")
    edit("_quarto.yml", "name: Ada Lovelace", "name: Ada King  # a comment")
    said, words = render()
    assert (EXECUTES in said, SETS in said) == (False, True)
    assert words != first

    (folder / "_output/report.pdf").write_bytes(b"somebody else's")
    said, again = render()
    assert EXECUTES not in said
    assert again == words

    edit("code/words.py", "42", "43")
    said, module = render()
    assert EXECUTES in said
    monkeypatch.setenv("HANDIN_MEMORY", "0")
    said, executed = render()
    assert EXECUTES in said
    assert executed == module


def test_both_streams_keep_their_order_when_they_are_remembered(
    folder: Path, render: Render, edit: Callable[[str, str, str], None]
) -> None:
    """What a terminal would have overwritten is left out; a warning names its chunk."""
    printing = "import sys, warnings\nprint('gone\\rHm', file=sys.stderr, flush=True)\nprint('printed words')"
    printing += "\nwarnings.warn('Beware')"
    edit("sections/1-words.qmd", 'print("printed words")', printing)
    said, executed = render("notebook.qmd")
    assert EXECUTES in said
    (folder / "_output/notebook.pdf").unlink()
    said, remembered = render("notebook.qmd")
    assert EXECUTES not in said
    assert remembered == executed
    kept = nbformat.read(folder / "_output" / "notebook.ipynb", as_version=4)
    printed = [output.text for cell in kept.cells for output in cell.get("outputs", []) if "text" in output]
    warning = "chunk 3:4: UserWarning: Beware\n  warnings.warn('Beware')\n"
    assert printed == ["printed words\n", f"Hm\n{warning}"]
