"""The Python in a hand-in, wherever it stands: modules, Quarto chunks and inline values, notebook cells."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
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
    place: Callable[[int], str]  # line of the code, from 1 → place in the hand-in
    unread: str = ""  # why the file that it stands in could not be read
    handed_out: frozenset[str] = frozenset()  # forms of what is not the student's; see `forms`

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the code is no Python, `fault` says why."""
        return self._parsed[0]

    @property
    def fault(self) -> str:
        return self.unread or self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, str]:
        try:
            tree = ast.parse(self.code)
            return _without(tree, self.handed_out) if self.handed_out else tree, ""
        except SyntaxError as error:
            return None, f"{error.msg} (line {error.lineno})"
        except (ValueError, RecursionError, MemoryError) as error:
            return None, str(error) or type(error).__name__


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


def uses_of(pieces: Sequence[Unit]) -> dict[int, list[Use]]:
    """What every unit uses that can be read, by its position.

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
    return found


def units(files: Mapping[str, bytes]) -> Iterator[Unit]:
    """All Python of a hand-in. A notebook made from a `.qmd` beside it is left out: its chunks are there."""
    for path in sorted(files):
        match PurePosixPath(path).suffix.lower():
            case ".py":
                code = text_of(files[path])
                # What cannot be read as text is no Python either; a NUL makes the parser say so.
                yield Unit(path, "\0" if code is None else code, _from_line(path, 1))
            case ".qmd":
                yield from _chunks(files, path)
            case ".ipynb" if f"{path[:-6]}.qmd" not in files and ".ipynb_checkpoints" not in path:
                yield from _cells(files[path], path)


def text_of(data: bytes) -> str | None:
    """The text of a file, None where it is too long or not UTF-8."""
    try:
        return data.decode("utf-8-sig") if len(data) <= LARGEST_TEXT else None
    except UnicodeDecodeError:
        return None


def _chunks(files: Mapping[str, bytes], path: str) -> Iterator[Unit]:
    try:
        source = read_alone(files.get, path)
        blocks = read_blocks(source)
    except HandinError as error:
        place = str(error.place or path)
        yield Unit(path, "\0", lambda _: place, error.problem)
        return
    for chunk in chunks(blocks):
        yield Unit(path, _without_magic(chunk.code), _from_line(path, chunk.code_line))
    for line in source.lines:
        for code in expressions(line.text):
            yield Unit(path, code, _from_line(path, line.place.line or 1))


def _from_line(path: str, first: int) -> Callable[[int], str]:
    return lambda line: str(Place(path, first + line - 1))


def _cells(data: bytes, path: str) -> Iterator[Unit]:
    for cell in cells_of(notebook_of(data)):
        if cell.is_code:
            yield Unit(path, _without_magic(cell.source), _in_cell(path, cell.number))


def _in_cell(path: str, number: int) -> Callable[[int], str]:
    return lambda line: f"{path}, cell {number}, line {line}"


def _without_magic(code: str) -> str:
    """The code with IPython's own syntax blanked; `%pylab` imports NumPy, so it stays as an import."""

    def blank(match: re.Match[str]) -> str:
        return (match[1] or "") + ("import pylab" if re.match(r"[ \t]*%%?pylab", match[0]) else "pass")

    return _MAGIC.sub(blank, code)
