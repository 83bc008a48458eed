"""`handin check` and `handin pack` at the command line."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

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
    recipe.sources["code/net/model.py"] += "\nimport numpy\n" * 20
    recipe.write(tmp_path)
    result = run(tmp_path, "check")
    assert result.exit_code == 1
    for words in ("code/net/model.py:29", "→ do without numpy", "and 19 more", "rules: 1 broken"):
        assert words in result.output
    assert run(tmp_path, "check", "--format", "json").output.count("the solution must not use numpy") == 20


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
    assert list(tmp_path.rglob("*.zip")) == []


def test_pack_builds_nothing_that_it_would_refuse(tmp_path: Path) -> None:
    recipe = Recipe()
    recipe.sources["code/net/model.py"] += "\nimport numpy\n"
    afterwards = {"sections/appendix.qmd": b"# Derivations {#sec-derivations}\n\nOther words.\n"}
    recipe.after.append(lambda files: files.update(afterwards))
    recipe.write(tmp_path)
    result = run(tmp_path, "pack")
    assert result.exit_code == 1
    assert "the solution must not use numpy" in result.output
    assert "Run" not in result.output


def test_every_rule_explains_itself(tmp_path: Path) -> None:
    told = run(tmp_path, "check", "--explain").output
    for name, rule in RULES.items():
        assert f"{name}\n{inspect.getdoc(rule)}\n" in told
        marks = re.findall(r"^(Why|Certain|Fails|Passes): ", inspect.getdoc(rule) or "", re.MULTILINE)
        assert [mark for mark in marks if mark != "Certain"] == ["Why", "Fails", "Passes"]
