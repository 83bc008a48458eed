"""docs/library.md and docs/cluster.md: their programs run as they stand, and what they say of rows is so."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from distributed import LocalCluster

from fnn import train_restarts
from fnn.inputs import environment
from fnn.runs.sources import CODE

PAGE = (CODE.parent / "docs" / "library.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
PRINTED = [
    [r"torch.Size\(\[123, 1\]\)", r"tensor\(0\.00.*\) .+", r"MLP\(\[1, 4, 3, 1\], tanh\)"],
    ["40 5"],
    [r"0\.\d+"],
    [r"\d\.\d+e?-?\d*"],
]


@pytest.mark.parametrize(("program", "printed"), list(zip(PROGRAMS, PRINTED, strict=True)))
def test_programs_print_what_they_say(
    program: str, printed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with joblib.parallel_config(n_jobs=1):  # quicker than to start processes
        exec(compile(program, "docs/library.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(printed)
    for line, pattern in zip(lines, printed, strict=True):
        assert re.fullmatch(pattern, line)


OWN = """
import torch
from fnn import train1, train_restarts
train1([2], 2, phi="softplus")
record = train_restarts([2], 3, method="rmsprop", limits="quick", options={"lr": 0.01})
assert (record.train_mse < record.trace[:, 0]).all()
"""


def test_a_unit_and_an_optimiser_by_the_page(tmp_path: Path) -> None:
    """By its listings and nothing else: the code runs, and its tables are tested in a copy of the tests."""
    shutil.copytree(CODE, tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__", "handin"))
    shutil.copytree(CODE.parent / "data", tmp_path / "data")
    shutil.copy(CODE.parent / "_quarto.yml", tmp_path)
    optimizers, units = tmp_path / "code/fnn/optimizers", tmp_path / "code/fnn/units.py"
    unit, method = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    [module] = re.findall(r"^```python method\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (optimizers / "rmsprop.py").write_text(module)
    for path, place, row in (
        (units, '        Unit("tanh"', unit),
        (optimizers / "__init__.py", '    "rprop":', method),
        (optimizers / "__init__.py", "from fnn.optimizers.problem", "from fnn.optimizers import rmsprop\n"),
    ):
        text = path.read_text()
        assert text.count(place) == 1
        path.write_text(text.replace(place, row + place))
    variables = os.environ | {"PYTHONPATH": str(tmp_path / "code")}
    for command in (
        ["-c", OWN],
        [
            "-m",
            "pytest",
            "-q",
            "-k",
            "softplus",
            f"--rootdir={tmp_path}",
            str(Path(__file__).parent / "optimizers"),
        ],
    ):
        done = subprocess.run(
            [sys.executable, *command], env=variables, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_the_two_lines_send_the_shards_to_a_cluster(tmp_path: Path) -> None:
    page = (CODE.parent / "docs" / "cluster.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        assert program.count("tcp://scheduler:8786") == 1
        path = tmp_path / "program.py"
        path.write_text(program.replace("tcp://scheduler:8786", cluster.scheduler_address))
        variables = os.environ | {"PYTHONPATH": str(CODE)}
        printed = subprocess.check_output([sys.executable, path], env=variables, cwd=CODE.parent, text=True)
    assert len(list(environment.store().iterdir())) == 20  # written by the client
    there = train_restarts([2], 1000, method="lm", shards=20)  # read
    assert printed.split() == ["1000", str(float(there.train_mse[there.best]))]
