"""Fingerprints name what changed, survive in documents, and cost no reproducibility."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from good_project import REPORT, SOURCES, Recipe

from handin.files import fingerprint
from handin.files.fingerprint import Fingerprint
from handin.reading import pdf


def test_it_names_what_changed() -> None:
    before = Fingerprint({"a": "1", "b": "2", "c": "3"}, {"torch": "2.13.0"})
    now = Fingerprint({"a": "1", "b": "9", "d": "4"}, {"torch": "2.14.0"})
    assert before.changes(now) == ["b changed", "c is gone", "d is new", "torch was 2.13.0, is 2.14.0"]
    assert before.changes(before) == []
    assert before.digest != now.digest


def test_versions_count_only_where_both_know_them() -> None:
    assert Fingerprint({}, {"torch": "1"}).changes(Fingerprint({}, {})) == []


def test_a_pdf_carries_it_and_stays_the_same_otherwise() -> None:
    plain = Recipe().pdf(REPORT)
    held = Fingerprint({"sections/ü.qmd": "0f"}, {"torch": "2.13.0"})
    marked = fingerprint.embed_pdf(plain, held)
    assert marked.startswith(plain)
    assert marked == fingerprint.embed_pdf(plain, held)
    content = pdf.read(marked)
    assert fingerprint.from_pdf(content.info) == held
    assert content.pages == pdf.read(plain).pages


def test_a_notebook_carries_it() -> None:
    held = Fingerprint({"a": "1"}, {"python": "3.11"})
    notebook = {"metadata": {"kernelspec": {}}, "cells": []}
    fingerprint.embed_notebook(notebook, held)
    assert fingerprint.from_notebook(notebook) == held


@pytest.mark.parametrize("held", ["", "{", "[]", '{"files": 1}', '{"files": {}, "versions": []}'])
def test_what_is_no_fingerprint_is_none(held: str) -> None:
    assert fingerprint.from_pdf({fingerprint.KEY: held}) is None


def test_it_covers_sources_data_and_templates_of_the_project(tmp_path: Path) -> None:
    found = fingerprint.of(Recipe().write(tmp_path))
    left_out = {"README.md", "pyproject.toml", "tests/test_model.py"}
    assert set(found.files) == set(SOURCES) - left_out
    assert {"python", "torch", "scipy"} == set(found.versions)
    assert "+" not in found.versions["torch"]


def test_of_the_tool_it_covers_what_rendering_imports_and_no_more() -> None:
    tool = Path(fingerprint.__file__).parents[1]
    files = {
        f"code/handin/{path.relative_to(tool).as_posix()}": path.read_bytes()
        for path in tool.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    found = {name.removeprefix("code/handin/") for name in fingerprint.read_by_a_build(files)}
    program = (
        "import sys, handin.render.builtin, handin.render.quarto, handin.render.collect\n"
        "for name, module in sys.modules.items():\n"
        "    if name.partition('.')[0] == 'handin':\n"
        "        print(module.__file__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tool.parent)}
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    loaded = {Path(line).relative_to(tool).as_posix() for line in told.stdout.splitlines()}
    assert loaded <= found
    assert {"project.py", "yaml_lines.py", "qmd/outline.py"} <= found
    assert not {name for name in found if name.startswith(("rules/", "commands/", "pack.py"))}
