"""Asks the process that makes kernels, `nursery.py`."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parents[3] / "code"
MEMORY = "--IPKernelApp.kernel_class=handin.memory.kernel.MemoryKernel"


class Nursery:
    """Runs requests in fresh kernels, see `nursery.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.answered = 0  # requests of the last run that memory answered

    def run(
        self, root: Path, requests: list[Any], *, memory: bool = True, variables: dict[str, str] | None = None
    ) -> list[Any]:
        """For each request, messages and reply."""
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root / "code"), str(CODE)]),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python takes bytecode for that of any source of the same second
            "SOURCE_DATE_EPOCH": "0",  # stands in every SVG
            **(variables or {}),
        }
        environment.pop("PYTEST_CURRENT_TEST", None)  # at its sight ipykernel captures nothing
        job = {
            "root": str(root),
            "environment": environment,
            "requests": requests,
            "options": [MEMORY] if memory else [],
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.answered = answer["answered"]
        told: list[Any] = answer["told"]
        return told
