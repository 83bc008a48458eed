"""What a computed result depends on: the code that computes it, and the libraries that this code uses.

For a key of the model store: when one of them changes, what they computed is computed again. Of the code,
what it *does* counts: comments, docstrings and layout do not.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

CODE = Path(__file__).resolve().parents[2]  # the folder of the package
NEEDS = {"scipy": ("numpy",)}  # libraries that compute for another, with versions of their own


def dependencies(modules: Sequence[str], row: str = "", code: Path = CODE) -> dict[str, str]:
    """What the modules depend on: a digest for each module of the package, a version for each library.

    Imports are followed from source to source within the package, those inside functions included, those
    under `if TYPE_CHECKING` not. The `__init__` of a package that a module lies in is not among them:
    a table of what there is determines no result.

    Args:
        modules: names of modules of one package.
        row: of the first module, only this row of its table counts: the call whose first argument it is,
            with the definitions and values that it names, directly or through others.
        code: the folder of the package.
    """
    package = modules[0].partition(".")[0]
    found: dict[str, str] = {}
    libraries: set[str] = set()
    waiting = [(name, row if name == modules[0] else "") for name in modules]
    while waiting:
        name, row = waiting.pop()
        path = _path(name, code)
        if name in found or path is None:
            continue
        found[f"{name}, {row}" if row else name], imports = _read(path.read_bytes(), name, row)
        for module, child, _ in imports:
            top = module.partition(".")[0]
            if top == package:
                waiting.append((child if _path(child, code) else module, ""))
            elif top not in sys.stdlib_module_names:
                libraries |= {top, *NEEDS.get(top, ())}
    return dict(sorted(found.items())) | {name: metadata.version(name) for name in sorted(libraries)}


@lru_cache
def _read(text: bytes, name: str, row: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The SHA-256 of what a module, or a row in it, does; and what that imports, as a, a.b and its name."""
    tree = ast.parse(text, name)
    imports = list(_imports(tree, name))
    for node in ast.walk(tree):  # without docstrings, descriptions of fields, and ellipses
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                each for each in node.body
                if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ] or [ast.Pass()]  # fmt: skip
    parts: list[ast.AST] = [tree]
    if row:
        parts, names = _row(tree, row)
        imports = [each for each in imports if each[2] in names]
    return hashlib.sha256("\n".join(map(ast.unparse, parts)).encode()).hexdigest(), imports


def _row(tree: ast.Module, row: str) -> tuple[list[ast.AST], set[str]]:
    """The call whose first argument is `row`, with the definitions that it needs; and all names in them."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    parts: list[ast.AST] = [call for call in calls if getattr(call.args[0], "value", None) == row]
    typed = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.AnnAssign | ast.arg)]
    types = {inner for node in typed if node for inner in ast.walk(node)}  # which compute nothing
    names = {"*"}
    for part in parts:  # which grows
        names |= {node.id for node in ast.walk(part) if isinstance(node, ast.Name) and node not in types}
        parts += [node for node in tree.body if node not in parts and names & _defined(node)]
    return parts, names


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement defines, but for those that it imports."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _imports(tree: ast.AST, name: str) -> Iterator[tuple[str, str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            node = ast.Module(node.orelse, [])
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, alias.name, alias.asname or alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(
                    f"{name}, line {node.lineno}: a relative import is not followed; name the module"
                )
            for alias in node.names:
                yield node.module, f"{node.module}.{alias.name}", alias.asname or alias.name
        else:
            yield from _imports(node, name)


def _path(module: str, code: Path) -> Path | None:
    """The source of a module below the folder `code`; None where there is none."""
    place = code.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
