"""The walls of the house: what may import what, read from the imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handin.environment import read_environment_file

CODE = Path(__file__).parents[2] / "code"

# The rooms of each package, from the ground up: a room imports what stands in the lines above it, and itself.
STOREYS = {
    "fnn": (
        {"inputs", "backprop"},
        {"data", "units"},
        {"models"},
        {"optimizers"},
        {"landscape", "runs"},
        {"training"},
        {"experiments"},
        {"report"},
    ),
    "handin": (
        {"errors", "ipython"},
        {"yaml_lines"},
        {"project"},
        {"environment"},
        {"sources"},
        {"qmd"},
        {"reading", "memory"},
        {"render", "rules", "starter"},
        {"pack", "rehearse", "preview", "quarto_step"},
        {"cli"},
        {"__main__"},
    ),
}
PACKAGES = sorted(path.parent.name for path in CODE.glob("*/__init__.py"))


def module(path: Path) -> str:
    parts = path.relative_to(CODE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules that a module imports, wherever in it, and the lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                is_module = (CODE / name.replace(".", "/")).with_suffix(".py").is_file()
                is_package = (CODE / name.replace(".", "/")).is_dir()
                yield (name if is_module or is_package else str(node.module)), node.lineno


FILES = sorted(path for package in PACKAGES for path in (CODE / package).rglob("*.py"))


def test_packages_stand_apart() -> None:
    for path in FILES:
        own = module(path).partition(".")[0]
        for name, line in imports(path):
            top = name.partition(".")[0]
            assert top not in PACKAGES or top == own, f"{path}:{line} imports {name}"
    assert not (CODE / "__init__.py").exists()


@pytest.mark.parametrize("package", STOREYS)
def test_rooms_import_downwards(package: str) -> None:
    storeys = {room: number for number, storey in enumerate(STOREYS[package]) for room in storey}
    for path in FILES:
        here = module(path).split(".")
        if here[0] != package or len(here) == 1:
            continue
        assert here[1] in storeys, f"{path}: give the room `{here[1]}` a storey"
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] == package and len(parts) > 1 and parts[1] != here[1]:
                assert storeys[parts[1]] < storeys[here[1]], f"{path}:{line} imports {name}"


def test_sections_import_the_solution_only() -> None:
    for path in sorted((CODE.parent / "sections").glob("*.qmd")):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]) and words[1].partition(".")[0] in PACKAGES:
                assert words[1].partition(".")[0] == "fnn", f"{path}: {line}"


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_go_in_no_circle(package: str) -> None:
    wanted = {module(path): path for path in (CODE / package).rglob("*.py")}
    edges = {
        name: {target for target, _ in _at_the_top(path) if target in wanted} for name, path in wanted.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in sorted(edges[name] - {name}):
                visit(target, (*trail, name))
            done.add(name)

    for name in wanted:
        visit(name, ())


def _at_the_top(path: Path) -> Iterator[tuple[str, int]]:
    """Imports that run when the module is read: not those inside functions."""
    inner = {
        line
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
    return ((name, line) for name, line in imports(path) if line not in inner)


def test_the_architecture_names_every_room_and_every_variable() -> None:
    text = (CODE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+?)(?:\.py|/)?`", text))
    rooms = {path.stem for path in (CODE / "handin").iterdir() if not path.stem.startswith("_")} - {"cli"}
    rooms |= {
        path.name for path in (CODE / "fnn").iterdir() if path.is_dir() and not path.name.startswith("_")
    }
    assert rooms <= named
    written = r'environ(?:\.get)?[\[(]\s*"([A-Z_]+)"|"([A-Z_]+)" (?:not )?in os\.environ|"(HANDIN_[A-Z_]+)"'
    pattern = re.compile(written)
    code = "".join(path.read_text(encoding="utf-8") for path in FILES)
    read = {name for found in pattern.findall(code) for name in found if name}
    assert {"PLAN", "SEED", "FNN_STORE", "DRAFT"} <= read <= named
    results_depend_on = {"PLAN", "SEED"}  # else a build with another seed would count as the same
    assert results_depend_on <= read_environment_file(CODE.parent).keys()
