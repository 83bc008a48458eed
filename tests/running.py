"""Runs commands that are killed or interrupted, and looks at what is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0  # s until a process that has lost its parent must have ended; an idle worker takes forty


def handin(*words: str) -> list[str]:
    return [sys.executable, "-m", "handin", *words]


def start(command: Sequence[str], folder: Path, **more: str) -> subprocess.Popen[str]:
    """Start, in a group of processes of its own, which hears Ctrl-C."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "code"), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(command: Sequence[str], folder: Path, **more: str) -> tuple[int, str]:
    """Run to the end: status, and what was said. A hang is a failure."""
    with start(command, folder, **more) as process:
        try:
            said, _ = process.communicate(timeout=120)
        finally:
            process.kill()
    return process.returncode, said


def kill(command: Sequence[str], folder: Path, after: float, **more: str) -> bool:
    """Start, and kill after so many seconds; whether it was still running."""
    process = start(command, folder, **more)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=PATIENCE)  # until nothing that it started holds its output any more
        return True
    return False


def interrupt(
    command: Sequence[str], folder: Path, number: signal.Signals, after: float
) -> tuple[float, str, int]:
    """Start, send a signal after so many seconds: seconds until the end, what was said, the status.

    A terminal sends Ctrl-C to all processes of a command, SIGTERM comes to the one that is named.
    """
    process = start(command, folder)
    time.sleep(after)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    sent = time.monotonic()
    said, _ = process.communicate(timeout=30)
    return time.monotonic() - sent, said, process.returncode


def left_running(folder: Path) -> dict[int, str]:
    """Processes that still work in a folder after a while: their command lines by number."""
    deadline = time.monotonic() + PATIENCE
    while (found := _processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _processes_in(folder: Path) -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if Path(os.readlink(entry / "cwd")).is_relative_to(folder):
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")[:200]
        except OSError:
            continue
    return found
