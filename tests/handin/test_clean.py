"""`handin clean` removes what builds wrote, and nothing of the user's."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from handin.cli import main
from handin.sources import put_in_place

ROOT = Path(__file__).parents[2]


def test_what_builds_wrote_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_quarto.yml", "_environment"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    for name in (
        "report.qmd",
        "notebook.qmd",
        "figures/mine.svg",
        "_output/mine.txt",
        "_store/a.safetensors",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    put_in_place(tmp_path, {tmp_path / name: b"ours" for name in ("_output/report.pdf", "figures/a.svg")}, {})
    (tmp_path / "figures/a.svg").write_text("edited by hand")
    monkeypatch.chdir(tmp_path)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert "removed _output/report.pdf\n" in CliRunner().invoke(main, ["clean"]).output
    gone = before - {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path).as_posix() for path in gone} == {
        "_output/report.pdf",
        "_build/built.json",
    }
