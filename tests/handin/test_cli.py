"""What is said of a command line that cannot be: one message with a remedy, status 1 or 2, no trace."""

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from handin.cli import main

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("chek", "Did you mean 'check'"),
        ("render absent", r"_quarto\.yml: there is no document `absent`; documents are report\.qmd"),
        ("render reprt", r"did you mean `report\.qmd`\?"),
        ("render --nonsense", "No such option"),
        ("render --to html --renderer builtin", r"Quarto makes the web pages.*quarto\.org"),
        ("preview absent --no-browser", "there is no document `absent`"),
        ("rehearse absent.zip", r"absent\.zip: cannot be read"),
        ("init .", "there is something already"),
        ("--project /absent render", "does not exist"),
        ("--project / render", r"no _quarto\.yml in this folder or above it; run the command inside"),
    ],
)
def test_what_cannot_be_is_said(monkeypatch: pytest.MonkeyPatch, words: str, says: str) -> None:
    monkeypatch.chdir(HERE / "project")
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code in (1, 2)
    assert re.search(says, " ".join(result.output.split())), result.output
    assert isinstance(result.exception, SystemExit)


def test_check_says_the_same_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(HERE / "project", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    said = json.loads(CliRunner().invoke(main, ["check", "--format", "json"]).output)
    assert not said["ok"]
    shown = CliRunner().invoke(main, ["check"])
    assert shown.exit_code == 1
    failed = {line.split()[1] for line in shown.output.splitlines() if line.startswith("fail")}
    assert failed == {finding["rule"] for finding in said["findings"] if finding["status"] == "fail"}
