"""`handin check ZIP`: the teacher's tool reads what others made, and the packed project passes as it did."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from good_project import ZIP, Recipe

from handin.cli import main


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--project", str(folder), *words])


def test_the_zip_of_a_good_project_passes(tmp_path: Path) -> None:
    Recipe().write(tmp_path)
    assert run(tmp_path, "pack").exit_code == 0
    result = run(tmp_path, "check", str(tmp_path / "_output" / ZIP), "--format", "json")
    assert result.exit_code == 0
    said = json.loads(result.output)["findings"]
    assert said[0]["rule"] == "intake"
    assert {finding["status"] for finding in said} == {"pass"}


def test_a_zip_that_is_none_fails_calmly(tmp_path: Path) -> None:
    Recipe().write(tmp_path)
    (tmp_path / "fake.zip").write_text("not a ZIP")
    result = run(tmp_path, "check", str(tmp_path / "fake.zip"))
    assert result.exit_code == 1
    assert "intake" in result.output
