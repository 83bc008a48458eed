"""Runs commands that are killed, and looks at what is left."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from handin.files.publish import MOVES, complete

# A user who may read everything and write nothing of others: the interpreter may lie in a closed folder.
_READER = "-all,+dac_read_search"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
NOBODY += (f"--inh-caps={_READER}", f"--ambient-caps={_READER}")
ROOT = Path(__file__).parents[2]
PATIENCE = 5.0  # s until a process that has lost its parent must have ended
Files = Mapping[str, bytes]
# Trains networks and prints a digest of all their numbers.
TRAINING = """
import sys, torch
from fnn import train_restarts
from fnn.runs.store import tensor_digest
width, restarts, method, shards = sys.argv[1:]
record = train_restarts([int(width)], int(restarts), method, limits="quick", shards=int(shards))
print(tensor_digest(*(part for part in vars(record).values() if isinstance(part, torch.Tensor))))
"""


def handin(*words: str) -> list[str]:
    return [sys.executable, "-m", "handin", *words]


def training(width: int, restarts: int, method: str, shards: int) -> list[str]:
    """The command of `TRAINING`."""
    return [sys.executable, "-c", TRAINING, str(width), str(restarts), method, str(shards)]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "code"), **more}


def can(*command: str) -> bool:
    """Whether this machine lets us: a namespace or another user, say."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def after(line: str, command: Sequence[str]) -> list[str]:
    """The command behind a line of shell."""
    return ["sh", "-c", f'{line}; exec "$@"', "sh", *command]


def run(
    command: Sequence[str], folder: Path, *, timeout: float = 60, **more: str
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


def start(
    command: Sequence[str], folder: Path, *, terminal: bool = False, **more: str
) -> subprocess.Popen[str]:
    """Start; with `terminal` in a group of processes of its own, which hears Ctrl-C."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=terminal,
    )


def duration(command: Sequence[str], folder: Path, **more: str) -> float:
    """Seconds that an undisturbed run takes; it must succeed."""
    started = time.monotonic()
    done = run(command, folder, timeout=300, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - started


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


def change(folder: Path) -> None:
    """Edit a copy so that report, notebook and figure come out otherwise."""
    points = folder / "data" / "points.csv"
    points.write_text(points.read_text() + "7,0.5\n")
    for name in ("report.qmd", "notebook.qmd"):
        text = (folder / name).read_text().replace("Small Things", "Other Things")
        (folder / name).write_text(text)


def moments(chance: random.Random, longest: float, count: int) -> list[float]:
    """Random moments of a run, one in each of `count` equal parts of it."""
    return [longest * (part + chance.random()) / count for part in range(count)]


def outputs(folder: Path) -> dict[str, bytes]:
    """What a reader of the project sees: documents, ZIPs and figures; hidden files are none of it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for place in ("_output", "figures")
        for path in sorted((folder / place).glob("*"))
        if not path.name.startswith(".") and path.is_file()
    }


def after_next_command(folder: Path) -> dict[str, bytes]:
    """The outputs as any command of the tool sees them: it first makes the moves that are left."""
    complete(folder / "_output")
    return outputs(folder)


def debris(folder: Path) -> list[str]:
    """Files that no command should leave."""
    hidden = [path for place in ("_output", "figures") for path in (folder / place).glob(".*")]
    scratch = [path for path in (folder / "_build").glob("*-*") if not path.name.startswith("memory")]
    beside = [*folder.parent.glob(".project-*"), *folder.glob("*_files"), *folder.glob("*.quarto_ipynb")]
    return [str(path.relative_to(folder.parent)) for path in (*hidden, *scratch, *beside)]


def processes_in(folder: Path) -> dict[int, str]:
    """Processes that work in a folder: their command lines by number."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            where = os.readlink(entry / "cwd")
            if where == str(folder) or where.startswith(f"{folder}/"):
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")[:200]
        except OSError:
            continue
    return found


def left_running(folder: Path, patience: float = PATIENCE) -> dict[int, str]:
    """Processes that still work in a folder after a while."""
    deadline = time.monotonic() + patience
    while (found := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def has_moves(folder: Path) -> bool:
    return (folder / "_output" / MOVES).exists()


def interrupt(
    command: Sequence[str], folder: Path, number: signal.Signals, after: float, **more: str
) -> tuple[float, str, int]:
    """Start, send a signal after so many seconds: seconds until the end, what was said, the status.

    A terminal sends Ctrl-C to all processes of a command, SIGTERM comes to the one that is named.
    """
    process = start(command, folder, terminal=True, **more)
    time.sleep(after)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    sent = time.monotonic()
    try:
        said, _ = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return time.monotonic() - sent, said, process.returncode


def as_text(files: Files) -> str:
    """Names and sizes, for messages."""
    return json.dumps({name: len(data) for name, data in files.items()})
