"""Modules that `PYTHONPATH` puts before the installed ones of the same name: other code, other numbers."""

from __future__ import annotations

import importlib.machinery
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

OWN = Path(__file__).resolve().parents[1]  # the project's code, which may be installed as well


def shadows() -> Iterator[tuple[Path, str]]:
    """Where such a module is, and its name."""
    installed = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        folder = Path(entry)
        if not entry or folder.resolve() in {OWN, *installed}:
            continue
        for path in _modules(folder):
            name = path.name.partition(".")[0]
            if any(is_module(place, name) for place in installed):
                yield path, name


def is_module(folder: Path, name: str) -> bool:
    """Whether a folder has a package or a module of this name; a mere folder comes after those of others."""
    files = (folder / f"{name}{suffix}" for suffix in importlib.machinery.all_suffixes())
    return (folder / name / "__init__.py").is_file() or any(file.is_file() for file in files)


def _modules(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if is_module(folder, path.name.partition(".")[0]))
    except OSError:
        return []  # Python passes over it too
