"""The Python of a project, wherever it stands: modules, Quarto chunks and inline values, notebook cells."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from handin.errors import HandinError, Place
from handin.qmd.chunks import chunks, expressions, read_blocks, without_magics
from handin.qmd.source import read_alone
from handin.reading.notebook import cells_of


@dataclass(frozen=True)
class PythonSource:
    """One piece of Python."""

    file: str
    code: str
    tree: ast.Module  # its syntax tree; empty where it has none
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
            yield PythonSource(path, "", ast.Module([], []), str(error), (place and place.line) or 1)


def module_names(files: Iterable[str]) -> set[str]:
    """The names of modules and packages among some files, from whatever folder they are imported."""
    paths = [PurePosixPath(file) for file in files if file.endswith(".py")]
    parts = [path.parent.parts if path.stem == "__init__" else path.with_suffix("").parts for path in paths]
    return {
        ".".join(path[start:end])
        for path in parts
        for start in range(len(path))
        for end in range(start + 1, len(path) + 1)
    }


def _pieces(files: Mapping[str, bytes], path: str) -> Iterator[tuple[str, int, int]]:
    """The code in a file, the line on which it begins, and its cell in a notebook."""
    match PurePosixPath(path).suffix.lower():
        case ".py":
            yield files[path].decode("utf-8-sig"), 1, 0
        case ".qmd":
            source = read_alone(files.get, path)
            for chunk in chunks(read_blocks(source)):
                yield without_magics(chunk.code), chunk.code_line, 0
            for line in source.lines:
                for code in expressions(line.text):
                    yield code, line.place.line or 1, 0
        case ".ipynb" if f"{path[:-6]}.qmd" not in files:
            for number, cell in enumerate(cells_of(files[path]), start=1):
                if cell.is_code:
                    yield without_magics(cell.source), 1, number


def _parsed(code: str) -> tuple[ast.Module, str]:
    """The syntax tree, or an empty one and why there is none."""
    try:
        return ast.parse(code), ""
    except SyntaxError as error:
        return ast.Module([], []), f"{error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        return ast.Module([], []), str(error) or type(error).__name__
