"""Fingerprints name what changed, survive in documents, and cost no reproducibility."""

from __future__ import annotations

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
