"""The code is there in its original format, and nothing that it needs is missing."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from handin.errors import HandinError, Place
from handin.files.fingerprint import dependencies
from handin.files.inventory import named
from handin.project import CONFIG
from handin.qmd.chunks import read_blocks
from handin.qmd.source import read_source
from handin.reading.python_code import Unit, module_parts
from handin.reading.submission import Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

CODE = "code"

# Names under which declared packages are imported, where they differ; and what comes with any of them.
_IMPORT_NAMES = {"pyyaml": "yaml", "pypandoc-binary": "pypandoc", "scikit-learn": "sklearn", "pillow": "PIL"}
_COMMON = frozenset(
    {"torch", "torchvision", "scipy", "numpy", "matplotlib", "mpl_toolkits", "pylab", "pandas", "seaborn"}
    | {"sklearn", "IPython", "ipywidgets", "jupyter", "tqdm", "plotly", "sympy", "networkx", "PIL", "pytest"}
)


def code(submission: Submission) -> list[Finding]:
    """Python files or notebooks are there, and so is every file that they or the documents name.

    Why: "All the code that you created and used in its original format."
    Certain: a hand-in without Python, a module of its own package that is imported and missing; what else
    somebody's code imports may be installed where it runs.
    Fails: `from net import model` and no code/net/model.py.
    Passes: code/net/model.py, the notebook that calls it, and data/train.csv that `_quarto.yml` names.
    """
    kinds = {".py", ".ipynb", ".qmd"}
    files = [path for path in submission.files if PurePosixPath(path).suffix.lower() in kinds]
    if not files:
        return [failed(CODE, "there is no code", remedy="add the .py and .ipynb files as they are")]
    found = [failed(CODE, fault.problem, fault.place, fault.remedy) for fault in submission.faults]
    found += _missing_files(submission) if submission.is_project else []
    found += _missing_modules(submission)
    if found:
        return found
    scripts = [path for path in files if not path.lower().endswith(".ipynb")]
    if not scripts and not any(unit.code.strip() for unit in submission.python):
        return [failed(CODE, "the notebooks hold no code", remedy="add the code in its original format")]
    lines = sum(sum(bool(line.strip()) for line in unit.code.splitlines()) for unit in submission.python)
    return [passed(CODE, f"{len(files)} files of code, {lines} lines")]


def _missing_files(submission: Submission) -> Iterator[Finding]:
    """What `_quarto.yml` and the documents name: documents, includes, data, bibliography, templates."""
    remedy = "put it back; without it nobody can rebuild the documents"
    listed = [name for _, name in named(submission.config)]
    for name in listed:
        if name not in submission.files:
            yield failed(CODE, f"`{name}` is missing", _line(submission, name), remedy)
    for name in listed:
        if name.endswith(".qmd") and name in submission.files:
            try:
                read_blocks(read_source(submission.files.get, name))
            except HandinError as error:
                yield failed(CODE, error.problem, str(error.place or name), error.remedy or remedy)
                return  # the documents share their sections


def _line(submission: Submission, name: str) -> str:
    """Line of `_quarto.yml` that names a file."""
    lines = (submission.text(CONFIG) or "").splitlines()
    return str(Place(CONFIG, next((n for n, line in enumerate(lines, start=1) if name in line), None)))


def _missing_modules(submission: Submission) -> Iterator[Finding]:
    """Imports that lead to no file of the hand-in, no part of Python and no declared package."""
    own = _own_modules(submission)
    packages = {name.partition("/")[0] for name in own}
    pinned = re.findall(r"(?m)^([\w.-]+)==", submission.text("constraints.txt") or "")
    declared = [*dependencies(submission.files.get("pyproject.toml", b"")), *map(str.lower, pinned)]
    known = _COMMON | sys.stdlib_module_names | {_IMPORT_NAMES.get(n, n.replace("-", "_")) for n in declared}
    seen: set[str] = set()
    for unit in submission.python:
        if unit.tree is None or unit.file.startswith(("tests/", "benchmarks/")):
            continue
        for module, line in _imported(unit):
            top = module.partition("/")[0]
            if module in seen or module in own:
                continue
            seen.add(module)
            if top in packages and "/" in module:
                message = f"`{module.replace('/', '.')}` is imported and missing"
                yield failed(CODE, message, unit.place(line), "add its file")
            elif top not in packages and top not in known:
                say = failed if submission.is_project else cannot_tell
                declare = ", or declare it in pyproject.toml" if submission.is_project else ""
                message = f"`{top}` is imported; it is neither here nor a declared package"
                yield say(CODE, message, unit.place(line), f"add its file{declare}")
                seen.add(top)


def _imported(unit: Unit) -> Iterator[tuple[str, int]]:
    """Modules that a unit imports, as paths: `fnn/models`. A name of a package may be a module or not."""
    assert unit.tree is not None
    folder = PurePosixPath(unit.file).parent.parts
    for node in ast.walk(unit.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.replace(".", "/"), node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) + 1 - node.level] if node.level else ()
            if base := "/".join([*above, *(node.module.split(".") if node.module else ())]):
                yield base, node.lineno


def _own_modules(submission: Submission) -> set[str]:
    """The hand-in's modules and packages as paths from whatever folder they are imported from."""
    found: set[str] = set()
    for path in submission.files:
        if path.lower().endswith(".py"):
            parts = module_parts(path)
            for start in range(len(parts)):
                for end in range(start + 1, len(parts) + 1):
                    found.add("/".join(parts[start:end]))
    return found
