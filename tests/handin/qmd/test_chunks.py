"""Chunks are told from prose, with their options and places."""

from pathlib import Path

import pytest

from handin.errors import HandinError
from handin.qmd.chunks import Chunk, Prose, read_blocks
from handin.qmd.source import read_source
from handin.render.refusals import refuse_lines


def blocks(root: Path, text: str) -> list[Prose | Chunk]:
    source = read_source({"main.qmd": text.encode()}.get, "main.qmd")
    found = read_blocks(source)
    refuse_lines(source, found)
    return found


def test_a_chunk_knows_its_options_code_and_lines(tmp_path: Path) -> None:
    text = '# A\n\n```{python}\n#| label: fig-a\n#| fig-cap: "A *cap*: $x$"\n\nx = 1\n\n\ny = 2\n```\nafter\n'
    before, chunk, after = blocks(tmp_path, text)
    assert isinstance(chunk, Chunk)
    assert chunk.options == {"label": "fig-a", "fig-cap": "A *cap*: $x$"}
    assert chunk.code == "x = 1\n\n\ny = 2"
    assert (str(chunk.place), chunk.code_line) == ("main.qmd:3", 7)
    assert isinstance(before, Prose)
    assert isinstance(after, Prose)
    assert (before.text, after.text) == ("# A\n", "after")


def test_displayed_and_raw_code_is_prose(tmp_path: Path) -> None:
    shown = "```python\nx\n```\n\n```{.python}\nx\n```\n\n```{=typst}\n#show: appendix\n```\n"
    text = f"{shown}\n```{{python}}\nx\n```\n"
    prose, chunk = blocks(tmp_path, text)
    assert isinstance(prose, Prose)
    assert isinstance(chunk, Chunk)
    assert "#show: appendix" in prose.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n```{python, echo=FALSE}\n1\n```\n", r"main\.qmd:2: .* only Python chunks"),
        ("````{python}\n1\n````\n", r"main\.qmd:1: .* a code block opened by `````"),
        ("```{python}\n#| echo: [\n1\n```\n", r"main\.qmd:2: this is not YAML"),
        ("```{python}\n#| label: a\n#| tbl-cap: c\n1\n```\n", r"main\.qmd:3: `tbl-cap` and a label"),
    ],
)
def test_what_is_not_supported_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HandinError, match=message):
        blocks(tmp_path, text)
