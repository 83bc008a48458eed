"""Grades a folder of 200 hand-ins, 40 of them hostile or broken, on 2 cores: seconds, memory, verdicts.

    python benchmarks/grade_200.py

Fails if it takes more than 60 s, more than 1 GB in all, or if one verdict is wrong.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "code"), str(ROOT / "tests" / "grading")]

import good_handin  # noqa: E402
from hand_in_folder import fill, kinds, wrong_verdicts  # noqa: E402

from grading import grade  # noqa: E402

GOOD, BAD = 160, 40
SECONDS, BYTES = 60.0, 10**9


class Memory(threading.Thread):
    """Watches what this process and all below it hold in memory, shared pages counted once (PSS)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            self.peak = max(self.peak, sum(_pss(pid) for pid in _family(os.getpid())))


def _family(pid: int) -> list[int]:
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []  # it has ended
    found = [pid]
    for child in children:
        found += _family(int(child))
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _cpu() -> float:
    """Seconds of CPU time that this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    every = list(kinds())
    pdfs = [kind for kind in every if kind.startswith("report-")]
    others = [kind for kind in every if kind not in pdfs]
    room = BAD - len(pdfs)
    bad = pdfs + [others[index * len(others) // room] for index in range(room)]

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        expected = fill(folder, GOOD, bad)
        memory = Memory()
        memory.start()
        start, cpu = time.monotonic(), _cpu()
        rows = grade(folder, good_handin.COURSE)
        seconds = time.monotonic() - start
        memory.stopped.set()

    wrong = wrong_verdicts(rows, expected)
    print(
        f"{len(rows)} hand-ins, {len(bad)} of them hostile or broken, on {len(os.sched_getaffinity(0))} cores"
    )
    print(f"time    {seconds:6.1f} s   (at most {SECONDS:.0f} s)")
    print(f"CPU     {_cpu() - cpu:6.1f} s   (of both cores together)")
    print(f"memory  {memory.peak / 1e6:6.0f} MB  (at most {BYTES / 1e6:.0f} MB, all processes together)")
    print(f"verdicts: {len(rows) - len(wrong)} right, {len(wrong)} wrong")
    for line in wrong:
        print(f"  {line}")
    sys.exit(bool(wrong) or seconds > SECONDS or memory.peak > BYTES)


if __name__ == "__main__":
    main()
