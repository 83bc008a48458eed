"""Kernels with and without memory, on demand."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernels import CODE, Kernels


@pytest.fixture(scope="session")
def kernels() -> Iterator[Kernels]:
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(CODE)}
    script = Path(__file__).with_name("kernel_server.py")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, script], text=True, env=environment, **pipes) as process:
        yield Kernels(process)
        assert process.stdin
        process.stdin.close()
