"""Which library names some Python uses: imports, their aliases, and the attributes below them.

A name is followed through imports, plain assignments (`nn = torch.nn`) and `getattr` with a constant,
flow-insensitively: whatever it may hold anywhere in the file. What text or a container leads to is not.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Built-in functions through which text becomes code: uses by their own names.
OF_TEXT = ("__import__", "eval", "exec")


@dataclass(frozen=True)
class Use:
    """A library name at a line; `torch.*` is any name of `torch`."""

    dotted: str
    line: int
    is_import: bool = False
    is_named: bool = False  # by an assignment, and followed from there


def uses(trees: Sequence[ast.Module]) -> list[list[Use]]:
    """What each of some trees uses, by line; they share their names, as the cells of a notebook do."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    held: dict[str, set[str]] = defaultdict(set)  # name → library names that it may hold
    for name in OF_TEXT:
        held[name].add(name)
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                held[alias.asname or top].add(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                held[alias.asname or alias.name].add(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            held[node.name] -= {node.name}  # it is no longer the built-in function
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    held[target.id] |= _held_by(node.value, held)
    return [sorted(set(_used(tree, held)), key=lambda use: (use.line, use.dotted)) for tree in trees]


def _used(tree: ast.Module, held: dict[str, set[str]]) -> Iterator[Use]:
    inner: set[int] = set()  # an outer attribute, which comes first, says more than those inside
    named: set[int] = set()
    of_a_class: set[int] = set()  # reached by an attribute, past its name
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            of_a_class |= {id(one.value) for one in node.body if isinstance(one, ast.Assign)}
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            named |= {id(node.value), *map(id, node.targets)}
        elif isinstance(node, ast.Import):
            yield from (Use(alias.name, node.lineno, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (f"{node.module}." if node.module else "")
            yield from (Use(start + alias.name, node.lineno, True) for alias in node.names)
        elif isinstance(node, ast.Attribute | ast.Name | ast.Call):
            match node:
                case ast.Attribute(value=below) | ast.Call(func=ast.Name(id="getattr"), args=[below, *_]):
                    inner.add(id(below))
            if id(node) not in inner:
                is_named = id(node) in named and id(node) not in of_a_class
                yield from (Use(name, node.lineno, is_named=is_named) for name in _held_by(node, held))


def _held_by(node: ast.expr, held: dict[str, set[str]]) -> set[str]:
    """The library names that an expression may hold."""
    below = ""
    while True:
        match node:
            case ast.Attribute(value=inner, attr=name):
                node, below = inner, f".{name}{below}"
            case ast.Call(func=ast.Name(id="getattr"), args=[inner, key, *_]):
                name = str(key.value) if isinstance(key, ast.Constant) else "*"
                node, below = inner, f".{name}{below}"
            case ast.Name(id=name):
                return {f"{one}{below}" for one in held.get(name, ())}
            case _:
                return set()
