"""Banned modules and banned names: what the solution may not use, found by reading its syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import translate
from functools import cache

from handin.project import Handin
from handin.reading.names import Use
from handin.reading.python_code import PythonSource, module_parts
from handin.reading.submission import Submission
from handin.rules.finding import Finding, cannot_tell, failed, passed

MODULES = "banned-modules"
NAMES = "banned-names"

# Modules that hand out another module's whole namespace, and short names under which modules carry it.
_CARRIERS = {"numpy": ("pylab", "matplotlib.pylab")}
_SHORT = {"numpy": ("np",)}


def banned_modules(submission: Submission) -> list[Finding]:
    """No banned module is imported by the solution, nor reached through conversions outside the boundary.

    Why: "you must not use NumPy in your solutions to this assignment. Instead, use PyTorch (and plain Python,
    of course) throughout."
    Certain: imports, whatever alias or constant text names the module.
    Fails: `import numpy as np`
    Passes: `torch.linspace(0, 1, 50)`; and any module in the files of `handin: not-solution`.
    """
    course = submission.course
    if not course.banned_modules:
        return [passed(MODULES, "the course bans no modules")]
    guilty: dict[str, str] = {}  # name of a module outside the solution → banned module it uses
    outside: set[str] = set()  # their files
    for unit, used in submission.beside_solution:
        for use in used or ():
            if module := _module_of(use, course):
                parts = module_parts(unit.file)  # a module may be imported from whatever folder
                guilty |= dict.fromkeys((".".join(parts[start:]) for start in range(len(parts))), module)
                outside.add(unit.file)

    def judge(unit: PythonSource, used: list[Use]) -> Iterator[Finding]:
        yield from _modules_in(unit, used, guilty, course)
        if unit.file not in course.boundary:
            yield from _conversions(unit, course)

    aside = f"; {len(outside)} outside of it may use it" if outside else ""
    return _judged(MODULES, submission, judge, f"{', '.join(course.banned_modules)}{aside}")


def banned_names(submission: Submission) -> list[Finding]:
    """No banned function or class is used by the solution.

    Why: "you must not use any layer from torch.nn. You can (and should) use torch.nn.Parameter and
    torch.nn.Module"; "Do not use torch.vmap in your solution".
    Certain: names that imports, aliases and attributes lead to, wherever they are used or stored.
    Fails: `layer = torch.nn.Linear(1, 2)`
    Passes: `class MLP(torch.nn.Module)` with `torch.nn.Parameter`, and `torch.nn.functional.mse_loss`
    """
    course = submission.course
    listed = ", ".join(course.banned_names)
    if not listed:
        return [passed(NAMES, "the course bans no names")]
    remedy = f"compute it with tensor operations; the course bans {listed}"

    def judge(unit: PythonSource, used: list[Use]) -> Iterator[Finding]:
        for use in used:
            if name := _banned(use.dotted, course):
                message = f"`{name}` is banned (`{use.what}`)"
                yield failed(NAMES, message, unit.place(use.line), remedy)

    return _judged(NAMES, submission, judge, listed)


def _judged(
    rule: str,
    submission: Submission,
    judge: Callable[[PythonSource, list[Use]], Iterator[Finding]],
    without: str,
) -> list[Finding]:
    """What is found in the pieces of the solution; where that is nothing, what they do without."""
    found: list[Finding] = []
    for unit, used in submission.solution:
        if used is None:
            message = f"no Python that can be read: {unit.fault or 'nested too deeply'}"
            found.append(cannot_tell(rule, message, unit.place(1), "look at the file"))
        else:
            found.extend(judge(unit, used))
    if not submission.solution:
        return [cannot_tell(rule, "no Python code to read")]
    files = len({unit.file for unit, _ in submission.solution})
    return found or [passed(rule, f"{files} files of the solution do without {without}")]


def _modules_in(
    unit: PythonSource, used: list[Use], guilty: dict[str, str], course: Handin
) -> Iterator[Finding]:
    seen: set[int] = set()
    for use in used:
        if use.line in seen:
            continue
        if module := _module_of(use, course):
            message = f"the solution must not use {module} (`{use.what}`)"
            remedy = f"do without {module}; the course bans it"
            yield failed(MODULES, message, unit.place(use.line), remedy)
        elif use.is_import and (helper := _helper(use.dotted, guilty)):
            message = f"`{helper}` stands outside the solution and uses {guilty[helper]} (`{use.what}`)"
            yield failed(MODULES, message, unit.place(use.line), "do not import it into the solution")
        else:
            continue
        seen.add(use.line)


def _conversions(unit: PythonSource, course: Handin) -> Iterator[Finding]:
    """Tensors turned into arrays and back (`.numpy()`, `from_numpy`) outside the boundary."""
    if unit.tree is None:
        return
    names = {"__array__"} | {
        f"{way}{m}" for m in course.banned_modules for way in ("", "to_", "as_", "from_")
    }
    allowed = " or ".join(course.boundary) or "no file"
    remedy = f"use `.tolist()`, or do it in {allowed} (handin: boundary)"
    for node in ast.walk(unit.tree):
        name = node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            name = next((word for word in words if word in names), "")
        if name in names and isinstance(node, ast.Attribute | ast.Call):
            message = f"`{name}` turns tensors into arrays or back"
            yield failed(MODULES, message, unit.place(node.lineno), remedy)


def _module_of(use: Use, course: Handin) -> str:
    """The banned module that a use reaches, empty for none."""
    parts = use.dotted.lstrip(".").split(".")
    for module in course.banned_modules:
        ways = (module, *_CARRIERS.get(module, ()))
        direct = parts[0] == module or any(f"{use.dotted}.".startswith(f"{way}.") for way in ways)
        # `autograd.numpy` and `jax.numpy` are the same interface; `tensor.numpy` is a conversion.
        nested = use.is_import and module in parts[1:]
        if direct or nested or any(part in _SHORT.get(module, ()) for part in parts[1:]):
            return module
    return ""


def _banned(dotted: str, course: Handin) -> str:
    """The banned name that a dotted name is or begins with, empty for none."""
    allowed, banned = _pattern(course.allowed_names), _pattern(course.banned_names)
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if allowed.match(name):
            return ""
        namespace = any(pattern.startswith(f"{name}.") for pattern in course.allowed_names)
        star = length == len(parts) and parts[-1] == "*" and name in course.banned_names
        if star or (not namespace and banned.match(name)):
            return name
    return ""


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for dotted names with `*`."""
    return re.compile("|".join(map(translate, names)) or r"(?!)")


def _helper(dotted: str, guilty: Mapping[str, str]) -> str:
    """The module outside the solution that an import reaches, empty for none."""
    parts = dotted.split(".")
    starts = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((name for name in starts if name in guilty), "")
