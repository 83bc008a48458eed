"""Fingerprints name what changed, survive in documents, and cost no reproducibility."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
import typst
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


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """A PDF/A-2b with a fingerprint of many files in it."""
    source = tmp_path / "a.typ"
    source.write_text('#set document(title: "Ünits", author: "Ada")\n= Heading\nWords $x^2$.')
    made = typst.compile(str(source), pdf_standards=["a-2b"], timestamp=0)
    held = Fingerprint({f"sections/{number}-ü(.qmd": "0f" * 8 for number in range(200)}, {"torch": "2.13.0"})
    marked = fingerprint.embed_pdf(made, held)
    assert fingerprint.from_pdf(pdf.read(marked).info) == held
    path = tmp_path / "a.pdf"
    path.write_bytes(marked)
    return path


def test_it_leaves_a_pdf_a_one(archived: Path) -> None:
    """ISO 19005-2, 6.1.2 to 6.1.13 and 6.6.2, as far as an update can break them."""
    data = archived.read_bytes()
    assert data.endswith(b"%%EOF\n")
    assert not re.search(rb"[^\r\n](?:endobj|(?<!start)xref|trailer|startxref|%%EOF)[\r\n]", data)
    assert not re.search(rb"[^\r\n\d]\d+ 0 obj|\d 0 obj[^\r\n]", data)
    reader = pypdf.PdfReader(io.BytesIO(data), strict=True)
    assert len(reader.trailer["/ID"]) == 2
    assert all(len(str(value)) <= 32767 for value in (reader.metadata or {}).values())
    xmp = reader.xmp_metadata
    assert xmp is not None
    assert (xmp.pdfaid_part, xmp.pdfaid_conformance) == ("2", "B")
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == (xmp.dc_title["x-default"], *xmp.dc_creator)


@pytest.mark.skipif(shutil.which("qpdf") is None, reason="qpdf is not installed")
def test_another_reader_finds_no_fault_in_it(archived: Path) -> None:
    done = subprocess.run(["qpdf", "--check", str(archived)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


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
