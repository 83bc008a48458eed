"""Bringing the state up to date draws figures again, but renders none that nobody can look at any more.

Rendering takes longer than all the rest, and it changes the figure: a layout is settled, limits are fixed. So
it is left out where the figure is the value of a cell's last line, nothing else refers to it once the cell is
done, and rendering it has warned of nothing. What is still there after the cell is rendered, for its sake.

IPython keeps values of cells by itself (`Out`, `_`). A figure that is left out does not stand there, which is
why nothing is left out in a project whose documents use these names.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from handin.memory.declared import chunks

HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_[io]h|_dh|Out|In|get_ipython")


class Figures:
    """Renders or leaves out the figures of cells whose outputs are dropped.

    Args:
        shell: IPython's.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._left_out: list[weakref.ref[Any]] = []
        self.some = False  # has one been left out in the last cell?
        self.any = False  # in any?

    @contextmanager
    def left_out(self) -> Iterator[None]:
        """Run a cell in this context."""
        hook = self._shell.displayhook
        render, keep, fill = hook.compute_format_data, hook.update_user_ns, hook.fill_exec_result
        skipped: list[bool] = [False]

        def compute_format_data(value: Any) -> Any:
            skipped[0] = _is_plain(value, self._shell.display_formatter)
            if not skipped[0]:
                return render(value)
            self._left_out.append(weakref.ref(value))
            return {}, {}

        hook.compute_format_data = compute_format_data
        hook.update_user_ns = lambda value: skipped[0] or keep(value)
        hook.fill_exec_result = lambda value: skipped[0] or fill(value)
        gc.freeze()  # only what the cell makes is looked at
        try:
            yield
        finally:
            del hook.compute_format_data, hook.update_user_ns, hook.fill_exec_result
            if self._left_out:
                gc.collect()
            for figure in filter(None, (reference() for reference in self._left_out)):
                self._shell.display_formatter.format(figure)
                keep(figure)
            self.some = any(reference() is None for reference in self._left_out)
            self.any = self.any or self.some
            self._left_out.clear()
            gc.unfreeze()


def _is_plain(value: Any, formatter: Any) -> bool:
    """A figure whose rendering runs matplotlib's code alone and changes nothing but the figure.

    Values mapped to colours are scaled when they are drawn, and the scale may be that of another figure, too.
    """
    module = sys.modules.get("matplotlib.figure")
    if module is None or type(value) is not module.Figure:
        return False
    artists = value.findobj()
    return (
        all(type(artist).__module__.startswith(("matplotlib.", "mpl_toolkits.")) for artist in artists)
        and all(getattr(artist, "get_array", lambda: None)() is None for artist in artists)
        and all(_is_theirs(getattr(module.Figure, name)) for name in dir(module.Figure) if "_repr_" in name)
        and all(_is_theirs(render) for render in _renderers(formatter, module.Figure))
    )


def _is_theirs(function: Any) -> bool:
    function = getattr(function, "func", function)
    return str(getattr(function, "__module__", "")).startswith(("matplotlib", "IPython"))


def _renderers(formatter: Any, kind: type) -> Iterator[Any]:
    special = (formatter.ipython_display_formatter, formatter.mimebundle_formatter)
    for each in (*formatter.formatters.values(), *special):
        with suppress(KeyError):
            yield each.lookup_by_type(kind)


def uses_history(code: str) -> bool:
    """Does code ask for the values of earlier cells, or may it, as magic commands may?"""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return True
    names = (
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    return any(map(HISTORY.fullmatch, names))


def any_uses_history(root: Path) -> bool:
    """Does a chunk or an inline expression of the project's documents?"""
    return any(map(uses_history, chunks(root)))
