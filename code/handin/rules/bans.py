"""Banned modules and banned names: what the solution may not use, found by reading its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import cache

from handin.project import Handin
from handin.reading.names import OF_TEXT, Use
from handin.reading.python_code import PythonSource, module_names
from handin.reading.submission import Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

# What leads from text to a module.
_OF_TEXT = {*OF_TEXT, "builtins.__import__", "importlib.import_module", "sys.modules"}


def banned_modules(submission: Submission) -> list[Finding]:
    """No banned module is imported by the solution, nor reached through conversions outside the boundary.

    Why: "you must not use NumPy in your solutions to this assignment. Instead, use PyTorch (and plain Python,
    of course) throughout."
    Certain: imports, and calls such as `.numpy()`. Imports of what is not the solution, where nothing is
    banned, modules that a text names, and `np` of another module are for you to judge.
    Fails: `import numpy as np`
    Passes: `torch.linspace(0, 1, 50)`; and any module in the files of `handin: not-solution`.
    """
    course = submission.project.handin
    listed = ", ".join(course.banned_modules)
    outside = module_names(file for file in submission.files if not course.is_solution(file))
    outside -= module_names(filter(course.is_solution, submission.files))

    def judge(unit: PythonSource, used: list[Use]) -> Iterator[Finding]:
        for use in used:
            place, parts = unit.place(use.line), use.dotted.split(".")
            if module := _module(use, course):
                remedy = f"do without {module}; the course bans {listed}"
                yield failed(f"the solution must not use {module}", place, remedy)
            elif use.is_import and outside & {".".join(parts[: n + 1]) for n in range(len(parts))}:
                message = f"`{use.dotted}` stands outside the solution, where nothing is banned"
                yield cannot_tell(message, place, "do not import it into the solution")
            elif "np" in parts[1:] and "numpy" in course.banned_modules:  # as in `pyplot.np`
                yield cannot_tell(f"`{use.dotted}` may be numpy", place, f"do without {listed}")
        if unit.file not in course.boundary:
            yield from _conversions(unit, course)

    return _judged(submission, judge, listed)


def banned_names(submission: Submission) -> list[Finding]:
    """No banned function or class is used by the solution.

    Why: "you must not use any layer from torch.nn. You can (and should) use torch.nn.Parameter and
    torch.nn.Module"; "Do not use torch.vmap in your solution".
    Certain: names that imports, aliases and attributes lead to, wherever they are used or stored.
    Fails: `layer = torch.nn.Linear(1, 2)`
    Passes: `class MLP(torch.nn.Module)` with `torch.nn.Parameter`, and `torch.nn.functional.mse_loss`
    """
    course = submission.project.handin
    listed = ", ".join(course.banned_names)
    own = module_names(submission.files)

    def judge(unit: PythonSource, used: list[Use]) -> Iterator[Finding]:
        for use in used:
            place = unit.place(use.line)
            if name := _banned(use.dotted, course):
                remedy = f"compute it with tensor operations; the course bans {listed}"
                yield failed(f"`{name}` is banned", place, remedy)
            elif use.dotted.endswith(".*") and use.dotted.partition(".")[0] not in own:
                yield cannot_tell(f"`{use.dotted}` may be any name", place, "name what you use")
            elif f"{use.dotted}.*" in course.banned_names and not (use.is_import or use.is_named):
                yield cannot_tell(f"`{use.dotted}` is handed on unseen", place, "name what you use")

    return _judged(submission, judge, listed)


def _judged(
    submission: Submission, judge: Callable[[PythonSource, list[Use]], Iterator[Finding]], listed: str
) -> list[Finding]:
    """What is found in the pieces of the solution; where that is nothing, what they do without."""
    if not listed:
        return [passed("the course bans none")]
    if not submission.solution:
        return [cannot_tell("no Python code to read")]
    found: list[Finding] = []
    for unit, used in submission.solution:
        if unit.fault:
            found.append(cannot_tell(f"no Python: {unit.fault}", unit.place(1), "look at the file"))
        found += judge(unit, used)
        found += [
            cannot_tell(f"`{use.dotted}` may lead to anything", unit.place(use.line), "use plain imports")
            for use in used
            if use.dotted in _OF_TEXT
        ]
    files = len({unit.file for unit, _ in submission.solution})
    return list(dict.fromkeys(found)) or [passed(f"{files} files of the solution do without {listed}")]


def _module(use: Use, course: Handin) -> str:
    """The banned module that a use reaches, empty for none; `autograd.numpy` is the same interface."""
    for module in course.banned_modules:
        where = f".{use.dotted}.".find(f".{module}.")
        if where == 0 or (where > 0 and use.is_import):
            return module
    return ""


def _conversions(unit: PythonSource, course: Handin) -> Iterator[Finding]:
    """Tensors turned into arrays and back (`.numpy()`, `from_numpy`) outside the boundary."""
    names = {"__array__", *(f"{way}{m}" for m in course.banned_modules for way in ("", "from_"))}
    remedy = f"use `.tolist()`, or do it in {' or '.join(course.boundary) or 'no file'} (handin: boundary)"
    for node in ast.walk(unit.tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield failed(f"`{node.attr}` turns tensors into arrays or back", unit.place(node.lineno), remedy)


def _banned(dotted: str, course: Handin) -> str:
    """The banned name that a dotted name is or begins with, empty for none."""
    allowed, banned = _pattern(course.allowed_names), _pattern(course.banned_names)
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if allowed.match(name):
            return ""
        # `torch.nn.functional` is banned only in part
        if banned.match(name) and not any(one.startswith(f"{name}.") for one in course.allowed_names):
            return name
    return ""


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for dotted names with `*`."""
    return re.compile("|".join(map(translate, names)) or r"(?!)")
