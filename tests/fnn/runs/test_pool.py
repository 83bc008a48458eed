"""Shards: split, stored, computed anywhere; the result is the same, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import joblib
import pytest
import torch
from distributed import Client, LocalCluster

from fnn import Dataset, Record, load_d1, train_restarts, training
from fnn.inputs import environment
from fnn.optimizers import METHODS, Limits
from fnn.runs import pool, records, store
from fnn.runs.pool import Task, automatic_shards, split
from fnn.runs.sources import CODE

FEW = Limits(iterations=60, least_squares_iterations=60)


def differences(a: Record, b: Record) -> list[str]:
    """The tensors of two records that differ in a bit."""
    tensors = [field.name for field in fields(Record) if field.type in (torch.Tensor, "Tensor")]
    assert len(tensors) == 10
    bits = [
        (getattr(a, name).double().view(torch.int64), getattr(b, name).double().view(torch.int64))
        for name in tensors
    ]
    return [name for name, (x, y) in zip(tensors, bits, strict=True) if not torch.equal(x, y)]


def squares(calls: list[int] | None, *numbers: float) -> dict[str, torch.Tensor]:
    """What the tasks of these tests compute."""
    if calls is not None:
        calls.append(len(numbers))
    if not numbers:
        raise RuntimeError("nothing to square")
    return {"y": torch.tensor([number**2 for number in numbers])}


def task(calls: list[int] | None, *numbers: float, cost: float = 1.0) -> Task:
    return Task(squares, (calls, *numbers), {"numbers": list(numbers)}, runs=len(numbers), cost=cost)


@pytest.fixture
def _in_this_process() -> Any:
    with joblib.parallel_config(n_jobs=1):
        yield


@pytest.mark.parametrize(("restarts", "shards"), [(1, 1), (10, 3), (10, 10), (100_000, 64)])
def test_split_covers_every_run_once_in_order(restarts: int, shards: int) -> None:
    ranges = split(restarts, shards)
    assert len(ranges) == shards
    assert [i for shard in ranges for i in shard] == list(range(restarts))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize("shards", [0, -1, 11])
def test_impossible_splits_are_refused(shards: int) -> None:
    with pytest.raises(
        ValueError, match=f"shards={shards}: must be between 1 and the number of restarts, 10"
    ):
        split(10, shards)


@pytest.mark.parametrize("parameters", [4, 31, 301, 1000])
def test_shards_bound_the_memory(parameters: int) -> None:
    for device, most in (("cpu", 10 * 8 * 1000**2), ("cuda", pool.DEVICE_BYTES)):
        shards = automatic_shards(10_000, parameters, device)
        assert max(map(len, split(10_000, shards))) * 8 * parameters**2 <= most
    assert automatic_shards(1, parameters, "cpu") == 1


@pytest.mark.usefixtures("_in_this_process")
def test_the_dearest_come_first_and_nothing_is_computed_twice() -> None:
    calls: list[int] = []
    tasks = [task(calls, 1.0), task(calls, 2.0, 3.0, cost=9.0), task(calls, 4.0, 5.0, 6.0, cost=2.0)]
    first = pool.compute(tasks[:2])
    assert calls == [2, 1]
    again = pool.compute(tasks)
    assert calls == [2, 1, 3]
    assert [entry.tensors["y"].tolist() for entry in again] == [[1.0], [4.0, 9.0], [16.0, 25.0, 36.0]]
    assert [entry.metadata for entry in again[:2]] == [entry.metadata for entry in first]
    path = store.entry_path(tasks[1].key)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="computing it again"):
        pool.compute(tasks)
    assert calls == [2, 1, 3, 2]


@pytest.mark.usefixtures("_in_this_process")
def test_a_failing_task_keeps_the_finished_ones() -> None:
    done = task(None, 1.0)
    with pytest.raises(RuntimeError, match="nothing to square"):
        pool.compute([task(None, cost=0.5), done])
    assert store.get(done.key) is not None


def test_a_terminal_hears_how_far_it_is_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)  # noqa: B023
        with joblib.parallel_config(n_jobs=1):
            pool.compute([task(None, float(terminal), 2.0), task(None, float(terminal), 3.0)])
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == "\r\x1b[Ktrained 2 of 4 runs\r\x1b[K" * terminal


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("_in_this_process")
def test_the_record_does_not_depend_on_the_shards(method: str) -> None:
    """Nor on whether it was trained or read."""
    whole = train_restarts([2], 7, method=method, limits=FEW, shards=1)
    for shards in (2, 7):
        assert differences(train_restarts([2], 7, method=method, limits=FEW, shards=shards), whole) == []
    read = train_restarts([2], 7, method=method, limits=FEW, shards=1)
    assert differences(read, whole) == []
    assert read.seconds == whole.seconds


def in_processes() -> Record:
    with joblib.parallel_config(n_jobs=2):
        return train_restarts([2], 8, method="lm", limits=FEW, shards=4)


def on_a_cluster() -> Record:
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config(backend="dask"):
        return train_restarts([2], 8, method="lm", limits=FEW, shards=4)


@pytest.mark.parametrize("elsewhere", [in_processes, on_a_cluster])
def test_processes_and_clusters_give_the_same_bits(
    elsewhere: Callable[[], Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    with joblib.parallel_config(n_jobs=1):
        alone = train_restarts([2], 8, method="lm", limits=FEW, shards=4)
    monkeypatch.setenv("FNN_STORE", str(environment.store().with_name("other")))
    assert differences(elsewhere(), alone) == []
    assert len(list(environment.store().iterdir())) == 4


def changed_value(data: Dataset, part: str) -> Dataset:
    """The data set with one bit of one number changed."""
    values = getattr(data, part).clone()
    values[3] = torch.nextafter(values[3], values[3] + 1)
    return replace(data, **{part: values})


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_sizes": [2]},
        {"method": "rprop"},
        {"phi": "tanh"},
        {"seed": 25},
        {"init": "nguyen-widrow"},
        {"decay": 1e-3},
        {"options": {"lr": 0.02}},
        {"limits": replace(FEW, gradient=1e-5)},
        *({"data": changed_value(load_d1(), part)} for part in ("X_train", "y_train", "X_test", "y_test")),
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_argument_and_every_number_of_the_data_trains_anew(options: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"hidden_sizes": [1], "restarts": 2, "method": "adam", "limits": FEW}
    train_restarts(**usual)
    same = {"data": replace(load_d1().double(), name="D2"), "options": {"lr": 0.01}, "shards": 1}
    train_restarts(**usual | same)  # what the data is called, and a default that is given
    assert len(list(environment.store().iterdir())) == 1
    train_restarts(**usual | options)
    assert len(list(environment.store().iterdir())) == 2


def test_a_worker_with_other_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a file is edited while this process lives: workers that start later run the new code."""
    code = records.CODE["lm", "sigmoid"]
    sources = code["sources"] | {"fnn.optimizers.network": "as it was"}
    monkeypatch.setitem(records.CODE, ("lm", "sigmoid"), code | {"sources": sources, "processor": "a DIAL"})
    with (
        joblib.parallel_config(n_jobs=2),
        pytest.raises(training.OtherCodeError, match=r"another fnn\.optimizers\.network, processor than"),
    ):
        train_restarts([1], 2, method="lm", limits=FEW, shards=2)
    assert not environment.store().exists()


KILLED = "from fnn import train_restarts; train_restarts([2], 12, 'scipy-bfgs', limits='quick', shards=12)"


def test_a_killed_training_repeats_no_finished_shard() -> None:
    command = [sys.executable, "-c", KILLED]
    # On one core the shards are computed in the process itself, one after another.
    variables = os.environ | {"PYTHONPATH": str(CODE), "LOKY_MAX_CPU_COUNT": "1"}
    process, root = subprocess.Popen(command, env=variables, start_new_session=True), environment.store()
    deadline = time.monotonic() + 120
    while len(list(root.glob("*.safetensors"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in root.glob("*.safetensors")}
    assert 2 <= len(finished) < 12
    subprocess.run(command, env=variables, check=True, timeout=240)
    assert len(list(root.glob("*.safetensors"))) == 12
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
