"""Which files of the project belong to a hand-in: everything needed to rebuild it, nothing else."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handin.project import CONFIG, Project

# What a hand-in consists of, at the top of the project; folders are taken whole, but for what follows.
FILES = (CONFIG, "_environment", "README.md", "LICENSE", "Makefile", "pyproject.toml", "constraints.txt")
FOLDERS = ("sections", "code", "templates", "data", "docs", "tests", "benchmarks")

# Never part of it: caches, environments, editors' files, what begins with a dot or (a scratch folder)
# an underscore, and what IPython makes beside a kernel's settings, in `profile_default`.
_IGNORED_FOLDER = re.compile(r"\.|_(?!_init)|.*\.egg-info$|(venv|env|node_modules|build|dist|htmlcov)$")
_IGNORED_FILE = re.compile(
    r"(?i)\..*|.*(~|#|\.(py[cod]|so|o|sw[a-p]|bak|orig|rej|tmp|log|zip|tar|gz|7z|rar|whl|pt|safetensors))$|"
    r"thumbs\.db$|desktop\.ini$"
)


@dataclass(frozen=True)
class Fault:
    """A file that belongs to the hand-in and cannot go into it."""

    place: str
    problem: str
    remedy: str


@dataclass(frozen=True)
class Inventory:
    """Path in the hand-in → file on disk, sorted; and what stands in the way."""

    files: dict[str, Path]
    faults: tuple[Fault, ...]


def sources(project: Project) -> Inventory:
    """The sources of the project: settings, documents, sections, code, data, templates, bibliography.

    Symbolic links are not followed, and nothing outside the project is taken: each is a fault.
    """
    files: dict[str, Path] = {}
    faults: list[Fault] = []
    for name in FILES:
        if os.path.lexists(project.root / name):
            _take(project.root, name, files, faults)
    for folder in FOLDERS:
        for name in _walk(project.root, folder, faults):
            _take(project.root, name, files, faults)
    for key, name in named(project.source.data):
        _take_named(project, key, name, files, faults)
    return Inventory({name: files[name] for name in sorted(files)}, tuple(faults))


def _walk(root: Path, folder: str, faults: list[Fault]) -> Iterator[str]:
    """Files below a folder, by name, without what is never part of a hand-in."""
    top = root / folder
    if top.is_symlink():
        faults.append(_link(folder))
        return
    if not top.is_dir():
        return
    with os.scandir(top) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not _IGNORED_FOLDER.match(entry.name) and not folder.endswith("/profile_default"):
                    yield from _walk(root, name, faults)
            elif not _IGNORED_FILE.match(entry.name):
                yield name


def _take(root: Path, name: str, files: dict[str, Path], faults: list[Fault]) -> None:
    path = root / name
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        faults.append(_link(name))
    elif not stat.S_ISREG(mode):
        faults.append(Fault(name, "it is no ordinary file", "remove it or replace it by a file"))
    elif not name.isprintable():
        faults.append(Fault(ascii(name), "its name holds control characters", "rename it"))
    else:
        files[name] = path


def named(settings: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Key and name of the files that `_quarto.yml` names: documents, data, references, style, templates.

    Args:
        settings: `_quarto.yml` as data; what is not as it should be names nothing.
    """
    formats = settings.get("format")
    kinds = formats if isinstance(formats, Mapping) else ()
    keys = [("project", "render"), ("dataset", "train"), ("dataset", "test"), ("bibliography",), ("csl",)]
    for key in (*keys, *(("format", kind, "template-partials") for kind in kinds)):
        held: Any = settings
        for part in key:
            held = held.get(part) if isinstance(held, Mapping) else None
        for name in held if isinstance(held, list) else [held]:
            if isinstance(name, str):
                yield key, name


def _take_named(
    project: Project, key: tuple[str, ...], name: str, files: dict[str, Path], faults: list[Fault]
) -> None:
    place = str(project.place(*key))
    path = project.root / name
    if not path.resolve().is_relative_to(project.root.resolve()):
        faults.append(
            Fault(place, f"`{name}` lies outside the project", "copy it into the project and name it there")
        )
    elif os.path.lexists(path):  # what is missing is found by the rule `code`, in a ZIP as well
        inside = Path(os.path.normpath(name)).as_posix()
        if inside not in files and not any(fault.place == inside for fault in faults):
            _take(project.root, inside, files, faults)


def _link(name: str) -> Fault:
    return Fault(
        name, "is a symbolic link, which never goes into a hand-in", "replace it by what it points to"
    )
