"""Trainings that are killed, share a store, or have other cores and threads: the same bits in the end."""

import sys
from pathlib import Path

import pytest
from tests.running import kill, left_running, run, start

pytestmark = pytest.mark.long

# Trains networks and prints a digest of all their numbers.
TRAINING = """
import sys, torch
from fnn import train_restarts
from fnn.runs.store import tensor_digest
width, restarts, method, shards = sys.argv[1:]
record = train_restarts([int(width)], int(restarts), method, limits="quick", shards=int(shards))
print(tensor_digest(*(part for part in vars(record).values() if isinstance(part, torch.Tensor))))
"""


def training(*words: str) -> list[str]:
    return [sys.executable, "-c", TRAINING, *words]


def test_cores_and_threads_change_no_bit(tmp_path: Path) -> None:
    command = training("3", "20", "bfgs", "2")
    found = []
    for number, (before, threads) in enumerate(
        [((), "2"), (("taskset", "-c", "0"), "2"), ((), "1"), ((), "3")]
    ):
        more = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        status, said = run([*before, *command], tmp_path, FNN_STORE=str(tmp_path / f"store-{number}"), **more)
        assert status == 0, said
        found.append(said)
    assert found == [found[0]] * 4


def test_kills_and_company_change_no_bit(tmp_path: Path) -> None:
    command = training("2", "60", "lm", "20")
    _, whole = run(command, tmp_path, FNN_STORE=str(tmp_path / "whole"))
    shared = {"FNN_STORE": str(tmp_path / "shared")}
    for moment in (1.5, 2.5, 3.5, 5):
        kill(command, tmp_path, moment, **shared)
        assert not left_running(tmp_path), "workers go on"
    for process in [start(command, tmp_path, **shared) for _ in range(2)]:
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, said) == (0, whole)
    assert run(command, tmp_path, **shared) == (0, whole), "every entry is sound"
