"""The code is there in its original format, and nothing that it or a document needs is missing."""

from __future__ import annotations

import ast
import posixpath
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from handin.errors import HandinError
from handin.qmd.chunks import read_blocks
from handin.qmd.source import on_disk, read_source
from handin.reading.python_code import PythonSource, module_parts
from handin.reading.submission import NOTEBOOK, REPORT, Submission
from handin.rules.finding import Finding, failed, passed
from handin.yaml_lines import Key, Located

CODE = "code"
LONGEST_PATH = 250  # characters
# Settings, by their keys, that name files.
_NAMES_FILES = re.compile(
    r"(project/render|dataset/(train|test)|bibliography|csl|(.*/)?template-partials)(/\d+)?"
)


def code(submission: Submission) -> list[Finding]:
    """All code is handed in as it is, with every file and package that it or a document names.

    Why: "All the code that you created and used in its original format."
    Fails: `from net import model` and no code/net/model.py; `import seaborn`, which pyproject.toml does not
    name; a picture that would not be packed.
    Passes: code/net/model.py, the section that calls it, and data/train.csv that `_quarto.yml` names.
    """
    found = [
        failed(
            CODE,
            "no plain file, so it cannot be packed",
            ascii(name)[1:-1],
            "replace it by a file, or rename it",
        )
        for name in submission.unfit
    ]
    found += [*_missing_files(submission), *_missing_modules(submission)]
    if found:
        return found
    lines = sum(len(unit.code.splitlines()) for unit in submission.python)
    files = len({unit.file for unit in submission.python})
    return [passed(CODE, f"{files} files with code, {lines} lines")]


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
        yield failed(CODE, error.problem, str(error.place), error.remedy or "mend it")
    for outline in filter(None, map(submission.outline, (REPORT, NOTEBOOK))):
        needed += [(file, file) for file in outline.files]
        needed += [(picture.file, picture.place) for picture in outline.pictures if ":" not in picture.file]
    for name, place in needed:
        if name not in submission.files and name not in told:
            told.add(name)
            if (project.root / name).is_file():
                remedy = "put it into a folder of the project that is packed (see `handin: left-out`)"
                yield failed(CODE, f"`{name}` would not be packed", place, remedy)
            else:
                remedy = "put it back; without it nobody can rebuild the documents"
                yield failed(CODE, f"`{name}` is missing", place, remedy)


def _named(root: Path, settings: Located) -> Iterator[tuple[str, str]]:
    """Name and place of the files that settings name: by their key, or because there is such a file."""
    for key, text in _texts(settings.data):
        is_file = len(text) < LONGEST_PATH and key[0] not in ("handin", "author") and (root / text).is_file()
        if is_file or (_NAMES_FILES.fullmatch("/".join(map(str, key))) and "://" not in text):
            yield posixpath.normpath(text), str(settings.place(key))


def _texts(value: Any, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Every text in some settings, with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list | dict):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*key, name))


def _missing_modules(submission: Submission) -> Iterator[Finding]:
    """Imports that lead to no file of the hand-in, no part of Python and no declared package."""
    own = _own_modules(submission)
    packages = {name.partition("/")[0] for name in own}
    declared = _declared(submission.files.get("pyproject.toml", b""))
    held = _packages_of_modules()
    seen: set[str] = set()
    for unit in submission.python:
        if unit.tree is None or unit.file.startswith(("tests/", "benchmarks/")):
            continue
        for module, line in _imported(unit):
            top = module.partition("/")[0]
            if module in seen or module in own:
                continue
            seen |= {module}
            if top in packages and "/" in module:
                message = f"`{module.replace('/', '.')}` is imported and missing"
                yield failed(CODE, message, unit.place(line), "add its file")
            elif top not in packages | sys.stdlib_module_names and top not in seen - {module}:
                seen.add(top)
                if not declared & {_normal(name) for name in held.get(top, ())}:
                    message = f"`{top}` is imported; it is neither here nor a declared package"
                    remedy = "add its file, or declare it in pyproject.toml"
                    yield failed(CODE, message, unit.place(line), remedy)


@cache
def _packages_of_modules() -> Mapping[str, list[str]]:
    """Name of an installed module → the packages that hold it."""
    return metadata.packages_distributions()


@cache
def _declared(pyproject: bytes) -> set[str]:
    """The packages that `pyproject.toml` depends on, and all that come with them."""
    found: set[str] = set()
    try:
        listed = tomllib.loads(pyproject.decode()).get("project", {}).get("dependencies", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        listed = []
    waiting = [re.split(r"[^\w.-]", one)[0] for one in listed]
    while waiting:
        name = _normal(waiting.pop())
        if name not in found:
            found.add(name)
            try:
                needed = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue
            waiting += [re.split(r"[^\w.-]", one)[0] for one in needed if "extra ==" not in one]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(unit: PythonSource) -> Iterator[tuple[str, int]]:
    """Modules that a unit cannot do without, as paths: `fnn/models`.

    A name of a package may be a module or not; what is imported in a `try` may be missing.
    """
    assert unit.tree is not None
    folder = PurePosixPath(unit.file).parent.parts
    tried = [node for block in ast.walk(unit.tree) if isinstance(block, ast.Try) for node in block.body]
    optional = {id(node) for statement in tried for node in ast.walk(statement)}
    for node in ast.walk(unit.tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.replace(".", "/"), node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) + 1 - node.level] if node.level else ()
            if base := "/".join([*above, *(node.module.split(".") if node.module else ())]):
                yield base, node.lineno


def _own_modules(submission: Submission) -> set[str]:
    """The hand-in's modules and packages as paths from whatever folder they are imported from."""
    parts = [module_parts(path) for path in submission.files if path.endswith(".py")]
    return {
        "/".join(path[start:end])
        for path in parts
        for start in range(len(path))
        for end in range(start + 1, len(path) + 1)
    }
