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
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="{0}"/>'


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
    section = "sections/1-words.qmd"
    edit(section, "Numbers such as", 'Numbers ![](dots.svg){fig-alt="Dots"} such as')
    (folder / "dots.svg").write_text(SVG.format(10))
    said, first = render()
    assert EXECUTES in said

    said, again = render()
    assert NOTHING in said
    assert again == first

    edit(section, "quotes” stay", "quotes”, stay")
    said, comma = render()
    assert EXECUTES not in said
    assert SETS in said
    assert comma != first

    (folder / "dots.svg").write_text(SVG.format(20))
    said, image = render()
    assert EXECUTES in said, "a chunk might read it"
    assert image != comma

    edit("_quarto.yml", "name: Ada Lovelace", "name: Ada King  # a comment")
    said, name = render()
    assert (EXECUTES in said, SETS in said) == (False, True)
    assert name != image

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert render()[1] != name, "the date in the PDF"

    (folder / "_output/report.pdf").write_bytes(b"somebody else's")
    assert render()[1].startswith(b"%PDF")

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
