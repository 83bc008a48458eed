"""What a render is doing, step by step: alive at a terminal, one calm line per step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import rich.progress
from rich.console import Console
from rich.progress import TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Progress(rich.progress.Progress):
    """Says what was done and, at a terminal, what is being done, how long already and about how long still.

    It says it to `console`; None for silence.
    """

    def __init__(self, console: Console | None) -> None:
        words = TextColumn("{task.description}", markup=False)
        columns = words, TimeElapsedColumn(), TextColumn("[dim]left:"), TimeRemainingColumn()
        console = console or Console(quiet=True)
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def steps(self, total: int) -> Iterator[None]:
        """The steps in the block belong together: those that are done tell how long the rest may take."""
        task = self.add_task("", total=total)
        try:
            yield
        finally:
            self.remove_task(task)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step that is timed; its line stays when it is complete."""
        started = time.perf_counter()
        for task in self.task_ids:
            self.update(task, description=text)
        yield
        self.say(f"{text}  {time.perf_counter() - started:.1f} s")
        for task in self.task_ids:
            self.advance(task)
