"""docs/cluster.md: its command and its program do what the page says, on a cluster of this machine."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from distributed import LocalCluster

from fnn import train_restarts
from fnn.inputs import environment
from fnn.runs.sources import CODE
from fnn.runs.study import load_record

PAGE = (CODE.parent / "docs" / "cluster.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the page in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def run(*command: str) -> str:
    """What a program prints, run from the project's folder."""
    variables = os.environ | {"PYTHONPATH": str(CODE)}
    done = subprocess.run(
        command, env=variables, cwd=CODE.parent, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_the_command_keeps_its_record(tmp_path: Path) -> None:
    (command,) = blocks("sh long")
    python, *arguments = shlex.split(command)
    assert python == "python"
    printed = run(sys.executable, *arguments, "--output", str(tmp_path / "study"))
    assert "1000 runs of 1-2-1 (sigmoid) on D1, lm" in printed
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == [
        "minima.json",
        "minima.md",
        "record.safetensors",
    ]
    assert len(load_record(tmp_path / "study" / "record.safetensors")) == 1000
    assert len(list(environment.store().iterdir())) == 20


@pytest.mark.long
def test_the_two_lines_send_the_shards_to_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = blocks("python")
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        assert program.count("tcp://scheduler:8786") == 1
        (tmp_path / "program.py").write_text(
            program.replace("tcp://scheduler:8786", cluster.scheduler_address)
        )
        printed = run(sys.executable, str(tmp_path / "program.py"))
    assert len(list(environment.store().iterdir())) == 20  # written by the client
    there = train_restarts([2], 1000, method="lm", shards=20)  # read
    assert printed.split() == ["1000", str(float(there.train_mse[there.best]))]

    monkeypatch.setenv("FNN_STORE", str(tmp_path / "here"))
    alone = train_restarts([2], 50, method="lm", shards=1)
    assert torch.equal(alone.params, there.params[:50])
