"""Which library names a piece of Python uses, found by reading its syntax tree.

Imports, aliases and attributes are followed, flow-insensitively: whatever a name may hold anywhere in the
file. So are `getattr`, `importlib`, `__import__` and `sys.modules` with a constant.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handin.qmd.source import lines_of

_PASSES = 4  # over chains of assignments
_MOST_HELD = 4  # library names that one name is followed to
_IMPORTERS = {"__import__", "builtins.__import__", "importlib.import_module"}


@dataclass(frozen=True)
class Use:
    """One library name at one line; `what` is what was seen."""

    dotted: str
    line: int
    what: str
    is_import: bool = False


Piece = tuple[str, ast.Module]  # code, and its syntax tree


def uses(pieces: Sequence[Piece]) -> list[list[Use]]:
    """Every use of an imported name, and every import, in the order of the lines, piece by piece.

    Args:
        pieces: Pieces that share their names, as the cells of a notebook do.

    Raises:
        RecursionError: Expressions are nested too deeply to follow.
    """
    walked = [list(ast.walk(tree)) for _, tree in pieces]
    names = _Names([node for nodes in walked for node in nodes])
    found = []
    for (code, _), nodes in zip(pieces, walked, strict=True):
        lines = [line.strip()[:80] for line in lines_of(code)]
        used = {Use(dotted, line, lines[line - 1], new) for dotted, line, new in names.used_in(nodes)}
        found.append(sorted(used, key=lambda use: (use.line, use.dotted)))
    return found


class _Names:
    """What the names in some pieces of code may hold."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.held: dict[str, set[str]] = defaultdict(set)  # name, or `self.x` → library names
        self.stars: list[str] = []  # modules that were imported whole
        self.bound: dict[str, list[ast.expr | None]] = defaultdict(list)  # name → what it is set to
        assigned: list[tuple[ast.expr, ast.expr]] = []
        for node in nodes:
            match node:
                case ast.Import(names=aliases):
                    for alias in aliases:
                        top = alias.name.partition(".")[0]
                        self.held[alias.asname or top].add(alias.name if alias.asname else top)
                case ast.ImportFrom(module=str(module), names=aliases, level=0):
                    self.stars += [module for alias in aliases if alias.name == "*"]
                    for alias in aliases:
                        self.held[alias.asname or alias.name].add(f"{module}.{alias.name}")
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                    self.bound[name].append(None)
                case ast.Assign(targets=targets, value=value):
                    assigned += [pair for target in targets for pair in _pairs(target, value)]
                case ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
                    assigned.append((node.target, value))
        for target, value in assigned:
            self.bound[_key(target)].append(value)
        for _ in range(_PASSES):
            for target, value in assigned:
                if (key := _key(target)) and len(self.held[key]) < _MOST_HELD:
                    self.held[key] |= self.resolve(value)

    def used_in(self, nodes: list[ast.AST]) -> Iterator[tuple[str, int, bool]]:
        """Dotted name, line, and whether it is imported there, of all that some nodes use."""
        inner: set[int] = set()  # an outer attribute says more than the names inside; it comes first
        for node in nodes:
            match node:
                case ast.Import(names=aliases):
                    yield from ((alias.name, node.lineno, True) for alias in aliases)
                case ast.ImportFrom(module=module, names=aliases, level=level):
                    start = "." * level + (f"{module}." if module else "")
                    yield from ((start + alias.name, node.lineno, True) for alias in aliases)
                case ast.Attribute() | ast.Name() | ast.Call() | ast.Subscript():
                    if id(node) not in inner:
                        yield from ((name, node.lineno, False) for name in self.resolve(node))
                    if isinstance(node, ast.Attribute):
                        inner.add(id(node.value))

    def resolve(self, node: ast.expr) -> set[str]:
        """The library names that an expression may hold."""
        match node:
            case ast.Name(id=name):
                own = self.held.get(name, set())
                return own or (set() if name in self.bound else {f"{star}.{name}" for star in self.stars})
            case ast.Attribute(value=value, attr=name):
                key = _key(node)
                return (self.held.get(key, set()) if key else set()) | self._below(value, name)
            case ast.IfExp(body=one, orelse=other):
                return self.resolve(one) | self.resolve(other)
            case ast.BoolOp(values=values):
                return {name for value in values for name in self.resolve(value)}
            case ast.NamedExpr(value=value):
                return self.resolve(value)
            case ast.Subscript(value=value, slice=key):
                name = self._text(key)
                return {name} if name and "sys.modules" in self.resolve(value) else set()
            case ast.Call(args=[module, *_]) if self._function(node) & _IMPORTERS:
                return {self._text(module)} - {""}
            case ast.Call(func=ast.Name(id="getattr"), args=[value, name, *_]):
                return self._below(value, self._text(name))
        return set()

    def _below(self, node: ast.expr, name: str) -> set[str]:
        return {f"{base}.{name}" for base in self.resolve(node)} if name else set()

    def _function(self, node: ast.Call) -> set[str]:
        plain = node.func.id if isinstance(node.func, ast.Name) else ""
        return self.resolve(node.func) | ({plain} - self.bound.keys())

    def _text(self, node: ast.expr) -> str:
        """The constant text of an expression, written out or held by a name that is set once; else empty."""
        if isinstance(node, ast.Name) and len(values := self.bound.get(node.id, [])) == 1:
            node = values[0] or node
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.BinOp(
                left=ast.Constant(value=str(one)), op=ast.Add(), right=ast.Constant(value=str(two))
            ):
                return one + two
        return ""


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Targets and values of an assignment; `a, b = c, d` are two."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _key(node: ast.expr) -> str:
    """The name under which an assignment's target is kept: `x`, `self.x`; empty for others."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=base), attr=name):
            return f"{base}.{name}"
    return ""
