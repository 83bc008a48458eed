"""What the renderer is doing, chunk by chunk: alive at a terminal, one calm line per step elsewhere.

A chunk that takes long can tell how far it is: to the file that the variable `PROGRESS_FILE` names it appends
lines of JSON, `{"task": str, "done": int, "total": int, "eta_s": float | null}`. The latest is
shown beside the running chunk; `{"say": str}` is shown as a line, once.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status

VARIABLE = "PROGRESS_FILE"
PERIOD = 0.25  # s between two looks at the progress file


def duration(seconds: float) -> str:
    """Seconds for a reader: `0.4 s`, `37 s`, `2 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """Shows steps and what the running one reports. To be used in a `with` block.

    Args:
        console: Where to; None for silence.
        file: The progress file that the kernel appends to.
    """

    def __init__(self, console: Console | None, file: Path) -> None:
        self._console = console or Console(quiet=True)
        self._file = file
        self._step = ""
        self._status: Status | None = None
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._status is not None:
            self._watcher.join()
            self._status.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step that is timed; its line stays when it is complete."""
        self._begin(text)
        started = time.perf_counter()
        try:
            yield
        finally:
            for line in dict.fromkeys(said(self._file)):
                self.say(line)
        self.say(f"{text}  {duration(time.perf_counter() - started)}")
        self._begin("")

    def _begin(self, text: str) -> None:
        self._step = text
        self._file.write_bytes(b"")  # what an earlier step reported is no news
        if self._status is not None:
            self._status.update(text)

    def _watch(self) -> None:
        while not self._stop.wait(PERIOD):
            if self._status is not None and (news := latest(self._file)):
                self._status.update(f"{self._step}  [dim]{news}[/dim]")


def latest(file: Path) -> str:
    """The last complete report in a progress file, in words; empty where there is none."""
    for report in reversed(_reports(file)):
        try:
            text = f"{report['task']} {report['done']}/{report['total']}"
            eta = report.get("eta_s")
            return text if eta is None else f"{text}, about {duration(eta)} left"
        except (KeyError, TypeError):
            continue
    return ""


def said(file: Path) -> list[str]:
    """The lines in a progress file that are to be shown."""
    return [str(report["say"]) for report in _reports(file) if "say" in report]


def _reports(file: Path) -> list[dict[str, Any]]:
    """What is complete, and ours: progress is a courtesy, never a reason to stop."""
    found = []
    with suppress(OSError, UnicodeDecodeError):
        for line in file.read_text(encoding="utf-8").split("\n")[:-1]:
            with suppress(ValueError):
                report = json.loads(line)
                if isinstance(report, dict):
                    found.append(report)
    return found
