"""The sections: task numbers, neutral Markdown, and no result typed by hand."""

import ast
import re
from pathlib import Path

import pytest

SECTIONS = sorted(Path(__file__).parents[2].glob("sections/*.qmd"))

# What the assignment or the text itself fixes: counts, years of no source, constants of definitions.
ALLOWED = {"0", "1", "2", "3", "10", "50", "100", "10,000", "95"}


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
