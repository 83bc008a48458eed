"""What a claim states must stand in the prose: a sentence that is deleted is noticed at its call."""

from __future__ import annotations

from pathlib import Path

import pytest
from good_project import Recipe

from handin.errors import HandinError
from handin.qmd.statements import require_statements

CHUNK = """
```{python}
claim(
    1 < 2,
    "three units predict better",
    a=1,
)
```
"""


def project_with(tmp_path: Path, prose: str, chunk: str = CHUNK) -> None:
    recipe = Recipe()
    text = recipe.sources["_quarto.yml"]
    recipe.sources["_quarto.yml"] = text.replace("handin:\n", "handin:\n  stated-by: claim\n")
    recipe.sources["sections/appendix.qmd"] = f"# Derivations\n{prose}\n{chunk}"
    require_statements(recipe.write(tmp_path))


@pytest.mark.parametrize(
    "prose",
    [
        "So three units predict better than two.",
        "Three units [see @bishop2006, p. 3] *predict*\nbetter.",
        "So `{python} word(3)` units predict better.",
        '`{python} where_known("three units predict better", known)`',
        '::: {.content-visible unless-meta="notebook"}\nthree units predict better\n:::',
        "![Three units predict better.](data/plot.svg){#fig-x}",
    ],
)
def test_words_are_found_in_the_prose(tmp_path: Path, prose: str) -> None:
    project_with(tmp_path, prose)


@pytest.mark.parametrize(
    "prose",
    [
        "Two units predict better.",
        "So twenty-three units predict betterment.",
        "Fortythree units predict better.",
        "<!-- three units predict better -->",
        "```\nthree units predict better\n```",
    ],
)
def test_words_that_are_gone_are_named_at_the_call(tmp_path: Path, prose: str) -> None:
    line = 7 + prose.count("\n")
    with pytest.raises(HandinError, match=rf"appendix\.qmd:{line}: .*three units predict better.*`claim`"):
        project_with(tmp_path, prose)


def test_only_the_named_call_states(tmp_path: Path) -> None:
    project_with(tmp_path, "", CHUNK.replace("claim(", "print("))


def test_words_are_required_beside_a_magic(tmp_path: Path) -> None:
    with pytest.raises(HandinError, match=r"appendix\.qmd:8: .*three units predict better"):
        project_with(tmp_path, "", CHUNK.replace("claim(", "%precision 3\nclaim("))


@pytest.mark.parametrize(
    "words", ['f"{word} units"', "words", 'sentence="three units"', '"three" + word', '"…"']
)
def test_a_call_without_literal_words_is_refused(tmp_path: Path, words: str) -> None:
    with pytest.raises(HandinError, match=r"appendix\.qmd:6: this `claim` states no words; write them"):
        project_with(tmp_path, "Three units.", f"\n```{{python}}\nx = 1\nclaim(x < 2, {words}, a=1)\n```\n")
