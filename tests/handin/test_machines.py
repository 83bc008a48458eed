"""Machines and folders of all kinds: the same bytes, or a message and the old documents."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handin import starter
from handin.project import load_project
from handin.qmd.source import on_disk, read_source
from handin.render.builtin import Builder

ROOT = Path(__file__).parents[2]
RENDER = [sys.executable, "-m", "handin", "render", "--renderer", "builtin", "--no-memory"]
ASSIGNMENT = {
    "course": "Testing", "number": "2", "title": "Small Things", "tasks": "1 One; 1a Part; 2 Two",
    "author": "Grace Hopper <ghopper>", "archive": "{login}.zip", "ban": "numpy", "require": "",
    "package": "solution",
}  # fmt: skip


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "_output").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project, built; not to be written to."""
    folder = tmp_path_factory.mktemp("small") / "project"
    starter.create(folder, starter.filled(**ASSIGNMENT))
    Builder(load_project(folder)).render(["report.qmd", "notebook.qmd"])
    return folder


def render(folder: Path, command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "code"), **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_same_bytes_on_another_machine_in_another_folder(built: Path, tmp_path: Path) -> None:
    """Another language, clock, home, core, file mode, name with all signs; no fonts, no cache, no asserts."""
    folder = tmp_path / "Übung 3, “neu” & 'alt' $HOME \\b [c] {d} #e %f"
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns("_output", "_build"))
    machine = {
        "LC_ALL": "C", "HOME": "/proc/nowhere", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "17",
        "FONTCONFIG_FILE": "/dev/null", "MPLCONFIGDIR": "/proc/nowhere",
    }  # fmt: skip
    command = [RENDER[0], "-O", *RENDER[1:]]
    done = render(folder, ["sh", "-c", 'umask 077; exec taskset -c 0 "$@"', "sh", *command], **machine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs(folder) == outputs(built)


def test_a_checkout_with_crlf_is_read_alike(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "project")
    for name in ("report.qmd", "sections/1-one.qmd", "_quarto.yml"):
        path = tmp_path / "project" / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    project = load_project(tmp_path / "project")
    assert project.settings == load_project(built).settings
    ours, theirs = (read_source(on_disk(root), "report.qmd") for root in (project.root, built))
    assert ours.lines == theirs.lines


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="mounts take a superuser",
)
@pytest.mark.parametrize(
    "trouble",
    [
        "mount -t tmpfs -o size=20k none _output",
        'mount --bind "$PWD" . && mount -o remount,bind,ro "$PWD" && cd "$PWD"',
    ],
    ids=["the disk is full", "nothing can be written"],
)
def test_where_nothing_can_be_written_the_old_documents_stay(
    built: Path, tmp_path: Path, trouble: str
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    section = folder / "sections" / "1-one.qmd"
    section.write_text(section.read_text().replace("prose", "words"))
    before = outputs(folder)
    done = render(folder, ["unshare", "-m", "sh", "-c", f'{trouble}; exec "$@"', "sh", *RENDER])
    assert done.returncode == 1, done.stdout
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert outputs(folder) == before
