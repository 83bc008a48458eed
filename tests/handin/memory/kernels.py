"""Asks the process that makes kernels, `kernel_server.py`."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

CODE = Path(__file__).resolve().parents[3] / "code"


class Kernels:
    """Runs requests in fresh kernels."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.answered = 0  # requests of the last run that memory answered

    def run(
        self,
        root: Path,
        requests: list[Any],
        *,
        memory: bool = True,
        variables: dict[str, str] | None = None,
        cores: int = 2,
    ) -> list[Any]:
        """For each request, messages and reply."""
        site = root.parent / "site-packages"  # of packages that a test installs
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root / "code"), str(site), str(CODE)]),
            "PYTHONDONTWRITEBYTECODE": "1",  # Python takes bytecode for that of any source of the same second
            "SOURCE_DATE_EPOCH": "0",  # stands in every SVG
            **(variables or {}),
        }
        environment.pop("PYTEST_CURRENT_TEST", None)  # at its sight ipykernel captures nothing
        job = {
            "root": str(root),
            "variables": environment,
            "requests": requests,
            "memory": memory,
            "cores": cores,
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.answered = answer["answered"]
        told: list[Any] = answer["told"]
        return told
