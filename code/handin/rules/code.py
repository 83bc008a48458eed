"""The code is there in its original format, and nothing that it or a document needs is missing."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from handin.errors import HandinError
from handin.qmd.chunks import read_blocks
from handin.qmd.source import on_disk, read_source
from handin.reading.python_code import PythonSource, module_names
from handin.reading.submission import Submission
from handin.rules.finding import Finding, failed, passed
from handin.yaml_lines import Key, Located

_holders = cache(metadata.packages_distributions)  # name of an installed module → packages that hold it


def code(submission: Submission) -> list[Finding]:
    """All code is handed in as it is, with every file and package that it or a document names.

    Why: "All the code that you created and used in its original format."
    Fails: `from net import model` and no code/net/model.py; `import seaborn`, which pyproject.toml does not
    name; a picture that would not be packed, or `open("docs/extra.csv")`, in code with the whole name.
    Passes: code/net/model.py, the section that calls it, and data/train.csv that `_quarto.yml` names.
    """
    found = [
        failed(
            "no plain file, so it cannot be packed", ascii(name)[1:-1], "replace it by a file, or rename it"
        )
        for name in submission.unfit
    ]
    found += [*_missing_files(submission), *_missing_modules(submission)]
    if found:
        return found
    lines = sum(len(unit.code.splitlines()) for unit in submission.python)
    files = len({unit.file for unit in submission.python})
    return [passed(f"{files} files with code, {lines} lines")]


def _missing_files(submission: Submission) -> Iterator[Finding]:
    """Files that settings or documents name and the ZIP would not hold, and documents that cannot be read."""
    project = submission.project
    told: set[str] = set()
    try:
        needed = [*_named(project.root, project.source)]
        for document in project.documents:
            source = read_source(on_disk(project.root), document)
            read_blocks(source)
            needed += _named(project.root, source.front_matter)
    except HandinError as error:
        yield failed(error.problem, str(error.place), error.remedy or "mend it")
    for outline in filter(None, submission.outlines.values()):
        needed += [(file, file) for file in outline.files]
        needed += [(picture.file, picture.place) for picture in outline.pictures if ":" not in picture.file]
    for unit, _ in submission.solution:
        for node in ast.walk(unit.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = posixpath.normpath(node.value)
                if not project.handin.is_handed_in(name) and posixpath.isfile(project.root / name):
                    needed.append((name, unit.place(node.lineno)))
    for name, place in needed:
        if name in submission.files or name in told:
            continue
        told.add(name)
        if (project.root / name).is_file():
            remedy = "put it into a folder of the project that is packed (see `handin: left-out`)"
            yield failed(f"`{name}` would not be packed", place, remedy)
        else:
            yield failed(f"`{name}` is missing", place, "put it back, or mend the path")


def _named(root: Path, settings: Located) -> Iterator[tuple[str, str]]:
    """Name and place of the files that settings name."""
    for key, text in _texts(settings.data):
        if key[0] not in ("handin", "author") and posixpath.isfile(root / text):
            yield posixpath.normpath(text), str(settings.place(key))


def _texts(value: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Every text in some settings, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list | dict):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*key, name))


def _missing_modules(submission: Submission) -> Iterator[Finding]:
    """Imports of the solution that lead to no file of the hand-in, no part of Python, no declared package."""
    own = module_names(submission.files)
    banned = submission.project.handin.banned_modules  # the rule about them fails
    known = {name.partition(".")[0] for name in (*own, *banned)} | sys.stdlib_module_names
    declared = _declared(submission.files.get("pyproject.toml", b""))
    for unit, _ in submission.solution:
        for module, line in _imported(unit):
            top, _, below = module.partition(".")
            if below and top in own and module not in own:
                yield failed(f"`{module}` is imported and missing", unit.place(line), "add its file")
            elif top not in known and declared.isdisjoint(map(_normal, _holders().get(top, [top]))):
                message = f"`{top}` is imported; it is neither here nor a declared package"
                yield failed(message, unit.place(line), "add its file, or declare it in pyproject.toml")


def _declared(pyproject: bytes) -> set[str]:
    """The packages that `pyproject.toml` depends on."""
    try:
        listed = tomllib.loads(pyproject.decode()).get("project", {}).get("dependencies", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        listed = []
    return {_normal(re.split(r"[^\w.-]", one)[0]) for one in listed}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(unit: PythonSource) -> Iterator[tuple[str, int]]:
    """Modules that a unit cannot do without: what is imported in a `try` may be missing."""
    folder = PurePosixPath(unit.file).parent.parts
    tried = [node for block in ast.walk(unit.tree) if isinstance(block, ast.Try) for node in block.body]
    optional = {id(node) for statement in tried for node in ast.walk(statement)}
    for node in ast.walk(unit.tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) + 1 - node.level] if node.level else ()
            yield ".".join([*above, *filter(None, [node.module])]), node.lineno
