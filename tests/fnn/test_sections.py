"""The example's own sections: no result typed by hand, and words that say what the code does.

These tests run only while the sections are the example's: a student's own words break none of them.
"""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from fnn.experiments import task_2a, task_2c, task_2e
from fnn.experiments.plan import PLANS
from fnn.optimizers import PRESETS, trace_grid

ROOT = Path(__file__).parents[2]
SECTIONS = sorted(ROOT.glob("sections/*.qmd"))
CHUNK = re.compile(r"```\{python\}\n(.*?)```", re.DOTALL)

# What the assignment or the text itself fixes: counts, constants of definitions.
ALLOWED = {"0", "1", "2", "3", "4", "10", "50", "100", "5", "20", "95"}
GRID = trace_grid(2 * PRESETS["full"].iterations)  # evaluations after which a loss is on record
# Limits that the prose names in words.
WORDS = {
    "from 5 % to 95 % of its height": task_2a.REACH == 0.95,
    "more than half a standard deviation": task_2c.STRAY == 0.5,
    "every fourth training point": task_2c.HELD_OUT == 4,
    "over ten runs each": PLANS["full"].contrast == 10,
    "from the same 50 initial points": PLANS["full"].variants == 50,
    "(to within 6 %)": round(100 * max(b / a - 1 for a, b in pairwise(GRID) if a > 100)) == 6,
    "below one hundredth": task_2e.GOOD == 0.01,
    "within 1 % of the best loss": task_2e.NEAR_BEST == 1.01,
}


def is_example() -> bool:
    """Whether the sections are as they were committed, by the example's author."""
    same = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "sections"], cwd=ROOT, capture_output=True)
    return same.returncode == 0 and "login: alovelac" in (ROOT / "_quarto.yml").read_text("utf-8")


example = pytest.mark.skipif(not is_example(), reason="the sections are not the example's any more")


@example
@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_no_result_is_typed_into_prose(path: Path) -> None:
    text = CHUNK.sub("", path.read_text("utf-8"))
    text = re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$]+\$", "", text, flags=re.DOTALL)  # code and formulas
    text = re.sub(r"\[[^\]]*@[^\]]*\]|@[\w-]+|\{[^}]*\}", "", text)  # references and attributes
    typed = re.findall(r"(?<![\w.])\d[\d.,]*\d|(?<![\w.])\d", text)
    assert not set(typed) - ALLOWED


@example
def test_words_for_settings_are_those_of_the_code() -> None:
    text = "".join(path.read_text("utf-8") for path in SECTIONS)
    assert {words: words in text and holds for words, holds in WORDS.items()} == dict.fromkeys(WORDS, True)


@example
@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_sections_are_neutral_in_format(path: Path) -> None:
    assert not re.search(r"\{=\w+\}|\\(begin\{(figure|table)|includegraphics)", path.read_text("utf-8"))


def test_a_notebook_run_by_itself_shows_the_figures() -> None:
    """No renderer has prepared the kernel there."""
    draw = "from fnn.report.figures import style\nfigure = style.figure(1)\nfigure.add_subplot()\nfigure"
    cells = [new_code_cell("from fnn.report import figures\nfigures.use_print_style()"), new_code_cell(draw)]
    notebook = NotebookClient(new_notebook(cells=cells), kernel_name="python3").execute()
    assert notebook.cells[1].outputs[0].data.keys() & {"image/png", "image/svg+xml"}
