"""No rule fails to apply, whatever stands in a stranger's settings, notebooks, sources and manifest."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from good_project import COURSE, ZIP, Recipe

from handin.rules import RULES, Submission, apply

GOOD = Recipe(name=ZIP).build()
KEYS = [
    "author",
    "name",
    "login",
    "project",
    "render",
    "dataset",
    "train",
    "test",
    "bibliography",
    "format",
    "typst",
    "template-partials",
    "files",
    "cells",
    "cell_type",
    "source",
    "outputs",
    "data",
    "metadata",
    "handin",
    "image/svg+xml",
    "output_type",
    "execution_count",
    "versions",
]


def value(draw: random.Random, depth: int = 0) -> Any:
    """Anything that JSON and YAML can say, with keys that the rules look for."""
    kind = draw.randrange(9 if depth < 4 else 6)
    simple = (None, True, draw.randrange(-9, 10**6), "code", "#| label: fig-x\nimport numpy", ["error"], 1.5)
    if kind < 6:
        return simple[kind]
    if kind == 6:
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(KEYS): value(draw, depth + 1) for _ in range(draw.randrange(5))}


@pytest.mark.parametrize("seed", range(60))
def test_odd_values_are_read_over(seed: int) -> None:
    draw = random.Random(seed)
    files = dict(GOOD.files)
    for name in ("report.pdf", "notebook.pdf"):
        if draw.random() < 0.9:  # without them a case costs a hundredth
            del files[name]
    wrapped = {"cells": value(draw), "metadata": value(draw)} if draw.random() < 0.7 else value(draw)
    if draw.random() < 0.5:
        wrapped = {"cells": [{"cell_type": "code", draw.choice(KEYS): value(draw)} for _ in range(3)]}
    files["notebook.ipynb"] = json.dumps(wrapped).encode()
    files["manifest.json"] = json.dumps({"files": value(draw)}).encode()
    files["_quarto.yml"] = json.dumps({key: value(draw) for key in KEYS[:10]}).encode()  # YAML too
    found = {finding.rule for finding in apply(Submission(ZIP, files, COURSE))}
    assert found == set(RULES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"\0" * 100,
        b"[" * 100_000,
        b"&a [*a]",
        b"? !!python/object:os.system x",
        "é".encode("latin-1"),
    ],
)
@pytest.mark.parametrize(
    "name",
    [
        "_quarto.yml",
        "notebook.ipynb",
        "manifest.json",
        "report.qmd",
        "references.bib",
        "code/a.py",
        "pyproject.toml",
    ],
)
def test_odd_bytes_are_read_over(name: str, data: bytes) -> None:
    files = {k: v for k, v in GOOD.files.items() if not k.endswith(".pdf")} | {name: data}
    assert {finding.rule for finding in apply(Submission(ZIP, files, COURSE))} == set(RULES)


def test_sources_that_include_themselves_end() -> None:
    files = {"_quarto.yml": b"", "report.qmd": b"{{< include report.qmd >}}\n{{< include a.qmd >}}\n"}
    files |= {f"{a}.qmd": f"{{{{< include {b}.qmd >}}}}\n".encode() * 30 for a, b in ("ab", "bc", "cd", "da")}
    apply(Submission("folder", files, COURSE))
