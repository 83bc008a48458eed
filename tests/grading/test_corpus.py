"""Reports set with other people's tools, judged by what is known of them: see corpus/README.md."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from handin.project import Handin
from handin.rules import RULES, Finding, Status, Submission
from handin.rules.citations import CITATIONS, CROSS_REFERENCES
from handin.rules.floats import CAPTIONS, MENTIONS
from handin.rules.identity import IDENTITY
from handin.rules.report import PAGES, REPORT
from handin.rules.sections import SECTIONS

CORPUS = Path(__file__).parent / "corpus"
ASKED = (REPORT, PAGES, IDENTITY, SECTIONS, CAPTIONS, MENTIONS, CITATIONS, CROSS_REFERENCES)
COURSE = Handin(
    course="Deep Learning",
    assignment=1,
    archive="dl24-{assignment}-{login}.zip",
    page_limit=10,
    tasks=("1", "1a", "1b", "2", "2a", "2b"),
)
with (CORPUS / "truths.csv").open(encoding="utf-8") as _file:
    TRUTHS = {row["document"]: row for row in csv.DictReader(_file)}
WELL_FORMED = [name for name, row in TRUTHS.items() if not row["fault"]]
FAULTY = [name for name, row in TRUTHS.items() if row["fault"]]


@cache
def submission(name: str) -> Submission:
    files = {f"{name}.pdf": (CORPUS / f"{name}.pdf").read_bytes(), "mlp.py": b"import torch\n"}
    return Submission("dl24-1-mmuster.zip", files, COURSE)


@cache
def answers(name: str) -> dict[str, list[Finding]]:
    return {rule: RULES[rule](submission(name)) for rule in RULES}


def worst(name: str, rule: str) -> Status:
    found = [finding.status for finding in answers(name)[rule]]
    return next((one for one in (Status.FAIL, Status.CANNOT_TELL) if one in found), Status.PASS)


def test_the_corpus_is_complete() -> None:
    assert set(TRUTHS) == {path.stem for path in CORPUS.glob("*.pdf")}
    assert len(WELL_FORMED) >= 30
    assert len(FAULTY) >= 12


@pytest.mark.parametrize("name", TRUTHS)
def test_no_rule_fails_what_is_right(name: str) -> None:
    broken = {TRUTHS[name]["fault"], *TRUTHS[name]["also"].split()}
    failed = [f for rule, found in answers(name).items() for f in found if f.status is Status.FAIL]
    assert [finding for finding in failed if finding.rule not in broken] == []


def test_most_of_what_is_right_passes() -> None:
    rows = [(name, rule) for name in WELL_FORMED for rule in ASKED]
    passed = [worst(name, rule) is Status.PASS for name, rule in rows]
    assert sum(passed) >= 0.8 * len(rows)


def test_most_faults_are_found_and_the_others_doubted() -> None:
    found = {name: worst(name, TRUTHS[name]["fault"]) for name in FAULTY}
    assert [name for name, status in found.items() if status is Status.PASS] == []
    assert sum(status is Status.FAIL for status in found.values()) >= 8


@pytest.mark.parametrize("name", [name for name in WELL_FORMED if name != "scanned"])
def test_figures_and_tables_are_counted(name: str) -> None:
    report = submission(name).report
    assert report is not None
    assert report.layout is not None
    kinds = [caption.kind for caption in report.layout.captions]
    assert kinds.count("Figure") == int(TRUTHS[name]["figures"])
    assert kinds.count("Table") == int(TRUTHS[name]["tables"])
