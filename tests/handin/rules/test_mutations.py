"""Every rule is broken by edits that break no other, and named with place and remedy; others break none."""

from __future__ import annotations

from pathlib import Path

import pytest
from good_project import Recipe
from mutations import HARMLESS, MUTATIONS, Edit, Mutation

from handin.rules import RULES, Status, apply


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_an_edit_breaks_one_rule(tmp_path: Path, mutation: Mutation) -> None:
    recipe = Recipe()
    mutation.edit(recipe)
    heard = (mutation.status, Status.FAIL)
    findings = [one for one in apply(recipe.submission(tmp_path)) if one.status in heard]
    assert {(finding.rule, finding.status) for finding in findings} == {(mutation.rule, mutation.status)}
    assert all(finding.remedy for finding in findings)
    assert any(mutation.place in f.place and mutation.remedy in f.remedy for f in findings), findings


@pytest.mark.parametrize("edit", HARMLESS, ids=lambda edit: edit.__name__)
def test_an_edit_breaks_no_rule(tmp_path: Path, edit: Edit) -> None:
    recipe = Recipe()
    edit(recipe)
    assert [one for one in apply(recipe.submission(tmp_path)) if one.status is not Status.PASS] == []


def test_every_rule_is_broken_by_some_edit() -> None:
    assert {mutation.rule for mutation in MUTATIONS} == set(RULES)
