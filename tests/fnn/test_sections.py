"""The sections: task numbers, neutral Markdown, and no result typed by hand."""

import ast
import re
from pathlib import Path

import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from fnn.experiments import task_2a, task_2c, task_2e
from fnn.optimizers import first_order

SECTIONS = sorted(Path(__file__).parents[2].glob("sections/*.qmd"))

# What the assignment or the text itself fixes: counts, years of no source, constants of definitions.
ALLOWED = {"0", "1", "2", "3", "10", "50", "100", "5", "20", "95"}


def parts(path: Path) -> dict[str, tuple[str, str]]:
    """Prose and chunks of every section of a file, by the section's label."""
    text, found = path.read_text("utf-8"), {}
    for body in re.split(r"^(?=#+ .*\{#sec-)", text, flags=re.MULTILINE)[1:]:
        label = body.split("{#sec-", 1)[1].split("}", 1)[0]
        chunks = "".join(re.findall(r"```\{python\}.*?```", body, flags=re.DOTALL))
        found[label] = re.sub(r"```\{python\}.*?```", "", body, flags=re.DOTALL), chunks
    return found


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_the_words_of_a_claim_stand_in_the_prose_of_its_section(path: Path) -> None:
    """Exactly once, in the report's prose: a claim vouches for one sentence."""
    for label, (text, chunks) in parts(path).items():
        report = re.sub(
            r'::: \{\.content-visible when-meta="notebook"\}.*?^:::$', "", text, flags=re.DOTALL | re.M
        )
        claimed = re.findall(r'claim\(.*?"([^"]+)",?\s*\w+=', chunks, flags=re.DOTALL)
        assert len(claimed) == chunks.count("claim(")
        assert {words: report.count(words) for words in claimed} == dict.fromkeys(claimed, 1), label


def prose(text: str) -> str:
    """The text without chunks, inline expressions, code, formulas, citations, references and attributes."""
    text = re.sub(r"```\{python\}.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    text = re.sub(r"\$\$.*?\$\$|\$[^$]+\$", "", text, flags=re.DOTALL)
    return re.sub(r"\[[^\]]*@[^\]]*\]|@[\w-]+|\{[^}]*\}", "", text)


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_no_result_is_typed_into_prose(path: Path) -> None:
    typed = re.findall(r"(?<![\w.])\d[\d.,]*\d|(?<![\w.])\d", prose(path.read_text("utf-8")))
    assert not set(typed) - ALLOWED


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_sections_are_neutral_in_format(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(
        r"\{=\w+\}|^#(let|set|show|import)\b|\\(begin\{(figure|table)|includegraphics)", text, re.MULTILINE
    )
    assert not text.startswith("---")


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_chunks_are_short_and_labelled(path: Path) -> None:
    for chunk in re.findall(r"```\{python\}\n(.*?)```", path.read_text("utf-8"), flags=re.DOTALL):
        options = [line for line in chunk.splitlines() if line.startswith("#|")]
        assert options[0].startswith("#| label: ")
        assert len(ast.parse(chunk).body) <= 8  # a chunk calls, a module does
        assert max(map(len, chunk.splitlines()[len(options) :])) <= 84  # what a page of the notebook holds
        if "label: fig-" in options[0]:
            assert {"fig-cap", "fig-alt"} <= {option[3:].split(":")[0] for option in options}
        if "label: tbl-" in options[0]:
            assert any(option.startswith("#| tbl-cap") for option in options)


def test_words_for_settings_are_those_of_the_code() -> None:
    """Limits that the prose names in words."""
    text = (SECTIONS[0].parent / "2-experiments.qmd").read_text("utf-8")
    assert task_2a.REACH == 0.95
    assert "from 5 % to 95 % of its height" in text
    assert task_2c.STRAY == 0.5
    assert "more than half a standard deviation" in text
    assert torch.tensor(task_2c.DECAYS).log10().diff().tolist() == pytest.approx([1.0, 1.0])
    assert "ten times smaller or larger" in text
    assert task_2c.DECAYS[1] == 1e-6
    assert "one millionth" in text
    assert "good, wide = 1.2 * widths.best_test(3)" in text
    assert "come within 20 % of the best test error of three units" in text
    assert "run.evaluations_to(0.01, percent=25)" in text
    assert "a quarter of its runs below an MSE of one hundredth" in text
    assert task_2e.NEAR_BEST == 1.01
    assert "come within 1 % of the best loss" in text
    for make in first_order.RULES.values():
        assert make(torch.zeros(1, requires_grad=True)).defaults["lr"] == 0.01
    assert "an initial step size of one hundredth" in text


def test_a_notebook_run_by_itself_shows_the_figures() -> None:
    """No renderer has prepared the kernel there."""
    (setup,) = re.findall(r"```\{python\}\n(.*?)```", SECTIONS[0].read_text("utf-8"), flags=re.DOTALL)
    draw = "figure = figures.style.figure(1)\nfigure.add_subplot()\nfigure"
    cells = [new_code_cell(setup), new_code_cell(draw)]
    notebook = NotebookClient(new_notebook(cells=cells), kernel_name="python3").execute()
    assert notebook.cells[1].outputs[0].data.keys() & {"image/png", "image/svg+xml"}
