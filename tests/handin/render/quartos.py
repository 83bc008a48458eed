"""Every Quarto on this machine: the one on the PATH, and those in the folders that QUARTO_DIRS names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import handin

PATH = os.environ.get("PATH", "")


def _found() -> dict[str, Path]:
    """Version → folder with the executable; QUARTO_DIRS names installations, or their `bin`."""
    folders = [Path(folder) for folder in os.environ.get("QUARTO_DIRS", "").split(os.pathsep) if folder]
    programs = [shutil.which("quarto"), *(shutil.which("quarto", path=f"{f / 'bin'}:{f}") for f in folders)]
    found = {}
    for program in filter(None, programs):
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[done.stdout.strip()] = Path(program).parent
    return found


QUARTOS = _found()
each_quarto = pytest.mark.parametrize(
    "quarto",
    sorted(QUARTOS)
    or [pytest.param("", marks=pytest.mark.skip(reason="no Quarto on the PATH or in QUARTO_DIRS"))],
)


def use(quarto: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one version of Quarto first on the PATH, and the tool into a project, as Quarto wants it there."""
    tool = Path(handin.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(tool, folder / "code" / "handin", ignore=ignored, dirs_exist_ok=True)
    monkeypatch.setenv("QUARTO_PYTHON", sys.executable)
    monkeypatch.setenv("PATH", f"{QUARTOS[quarto]}{os.pathsep}{PATH}")
