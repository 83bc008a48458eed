"""Starts the workers, one after the other, and passes on what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Lock, Thread

from handin.preview.server import Message
from handin.preview.worker import Job

PATIENCE = 1.5  # s that an overtaken build has to end its kernel


class Builds:
    """Builds of one project, of which the newest counts.

    Args:
        root: The project's folder.
        tell: Gets every message of the newest build.
    """

    def __init__(self, root: Path, tell: Callable[[Message], None]) -> None:
        self._root = root
        self._tell = tell
        self._waiting: subprocess.Popen[str] | None = None  # has imported everything, or is about to
        self._running: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def start(self, job: Job, *, afresh: bool = False) -> None:
        """Build; a build that still runs is overtaken.

        Args:
            job: What to build.
            afresh: The tool's own code has changed: do not use a worker that has imported it.
        """
        with self._lock:
            self._end(self._running)
            if afresh:
                self._end(self._waiting)
                self._waiting = None
            worker = self._waiting or self._worker()
            self._waiting, self._running = None, worker
        self._tell({"step": "building"})
        assert worker.stdin is not None
        worker.stdin.write(f"{json.dumps(asdict(job))}\n")
        worker.stdin.flush()
        Thread(target=self._follow, args=(worker,), daemon=True).start()

    def stop(self) -> None:
        """End every process."""
        with self._lock:
            self._end(self._running, self._waiting)
            self._running = self._waiting = None

    def _follow(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdout is not None
        ended = False
        for line in worker.stdout:
            message = json.loads(line)
            if worker is self._running:
                ended = not message.keys().isdisjoint({"done", "error"})
                self._tell(message)
        code = worker.wait()
        with self._lock:
            if worker is not self._running:
                return  # overtaken, or all is over
            self._running = None
            if not ended:
                words = f"the build ended with status {code}; what it printed stands in the terminal"
                self._tell({"error": words, "seconds": None})
            self._waiting = self._worker()  # for the next save

    def _end(self, *workers: subprocess.Popen[str] | None) -> None:
        alive = [worker for worker in workers if worker is not None and worker.poll() is None]
        for worker in alive:
            worker.terminate()
        for worker in alive:
            try:
                worker.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _worker(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "handin.preview.worker", str(self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
