"""The Python in a hand-in, wherever it stands: modules, Quarto chunks and inline values, notebook cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from handin.qmd.outline import read_source
from handin.reading.names import Use, uses
from handin.rules.finding import at

if TYPE_CHECKING:  # a submission keeps its units
    from handin.reading.submission import Submission

_INLINE = re.compile(r"`\{python\}\s+([^`]+)`")
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """One piece of Python."""

    file: str
    code: str
    place: Callable[[int], str]  # line of the code, from 1 → place in the hand-in

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None where the code is no Python, `fault` says why."""
        return self._parsed[0]

    @property
    def fault(self) -> str:
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[ast.Module | None, str]:
        try:
            return ast.parse(self.code), ""
        except SyntaxError as error:
            return None, f"{error.msg} (line {error.lineno})"
        except (ValueError, RecursionError, MemoryError) as error:
            return None, str(error) or type(error).__name__


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


def units(submission: Submission) -> Iterator[Unit]:
    """All Python of a hand-in. A notebook made from a `.qmd` beside it is left out: its chunks are there."""
    for path in sorted(submission.files):
        suffix = PurePosixPath(path).suffix.lower()
        if suffix == ".py":
            yield _module(submission, path)
        elif suffix == ".qmd":
            yield from _chunks(submission, path)
    for path in submission.notebooks:
        if not path.endswith(".ipynb") or f"{path[:-6]}.qmd" not in submission.files:
            yield from _cells(submission, path)


def _module(submission: Submission, path: str) -> Unit:
    text = submission.text(path)
    # What cannot be read as text is no Python either; a NUL makes the parser say so.
    return Unit(path, "\0" if text is None else text, lambda line: at(path, line=line))


def _chunks(submission: Submission, path: str) -> Iterator[Unit]:
    text = submission.text(path) or ""
    seen: set[int] = set()
    for notebook in (False, True):  # what either document shows; what both show counts once
        found = read_source(lambda name: text if name == path else None, path, notebook=notebook)
        for chunk in found.chunks:
            if chunk.line not in seen:
                yield Unit(path, _without_magic(chunk.code), _from_line(path, chunk.line))
        seen |= {chunk.line for chunk in found.chunks}
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _INLINE.finditer(line):
            yield Unit(path, match[1].strip(), _from_line(path, number))


def _from_line(path: str, first: int) -> Callable[[int], str]:
    return lambda line: at(path, line=first + line - 1)


def _cells(submission: Submission, path: str) -> Iterator[Unit]:
    notebook = submission.notebook_json(path)
    for number, cell in enumerate(notebook["cells"] if notebook else [], start=1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            yield Unit(path, _without_magic(cell_source(cell)), _in_cell(path, number))


def _in_cell(path: str, number: int) -> Callable[[int], str]:
    return lambda line: f"{path}, cell {number}, line {line}"


def cell_source(cell: dict[str, object]) -> str:
    """The text of a notebook's cell, which the format keeps as a string or as a list of lines."""
    source = cell.get("source", "")
    return "".join(str(line) for line in source) if isinstance(source, list) else str(source)


def _without_magic(code: str) -> str:
    """The code with IPython's own syntax blanked; `%pylab` imports NumPy, so it stays as an import."""

    def blank(match: re.Match[str]) -> str:
        return (match[1] or "") + ("import pylab" if re.match(r"[ \t]*%%?pylab", match[0]) else "pass")

    return _MAGIC.sub(blank, code)
