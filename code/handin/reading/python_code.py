"""The Python in a hand-in, wherever it stands: modules, Quarto chunks and inline values, notebook cells."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from handin.errors import HandinError, Place
from handin.qmd.chunks import chunks, expressions, read_blocks
from handin.qmd.source import read_alone
from handin.reading.names import Use, uses
from handin.reading.notebook import cells_of, notebook_of

LARGEST_TEXT = 2_000_000  # bytes; a longer source file is not read
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """One piece of Python."""

    file: str
    code: str
    tree: ast.Module | None  # its syntax tree, `pass` for what was handed out
    fault: str  # why it has none
    first: int  # its first line in the file, or in the cell
    cell: int = 0  # of a notebook, from 1

    def place(self, line: int) -> str:
        """The place in the hand-in of a line of the code, from 1."""
        where = Place(self.file, self.first + line - 1)
        return f"{self.file}, cell {self.cell}, line {where.line}" if self.cell else str(where)


def forms(files: Mapping[str, bytes]) -> frozenset[str]:
    """Digests of every file, cell, function and class in some files of Python, spaces and comments aside."""
    found = set()
    for unit in units(files):
        if unit.tree and unit.tree.body:
            kinds = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            found |= {_form(node) for node in ast.walk(unit.tree) if isinstance(node, kinds)}
    return frozenset(found)


def _form(node: ast.AST) -> str:
    return hashlib.sha256(ast.dump(node).encode()).hexdigest()[:16]


def _without(tree: ast.Module, handed_out: frozenset[str]) -> ast.Module:
    """A syntax tree with `pass` for what was handed out."""
    if not handed_out:
        return tree

    class Strip(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if isinstance(node, kinds) and _form(node) in handed_out:
                return ast.copy_location(ast.Pass(), node)
            return self.generic_visit(node)

    if _form(tree) in handed_out:
        return ast.Module([], [])
    stripped = Strip().visit(tree)
    assert isinstance(stripped, ast.Module)
    return stripped


def with_uses(pieces: Sequence[Unit]) -> list[tuple[Unit, list[Use] | None]]:
    """Every unit with what it uses; None where that cannot be read.

    Chunks of Quarto documents share their names, and so do the cells of a notebook: one imports, another
    uses. A module has names of its own.
    """
    groups: dict[str, list[int]] = {}
    for position, unit in enumerate(pieces):
        if unit.tree is not None:
            groups.setdefault("*.qmd" if unit.file.endswith(".qmd") else unit.file, []).append(position)
    found: dict[int, list[Use]] = {}
    for group in groups.values():
        held = [(pieces[n].code, tree) for n in group if (tree := pieces[n].tree) is not None]
        with suppress(RecursionError):  # what is missing in the answer could not be read
            found.update(zip(group, uses(held), strict=True))
    return [(unit, found.get(position)) for position, unit in enumerate(pieces)]


def units(files: Mapping[str, bytes], handed_out: frozenset[str] = frozenset()) -> Iterator[Unit]:
    """All Python of a hand-in. A notebook made from a `.qmd` beside it is left out: its chunks are there.

    Args:
        files: The hand-in.
        handed_out: Forms of what is not the student's, see `forms`.
    """
    for path in sorted(files):
        try:
            for code, *start in _pieces(files, path):
                yield Unit(path, code, *_parsed(code, handed_out), *start)
        except HandinError as error:
            first = error.place.line if error.place else None
            yield Unit(path, "\0", None, error.problem, first or 1)


def _pieces(files: Mapping[str, bytes], path: str) -> Iterator[tuple[str, int, int]]:
    """The code in a file, the line on which it begins, and its cell in a notebook."""
    match PurePosixPath(path).suffix.lower():
        case ".py":
            code = text_of(files[path])
            # What cannot be read as text is no Python either; a NUL makes the parser say so.
            yield "\0" if code is None else code, 1, 0
        case ".qmd":
            source = read_alone(files.get, path)
            for chunk in chunks(read_blocks(source)):
                yield _without_magic(chunk.code), chunk.code_line, 0
            for line in source.lines:
                for code in expressions(line.text):
                    yield code, line.place.line or 1, 0
        case ".ipynb" if f"{path[:-6]}.qmd" not in files and ".ipynb_checkpoints" not in path:
            for cell in cells_of(notebook_of(files[path])):
                if cell.is_code:
                    yield _without_magic(cell.source), 1, cell.number


def _parsed(code: str, handed_out: frozenset[str]) -> tuple[ast.Module | None, str]:
    """The syntax tree, or why there is none."""
    try:
        return _without(ast.parse(code), handed_out), ""
    except SyntaxError as error:
        return None, f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return None, str(error) or type(error).__name__


def text_of(data: bytes) -> str | None:
    """The text of a file, None where it is too long or not UTF-8."""
    try:
        return data.decode("utf-8-sig") if len(data) <= LARGEST_TEXT else None
    except UnicodeDecodeError:
        return None


def module_parts(file: str) -> tuple[str, ...]:
    """The parts of the path of a module, a package standing for its `__init__.py`."""
    path = PurePosixPath(file)
    return path.parent.parts if path.stem == "__init__" else path.with_suffix("").parts


def _without_magic(code: str) -> str:
    """The code with IPython's own syntax blanked; `%pylab` imports NumPy, so it stays as an import."""

    def blank(match: re.Match[str]) -> str:
        return (match[1] or "") + ("import pylab" if re.match(r"[ \t]*%%?pylab", match[0]) else "pass")

    return _MAGIC.sub(blank, code)
