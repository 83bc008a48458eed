"""Which library names a piece of Python uses, found without running it.

Imports and assignments are followed (flow-insensitively: whatever a name may hold anywhere in the file),
and strings that a program would compute are computed where they are constant: `getattr(torch, "v" "map")`,
`__import__("".join(["num", "py"]))`, `exec("import numpy")`. What is computed from values that only a run
knows is reported as unknown.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 2_000  # characters of a computed string; two of them make at most the square
_PASSES = 4  # over chains of assignments
_MOST_HELD = 4  # library names that one name is followed to
_METHODS = (
    "join", "format", "replace", "lower", "upper", "strip", "lstrip", "rstrip", "decode", "encode",
    "title", "swapcase", "removeprefix", "removesuffix", "hex", "casefold", "capitalize", "split",
)  # fmt: skip


@dataclass(frozen=True)
class Use:
    """One library name at one line; `dotted` is empty where only a run can tell, `what` is what was seen."""

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
    reader = _Reader(pieces)
    found = [{(u.dotted, u.line, u.is_import): u for u in reader.read(n)} for n in range(len(pieces))]
    return [sorted(piece.values(), key=lambda use: use.line) for piece in found]


class _Reader:
    def __init__(self, pieces: Sequence[Piece], depth: int = 0) -> None:
        self.pieces = pieces
        self.depth = depth
        self.lines: list[str] = []  # of the piece that is being read
        self.held: dict[str, set[str]] = defaultdict(set)  # name → library names it may hold
        self.constants: dict[str, object] = {}  # name → its constant, where it is assigned once
        self.bound: set[str] = set()
        self.stars: list[str] = []
        self.walked = [list(ast.walk(tree)) for _, tree in pieces]
        self.nodes = [node for nodes in self.walked for node in nodes]
        # By node: without it, a chain of calls costs two to the power of its length.
        self._resolved: dict[int, set[str]] = {}
        self._folded: dict[int, object | None] = {}
        self._bind()

    def shown(self, node: ast.AST) -> str:
        """The line that a node begins on, to quote."""
        line: int = getattr(node, "lineno", 0)
        return self.lines[line - 1].strip()[:80] if 0 < line <= len(self.lines) else ""

    def read(self, number: int) -> Iterator[Use]:
        self.lines = self.pieces[number][0].splitlines()
        inner: set[int] = set()
        for node in self.walked[number]:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Use(alias.name, node.lineno, self.shown(node), True)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    dotted = f"{module}.{alias.name}" if module.strip(".") else module + alias.name
                    yield Use(dotted, node.lineno, self.shown(node), True)
            elif isinstance(node, ast.Call):
                yield from self._dynamic(node)
            if isinstance(node, ast.Attribute | ast.Name | ast.Call | ast.Subscript):
                # An outer attribute says more than the names inside it; `ast.walk` meets it first.
                if id(node) in inner:
                    if isinstance(node, ast.Attribute):
                        inner.add(id(node.value))
                    continue
                for dotted in sorted(self.resolve(node)):
                    yield Use(dotted, node.lineno, self.shown(node))
                if isinstance(node, ast.Attribute):
                    inner.add(id(node.value))

    def _bind(self) -> None:
        count: dict[str, int] = defaultdict(int)
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.held[alias.asname or alias.name.partition(".")[0]].add(
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                for alias in node.names:
                    if alias.name == "*":
                        self.stars.append(node.module)
                    else:
                        self.held[alias.asname or alias.name].add(f"{node.module}.{alias.name}")
            elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                self.bound.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.bound.add(node.id)
                count[node.id] += 1
            elif isinstance(node, ast.arg):
                self.bound.add(node.arg)
        for _ in range(_PASSES):
            self._resolved.clear()
            self._folded.clear()
            before = sum(len(names) for names in self.held.values()) + len(self.constants)
            for target, value in self._assignments():
                key = _key(target)
                if key is None:
                    continue
                if len(self.held[key]) < _MOST_HELD:
                    self.held[key] |= self.resolve(value)
                if count.get(key, 0) == 1:
                    constant = self.fold(value)
                    if constant is not None:
                        self.constants[key] = constant
            if before == sum(len(names) for names in self.held.values()) + len(self.constants):
                break
        self._resolved.clear()
        self._folded.clear()

    def _assignments(self) -> Iterator[tuple[ast.expr, ast.expr]]:
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Tuple | ast.List) and isinstance(
                        node.value, ast.Tuple | ast.List
                    ):
                        yield from zip(target.elts, node.value.elts, strict=False)
                    else:
                        yield target, node.value
            elif (isinstance(node, ast.AnnAssign) and node.value) or isinstance(node, ast.NamedExpr):
                yield node.target, node.value  # type: ignore[misc]

    def resolve(self, node: ast.expr) -> set[str]:
        """The library names that an expression may hold."""
        if id(node) not in self._resolved:
            self._resolved[id(node)] = self._resolve(node)
        return self._resolved[id(node)]

    def _resolve(self, node: ast.expr) -> set[str]:
        if isinstance(node, ast.Name):
            found = set(self.held.get(node.id, ()))
            if not found and node.id not in self.bound:
                found = {f"{module}.{node.id}" for module in self.stars}
            return found
        if isinstance(node, ast.Attribute):
            key = _key(node)
            found = set(self.held.get(key, ())) if key else set()
            return found | {f"{base}.{node.attr}" for base in self.resolve(node.value)}
        if isinstance(node, ast.IfExp):
            return self.resolve(node.body) | self.resolve(node.orelse)
        if isinstance(node, ast.BoolOp):
            return {name for value in node.values for name in self.resolve(value)}
        if isinstance(node, ast.NamedExpr):
            return self.resolve(node.value)
        if isinstance(node, ast.Subscript):
            return self._looked_up(node)
        if isinstance(node, ast.Call):
            return self._called(node)
        return set()

    def _looked_up(self, node: ast.Subscript) -> set[str]:
        """`sys.modules["x"]`, `torch.__dict__["x"]`, `vars(torch)["x"]`."""
        key = self.fold(node.slice)
        if not isinstance(key, str):
            return set()
        holder = node.value
        if "sys.modules" in self.resolve(holder):
            return {key}
        if isinstance(holder, ast.Attribute) and holder.attr == "__dict__":
            return {f"{base}.{key}" for base in self.resolve(holder.value)}
        if isinstance(holder, ast.Call) and _plain(holder.func) == "vars" and holder.args:
            return {f"{base}.{key}" for base in self.resolve(holder.args[0])}
        return set()

    def _called(self, node: ast.Call) -> set[str]:
        """The library name that `getattr`, `__import__`, `import_module` or `attrgetter` gives."""
        plain = _plain(node.func)
        function = {plain} | self.resolve(node.func)
        first = self.fold(node.args[0]) if node.args else None
        if "getattr" in function and len(node.args) > 1:
            name = self.fold(node.args[1])
            return (
                {f"{base}.{name}" for base in self.resolve(node.args[0])} if isinstance(name, str) else set()
            )
        if "importlib.import_module" in function and isinstance(first, str):
            return {first}
        if "__import__" in function or "builtins.__import__" in function:
            return {first.partition(".")[0]} if isinstance(first, str) else set()
        if isinstance(node.func, ast.Call) and "operator.attrgetter" in self.resolve(node.func.func):
            path = self.fold(node.func.args[0]) if node.func.args else None
            if isinstance(path, str) and node.args:
                return {f"{base}.{path}" for base in self.resolve(node.args[0])}
        return set()

    def _dynamic(self, node: ast.Call) -> Iterator[Use]:
        """Imports and code that are made while the program runs."""
        function = {_plain(node.func)} | self.resolve(node.func)
        if (
            isinstance(node.func, ast.Call)
            and _plain(node.func.func) == "getattr"
            and len(node.func.args) > 1
        ):
            function.add(str(self.fold(node.func.args[1])))
        shown = self.shown(node)
        imports = {"__import__", "builtins.__import__", "importlib.import_module"}
        runs = {"exec", "eval", "compile", "builtins.exec", "builtins.eval", "builtins.compile"}
        if function & imports and node.args:
            name = self.fold(node.args[0])
            yield Use(name if isinstance(name, str) else "", node.lineno, shown, True)
        elif function & runs and node.args:
            first = node.args[0]
            if isinstance(first, ast.Call) and _plain(first.func) == "compile":
                return  # the inner call is looked at by itself
            code = self.fold(first)
            if isinstance(code, bytes):
                code = code.decode("utf-8", "replace")
            if not isinstance(code, str) or self.depth >= 3:
                yield Use("", node.lineno, shown)
                return
            try:
                inner = _Reader([(code, ast.parse(code))], self.depth + 1)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                yield Use("", node.lineno, shown)
                return
            inner.held.update({name: set(held) for name, held in self.held.items()})
            for use in inner.read(0):
                yield Use(use.dotted, node.lineno, shown, use.is_import)
        elif function & {"runpy.run_path", "runpy.run_module", "importlib.machinery.SourceFileLoader"}:
            yield Use("", node.lineno, shown)
        elif "getattr" in function and len(node.args) > 1:
            unknown = not isinstance(self.fold(node.args[1]), str)
            if unknown and any("." not in base for base in self.resolve(node.args[0])):
                yield Use("", node.lineno, shown)

    def fold(self, node: ast.expr) -> object | None:
        """The constant that an expression gives, None where it is none or gets too long."""
        if id(node) not in self._folded:
            try:
                value = self._fold(node)
            except (TypeError, ValueError, LookupError, AttributeError, binascii.Error):
                value = None  # the program would fail here
            long = isinstance(value, str | bytes | list | tuple) and len(value) > LONGEST
            self._folded[id(node)] = None if long and not isinstance(node, ast.Constant) else value
        return self._folded[id(node)]

    def _fold(self, node: ast.expr) -> object | None:
        match node:
            case ast.Constant(value=str() | bytes() | int() as value):
                return value
            case ast.Name(id=name):
                return self.constants.get(name)
            case ast.JoinedStr(values=values):
                parts = [self.fold(v.value if isinstance(v, ast.FormattedValue) else v) for v in values]
                return None if None in parts else "".join(str(part) for part in parts)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [self.fold(element) for element in elements]
                return None if None in parts else parts
            case ast.BinOp(left=left, op=op, right=right):
                return _combine(self.fold(left), op, self.fold(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.fold(operand)
                return -number if isinstance(number, int) else None
            case ast.Subscript(value=held, slice=ast.Slice(lower=low, upper=high, step=step)):
                text = self.fold(held)
                ends: list[Any] = [None if end is None else self.fold(end) for end in (low, high, step)]
                if isinstance(text, str | bytes | list) and all(
                    end is None or isinstance(end, int) for end in ends
                ):
                    return text[slice(*ends)]
            case ast.Subscript(value=held, slice=index):
                text, position = self.fold(held), self.fold(index)
                if isinstance(text, str | list) and isinstance(position, int):
                    return text[position]
            case ast.Call():
                return self._fold_call(node)
        return None

    def _fold_call(self, node: ast.Call) -> object | None:
        arguments: list[Any] = [self.fold(argument) for argument in node.args]
        if None in arguments or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            return None
        plain = _plain(node.func)
        if plain in ("chr", "str", "reversed", "list", "bytes") and len(arguments) == 1:
            made = {"chr": chr, "str": str, "reversed": lambda v: v[::-1], "list": list, "bytes": bytes}
            first = arguments[0]
            if plain in ("bytes", "list") and isinstance(first, int):
                return None  # that many zeros
            made_of: object = made[plain](first)  # type: ignore[operator]
            return made_of
        names = self.resolve(node.func)
        if "base64.b64decode" in names and isinstance(arguments[0], str | bytes):
            return base64.b64decode(arguments[0])
        if (
            "codecs.decode" in names
            and len(arguments) == 2
            and str(arguments[1]) in ("rot13", "rot_13", "hex")
        ):
            return codecs.decode(arguments[0], str(arguments[1]))
        if isinstance(node.func, ast.Attribute):
            if plain == "fromhex" and isinstance(arguments[0], str):
                return bytes.fromhex(arguments[0])
            held = self.fold(node.func.value)
            if isinstance(held, str | bytes) and node.func.attr in _METHODS:
                if node.func.attr == "format" and any(sign in str(held) for sign in (":", "!", ".", "[")):
                    return None  # a width could be any size
                computed: object = getattr(held, node.func.attr)(*arguments)
                return computed
        return None


def _combine(left: object, op: ast.operator, right: object) -> object | None:
    if isinstance(op, ast.Add) and type(left) is type(right) and isinstance(left, str | bytes | int | list):
        return left + right  # type: ignore[operator]
    if isinstance(op, ast.Mult) and isinstance(left, str) and isinstance(right, int):
        return left * right if 0 <= right * len(left) <= LONGEST else None
    if isinstance(op, ast.Mod) and isinstance(left, str) and right is not None and "*" not in left:
        if any(sign.isdigit() for sign in left):
            return None  # a width could be any size
        return left % (tuple(right) if isinstance(right, list) else right)
    return None


def _plain(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _key(node: ast.expr) -> str | None:
    """The name under which an assignment's target is kept: `x`, `self.x`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
