"""`handin clean` removes what the build wrote, and nothing of the user's."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from handin.cli import main

ROOT = Path(__file__).parents[2]


def test_memory_and_documents_are_removed_each_by_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_quarto.yml", "_environment"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for document in ("report.qmd", "notebook.qmd"):
        (tmp_path / document).touch()
    monkeypatch.chdir(tmp_path)
    for name in ("_build/memory/0f/1e.json", "_output/report.pdf", "_store/a.safetensors", "report.typ"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert CliRunner().invoke(main, ["clean", "--memory"]).output == "removed _build/memory\n"
    assert (tmp_path / "_output/report.pdf").exists()
    assert CliRunner().invoke(main, ["clean"]).output.split("\n") == [
        "removed _output", "removed _build", "removed report.typ", ""
    ]  # fmt: skip
    assert (tmp_path / "_store/a.safetensors").exists()
