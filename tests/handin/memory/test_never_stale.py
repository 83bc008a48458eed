"""After whatever edits, a kernel with memory says what one without says, byte for byte."""

import random
from pathlib import Path
from typing import Any

import pytest
from kernels import Kernels
from small_project import SmallProject


def check(kernels: Kernels, folder: Path, edits: int, seed: int) -> int:
    """Edit the small project again and again; returns how many requests memory answered."""
    print(f"seed {seed}")
    project = SmallProject(folder / "project", seed)
    answered = 0
    history = []
    for _ in range(edits):
        history.append(project.edit())
        requests = project.requests
        given: dict[str, Any] = {"variables": project.variables, "cores": project.cores}
        made = project.root / "data/made.txt"  # a chunk may write it: each kernel finds what stood before
        before = made.read_bytes() if made.exists() else None
        remembered = kernels.run(project.root, requests, **given)
        answered += kernels.answered
        made.unlink(missing_ok=True) if before is None else made.write_bytes(before)
        executed = kernels.run(project.root, requests, **given, memory=False)
        for request, ours, true in zip(requests, remembered, executed, strict=True):
            assert ours == true, f"seed {seed}: {request!r} after {history[-4:]}"
    return answered


def test_edits(kernels: Kernels, tmp_path: Path) -> None:
    assert check(kernels, tmp_path, edits=6, seed=3) > 10


@pytest.mark.long
@pytest.mark.parametrize("round", range(10))
def test_two_hundred_edits(kernels: Kernels, tmp_path: Path, round: int) -> None:
    check(kernels, tmp_path, edits=20, seed=random.SystemRandom().randrange(10**6))
