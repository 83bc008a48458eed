"""What a render is doing, step by step: alive at a terminal, one calm line per step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn, TimeRemainingColumn


def duration(seconds: float) -> str:
    """Seconds for a reader: `0.4 s`, `37 s`, `2 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """Says what was done and, at a terminal, what is being done, how long already and about how long still.

    Args:
        console: Where to; None for silence.
    """

    def __init__(self, console: Console | None) -> None:
        self._console = console or Console(quiet=True)
        words = TextColumn("{task.description}", markup=False)
        columns = words, TimeElapsedColumn(), TextColumn("[dim]left:"), TimeRemainingColumn()
        self._bar = Bar(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def steps(self, total: int) -> Iterator[None]:
        """The steps in the block belong together: those that are done tell how long the rest may take."""
        task = self._bar.add_task("", total=total)
        try:
            yield
        finally:
            self._bar.remove_task(task)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step that is timed; its line stays when it is complete."""
        started = time.perf_counter()
        for task in self._bar.task_ids:
            self._bar.update(task, description=text)
        yield
        self.say(f"{text}  {duration(time.perf_counter() - started)}")
        for task in self._bar.task_ids:
            self._bar.advance(task)
