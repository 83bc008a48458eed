"""Answers from memory: which entry stands for a request, after all the requests before it.

A cell's key is a chain: the key of the cell before, with the states in which its dependencies were found, and
the request itself. So a key stands for everything executed before the cell and everything read by then; what
remains to be compared is what the cell itself reads. The chain begins with the circumstances: versions,
folders, variables, and the memory's own code.

The kernel asks here, and so does the built-in renderer: while every request is answered it needs no kernel.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from handin.memory.declared import NOTHING, Declared, declarations, forgets
from handin.memory.entries import FOLDER, Entries, Entry, digest
from handin.memory.observe import INSTALLED, SUFFIXES, UNWATCHED, packages, state

FORMAT = 1
SWITCH = "HANDIN_MEMORY"  # the variable that says 1 where memory works
ALWAYS = {"SEED", "PLAN", "DRAFT", "FNN_STORE"}  # variables in every key, beside those of `_environment`
# And those that Python, C and the libraries of numbers read where nobody sees it.
PREFIXES = re.compile(r"PYTHON|LC_|LANG|TZ$|OMP_|MKL_|OPENBLAS_|KMP_|MPL|TORCH|ATEN_|NUMEXPR_")


@dataclass(frozen=True)
class Request:
    """What a front end asks a kernel to execute."""

    code: str
    silent: bool = False
    store_history: bool = True
    user_expressions: dict[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> list[str]:
        """All the code in it."""
        return [self.code, *self.user_expressions.values()]


class Recall:
    """What a kernel that has been asked nothing yet would answer.

    Args:
        root: The project's folder.
        folder: Where the kernel runs.
        environment: The kernel's variables.
        report: Takes a line about what is wrong with an entry.
    """

    def __init__(
        self, root: Path, folder: Path, environment: Mapping[str, str], report: Callable[[str], None]
    ) -> None:
        self.entries = Entries(root / FOLDER, report)
        self._environment = dict(environment)
        self._first = self._chain = digest(_circumstances(root, folder, environment))
        self._declared = declarations(root)

    def declared(self, request: Request) -> Declared:
        """What the chunk of a request says about itself."""
        said = self._declared.get(request.code.strip(), NOTHING)
        return Declared(said.forget or forgets(request.code), said.depends)

    def key(self, request: Request) -> str:
        """The key of a request that comes next."""
        return digest([self._chain, *astuple(request), self.declared(request).depends])

    def find(self, request: Request) -> Entry | None:
        """The entry that answers a request that comes next; None if it has to be executed."""
        if self.declared(request).forget:
            return None
        states: dict[tuple[str, ...], str] = {}  # each looked at once, and again for the next request

        def holds(dependency: list[str]) -> bool:
            what = tuple(dependency[:-1])
            if what not in states:
                states[what] = state(what, self._environment)
            return states[what] == dependency[-1]

        return self.entries.find(self.key(request), holds)

    def follow(self, request: Request, entry: Entry) -> None:
        """Go on behind a request that has this entry."""
        self._chain = digest([self.key(request), entry.trace])

    def forget(self, answered: Iterable[tuple[Request, Entry]]) -> None:
        """Remove the entries of the first requests: they have turned out wrong."""
        self.restart()
        for request, entry in answered:
            self.entries.forget(self.key(request), entry)
            self.follow(request, entry)

    def restart(self) -> None:
        """Go back to before the first request."""
        self._chain = self._first


def project_root() -> Path | None:
    """The project's folder: the working directory or one above it."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "_quarto.yml").is_file()), None)


def _circumstances(root: Path, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What every cell depends on."""
    installed = {
        name
        for path in packages()
        if os.path.isdir(path)
        for name in os.listdir(path)
        if name.endswith(INSTALLED)
    }
    settings = root / "_environment"
    folders = [str(folder), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    lines = settings.read_text(encoding="utf-8").splitlines() if settings.is_file() else []
    named = {match[1] for line in lines if (match := re.match(r"\s*(?:export\s+)?(\w+)\s*=", line))}
    return {
        "format": FORMAT,
        "memory": [state(("file", str(path)), {}) for path in sorted(Path(__file__).parent.glob("*.py"))],
        "python": [sys.version, sys.executable, _processor(), os.cpu_count()],
        "shadows": {str(path): _tree(path) for path in _shadows(folder / name for name in folders if name)},
        "packages": sorted(installed),
        "folders": [str(root), str(folder)],
        "variables": {
            name: environment.get(name)
            for name in sorted((named | ALWAYS | {*filter(PREFIXES.match, environment)}) - UNWATCHED)
        },
    }


def _processor() -> list[str]:
    """What decides which code of a library runs: another machine on one disk must not read these numbers."""
    names = ("vendor_id", "model name", "flags", "Features")
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = takewhile(str.strip, file)  # of many cores
            return [platform.machine(), *(line for line in first if line.startswith(names))]
    except OSError:
        return [platform.machine(), platform.processor()]  # not Linux


def _shadows(folders: Iterable[Path]) -> list[Path]:
    """What a kernel would import in place of a module that it starts with, before anything is observed."""
    names = {*sys.stdlib_module_names, "sitecustomize", "usercustomize"}
    names |= {path.name.partition(".")[0] for site in packages() for path in Path(site).glob("*")}
    found = [path for folder in folders for path in folder.glob("*") if path.name.partition(".")[0] in names]
    return sorted(path for path in found if path.suffix in SUFFIXES or any(path.glob("__init__.*")))


def _tree(path: Path) -> list[str]:
    files = [path] if path.is_file() else sorted(path.rglob("*.*"))
    return [f"{file} {state(('file', str(file)), {})}" for file in files]
