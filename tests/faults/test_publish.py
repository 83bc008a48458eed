"""Outputs are put in place all or none: a process is killed at each of the steps in between."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from running import environment

from handin.files.publish import MOVES, complete, publish

NAMES = ("_output/report.pdf", "_output/notebook.pdf", "_output/notebook.ipynb", "figures/fig-a.svg")

# Kills itself before or after the call number `at` of a function of `os`.
DYING = """
import os, signal, sys
from pathlib import Path
from handin.files.publish import publish
step, at, when, folder, *names = sys.argv[1:]
called, true = 0, getattr(os, step)

def dying(*arguments):
    global called
    called += 1
    if called == int(at) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = true(*arguments)
    if called == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(os, step, dying)
publish({Path(folder) / name: b"new" for name in names}, [Path(folder) / "figures" / "fig-old.svg"])
"""


def held(folder: Path) -> dict[str, str]:
    found = {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }
    return {name: text for name, text in found.items() if not Path(name).name.startswith(".")}


def test_a_kill_at_any_step_leaves_old_or_new_and_never_both(tmp_path: Path) -> None:
    new = dict.fromkeys(NAMES, "new")
    steps = [("fsync", at) for at in range(1, 6)] + [("replace", at) for at in range(1, 6)]
    running = []
    for step, at in steps:
        folder = tmp_path / f"{step}-{at}"
        for name in (*NAMES, "figures/fig-old.svg"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("old")
        command = [
            sys.executable,
            "-c",
            DYING,
            step,
            str(at),
            ("before", "after")[at % 2],
            str(folder),
            *NAMES,
        ]
        running.append((folder, step, at, subprocess.Popen(command, env=environment())))
    statuses = [process.wait(timeout=60) for *_, process in running]
    assert statuses.count(-9) >= 9, "not killed: steps were never reached"
    ends = set()
    for folder, step, at, _ in running:
        complete(folder / "_output")  # what every command does first
        now = held(folder)
        old = dict.fromkeys((*NAMES, "figures/fig-old.svg"), "old")
        assert now in (old, new), f"a mix, killed at {step} {at}: {now}"
        ends.add("old" if now == old else "new")
        publish({folder / name: b"new" for name in NAMES}, [folder / "figures" / "fig-old.svg"])
        assert held(folder) == new
        assert not [path for path in folder.rglob(".*") if path.is_file()], "debris is left"
    assert ends == {"old", "new"}


def test_a_list_of_moves_that_others_made_moves_and_removes_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "_output"
    folder.mkdir(parents=True)
    (tmp_path / ".bashrc.1").write_text("bad")
    for name in (tmp_path / "precious", folder.parent / "_quarto.yml", folder / "a.pdf"):
        name.write_text("kept")
    for moves in (
        {"moves": [["../../.bashrc.1", "../../.bashrc"]], "remove": ["../../precious"]},
        {"moves": [["a.pdf", "../report.qmd"]], "remove": [str(tmp_path / "precious")]},
        {"moves": [["a.pdf"]], "remove": []},
        {"moves": 3},
        [],
    ):
        (folder / MOVES).write_text(json.dumps(moves))
        complete(folder)
        assert not (folder / MOVES).exists()
    assert (tmp_path / "precious").read_text() == "kept"
    assert (folder / "a.pdf").read_text() == "kept"
    assert not (tmp_path / ".bashrc").exists()


@pytest.mark.parametrize("text", ["", "{", "\0", "null", '{"moves": [[1, 2]], "remove": [3]}'])
def test_a_list_of_moves_that_is_none_is_removed(tmp_path: Path, text: str) -> None:
    (tmp_path / MOVES).write_text(text)
    complete(tmp_path)
    assert not (tmp_path / MOVES).exists()
