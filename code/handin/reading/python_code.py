"""The Python of a project, wherever it stands: modules, Quarto chunks and inline values, notebook cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from handin.errors import HandinError, Place
from handin.qmd.chunks import chunks, expressions, read_blocks
from handin.qmd.source import read_alone
from handin.reading.names import Use, uses
from handin.reading.notebook import cells_of

_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)


@dataclass(frozen=True)
class PythonSource:
    """One piece of Python."""

    file: str
    code: str
    tree: ast.Module | None  # its syntax tree
    fault: str  # why it has none
    first: int  # its first line in the file, or in the cell
    cell: int = 0  # of a notebook, from 1

    def place(self, line: int) -> str:
        """The place in the project of a line of the code, from 1."""
        where = Place(self.file, self.first + line - 1)
        return f"{self.file}, cell {self.cell}, line {where.line}" if self.cell else str(where)


def python_sources(files: Mapping[str, bytes]) -> Iterator[PythonSource]:
    """All Python among some files; not the notebook made from a `.qmd` beside it, whose chunks are there."""
    for path in sorted(files):
        try:
            for code, *start in _pieces(files, path):
                yield PythonSource(path, code, *_parsed(code), *start)
        except (HandinError, UnicodeDecodeError) as error:
            place = error.place if isinstance(error, HandinError) else None
            yield PythonSource(path, "", None, str(error), (place and place.line) or 1)


def with_uses(pieces: Sequence[PythonSource]) -> list[tuple[PythonSource, list[Use] | None]]:
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


def module_parts(file: str) -> tuple[str, ...]:
    """The parts of the path of a module, a package standing for its `__init__.py`."""
    path = PurePosixPath(file)
    return path.parent.parts if path.stem == "__init__" else path.with_suffix("").parts


def _pieces(files: Mapping[str, bytes], path: str) -> Iterator[tuple[str, int, int]]:
    """The code in a file, the line on which it begins, and its cell in a notebook."""
    match PurePosixPath(path).suffix.lower():
        case ".py":
            yield files[path].decode("utf-8-sig"), 1, 0
        case ".qmd":
            source = read_alone(files.get, path)
            for chunk in chunks(read_blocks(source)):
                yield _without_magic(chunk.code), chunk.code_line, 0
            for line in source.lines:
                for code in expressions(line.text):
                    yield code, line.place.line or 1, 0
        case ".ipynb" if f"{path[:-6]}.qmd" not in files:
            for number, cell in enumerate(cells_of(files[path]) or (), start=1):
                if cell.is_code:
                    yield _without_magic(cell.source), 1, number


def _parsed(code: str) -> tuple[ast.Module | None, str]:
    """The syntax tree, or why there is none."""
    try:
        return ast.parse(code), ""
    except SyntaxError as error:
        return None, f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return None, str(error) or type(error).__name__


def _without_magic(code: str) -> str:
    """The code with IPython's own syntax blanked; `%pylab` imports NumPy, so it stays as an import."""

    def blank(match: re.Match[str]) -> str:
        return (match[1] or "") + ("import pylab" if re.match(r"[ \t]*%%?pylab", match[0]) else "pass")

    return _MAGIC.sub(blank, code)
