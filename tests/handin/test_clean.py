"""`handin clean --store` runs the solution's own command, as a render runs the solution."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from handin.cli import main
from handin.commands.clean import clean_store
from handin.errors import HandinError
from handin.project import Project, load_project

ROOT = Path(__file__).parents[2]


def with_command(tmp_path: Path, command: str | None) -> Project:
    """The project's settings with another command, in a folder of their own."""
    lines = (ROOT / "_quarto.yml").read_text(encoding="utf-8").splitlines()
    (place,) = (i for i, line in enumerate(lines) if line.startswith("  clean-store:"))
    lines[place : place + 1] = [] if command is None else [f"  clean-store: {command}"]
    (tmp_path / "_quarto.yml").write_text("\n".join(lines), encoding="utf-8")
    for document in ("report.qmd", "notebook.qmd"):
        (tmp_path / document).write_text("", encoding="utf-8")
    (tmp_path / "_environment").write_text("PYTHONPATH=code\n", encoding="utf-8")
    return load_project(tmp_path)


def test_the_command_runs_in_the_folder_with_the_project_s_code(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "cleaner.py").write_text("from pathlib import Path\nPath('cleaned').touch()\n")
    clean_store(with_command(tmp_path, "python -m cleaner"))
    assert (tmp_path / "cleaned").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (None, "there is no `clean-store` under `handin:`"),
        ("python -c 'raise SystemExit(3)'", "failed .*status 3"),
        ("no-such-program", "failed .*No such file"),
    ],
)
def test_what_cannot_run_is_named(tmp_path: Path, command: str | None, message: str) -> None:
    with pytest.raises(HandinError, match=message):
        clean_store(with_command(tmp_path, command))


def test_the_store_of_this_project_is_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FNN_STORE", str(tmp_path))
    (tmp_path / "old.safetensors").write_text("not an entry")
    result = CliRunner().invoke(main, ["clean", "--store"])
    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir()) == []
    assert (
        "1 entries (0.0 MB) that the present sources cannot reach, removed; 0 stay" in capfd.readouterr().out
    )


def test_memory_and_documents_are_removed_each_by_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_command(tmp_path, None)
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
