"""`handin check` and `pack` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from good_project import ZIP, Recipe

from handin.cli import main
from handin.rules import RULES


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--project", str(folder), *words])


def test_a_good_project_passes_every_rule(tmp_path: Path) -> None:
    Recipe().write(tmp_path)
    result = run(tmp_path, "check", "--format", "json")
    said = json.loads(result.output)
    assert result.exit_code == 0
    assert said["ok"] is True
    assert [finding["rule"] for finding in said["findings"]] == list(RULES)
    assert {finding["status"] for finding in said["findings"]} == {"pass"}


def test_the_table_names_rule_place_and_remedy(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.sources["code/net/model.py"] += "\nimport numpy\n"
    recipe.write(tmp_path)
    result = run(tmp_path, "check")
    assert result.exit_code == 1
    for words in ("banned-modules", "code/net/model.py:29", "→ do without numpy", "17 passed, 1 failed"):
        assert words in result.output


def test_pack_says_where_the_zip_is(tmp_path: Path) -> None:
    Recipe().write(tmp_path)
    result = run(tmp_path, "pack")
    assert result.exit_code == 0
    assert f"_output/{ZIP}" in result.output


def test_pack_refuses_with_the_list_of_failures(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.sources["_quarto.yml"] = recipe.sources["_quarto.yml"].replace("login: mmuster", "login: alovelac")
    recipe.write(tmp_path)
    result = run(tmp_path, "pack")
    assert result.exit_code == 1
    assert "`alovelac` is the example's login" in result.output
    assert "not packed" in result.output
    assert list(tmp_path.rglob("*.zip")) == []


def test_an_unrendered_project_is_told_to_render(tmp_path: Path) -> None:
    Recipe().write(tmp_path)
    for path in (tmp_path / "_output").iterdir():
        path.unlink()
    result = run(tmp_path, "check")
    assert result.exit_code == 1
    assert "there is no PDF report" in result.output
    assert "handin render" in result.output


def test_the_rules_can_be_listed(tmp_path: Path) -> None:
    result = run(tmp_path, "check", "--list-rules")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == list(RULES)


def test_budgets_and_optional_tasks_are_of_the_tasks(tmp_path: Path) -> None:
    recipe = Recipe()
    (root := tmp_path / "p").mkdir()
    text = recipe.sources["_quarto.yml"].replace("optional-tasks: [2c]", "optional-tasks: [9z]")
    (root / "_quarto.yml").write_text(text)
    result = run(root, "check")
    assert result.exit_code == 1
    assert "_quarto.yml:16" in result.output
    assert "`9z` is not one of the tasks" in result.output


@pytest.mark.parametrize("name", RULES)
def test_a_rule_explains_itself(tmp_path: Path, name: str) -> None:
    result = run(tmp_path, "rule", name)
    assert result.exit_code == 0
    title, _, asks, _, *rest = result.output.splitlines()
    assert title == name
    assert asks.endswith(".")
    marks = [
        line.partition(":")[0] for line in rest if line.startswith(("Why:", "Certain:", "Fails:", "Passes:"))
    ]
    assert marks in (["Why", "Certain", "Fails", "Passes"], ["Why", "Fails", "Passes"])
    assert 'Why: "' in result.output or "Why: good practice, because " in result.output


def test_an_unknown_rule_is_answered_by_a_near_one(tmp_path: Path) -> None:
    result = run(tmp_path, "rule", "mention")
    assert result.exit_code == 1
    assert "did you mean `mentions`?" in result.output


def test_findings_of_a_rule_in_a_file_are_one_row(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.sources["code/net/model.py"] += "\nimport numpy\n" * 20
    recipe.write(tmp_path)
    assert run(tmp_path, "check").output.count("banned-modules") == 1
    assert "and 19 more" in run(tmp_path, "check").output
    assert run(tmp_path, "check", "--verbose").output.count("banned-modules") == 20


def test_a_mistyped_command_is_answered_by_a_near_one(tmp_path: Path) -> None:
    result = run(tmp_path, "rendr")
    assert result.exit_code == 2
    assert "there is no command `rendr`; did you mean `render`?" in result.output
