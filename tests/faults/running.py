"""Runs commands that are killed, and looks at what is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 5.0  # s until a process that has lost its parent must have ended


def handin(*words: str) -> list[str]:
    return [sys.executable, "-m", "handin", *words]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "code"), **more}


def run(
    command: Sequence[str], folder: Path, *, timeout: float = 120, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end; a hang is a failure."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


def start(command: Sequence[str], folder: Path, **more: str) -> subprocess.Popen[str]:
    """Start, in a group of processes of its own, which hears Ctrl-C."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


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


def change(folder: Path) -> None:
    """Edit a copy so that report, notebook and figure come out otherwise."""
    points = folder / "data" / "points.csv"
    points.write_text(points.read_text() + "7,0.5\n")
    for name in ("report.qmd", "notebook.qmd"):
        text = (folder / name).read_text().replace("Small Things", "Other Things")
        (folder / name).write_text(text)


def outputs(folder: Path) -> dict[str, bytes]:
    """Documents, ZIPs and figures."""
    found = sorted((folder / "_output").rglob("*.*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def debris(folder: Path) -> list[str]:
    """Files that no command should leave."""
    hidden = (folder / "_output").rglob(".*")
    beside = [*folder.glob("*_files"), *folder.glob("*.quarto_ipynb*"), *folder.glob("*.ipynb")]
    return [str(path) for path in (*hidden, *(folder / "_build").glob("*-*"), *beside)]


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
