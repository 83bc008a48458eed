"""Shards: split, stored, trained anywhere and in any company; the result is the same, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import joblib
import pytest
import torch
from distributed import Client, LocalCluster

from fnn import Dataset, Record, load_d1, train_restarts
from fnn.inputs import environment
from fnn.optimizers import METHODS, Limits
from fnn.runs import pool, records, store
from fnn.runs.pool import Shard
from fnn.runs.records import FEWEST_RUNS, MATRIX_ENTRIES, Training
from fnn.runs.sources import CODE
from fnn.training import train_all

FEW = Limits(iterations=60, least_squares_iterations=60)
Calls = list[list[tuple[tuple[int, ...], int]]]  # of each batch, the hidden sizes and runs of its shards


def differences(a: Record, b: Record) -> list[str]:
    """The tensors of two records that differ in a bit."""
    tensors = [field.name for field in fields(Record) if field.type in (torch.Tensor, "Tensor")]
    assert len(tensors) == 10
    bits = [
        (getattr(a, name).double().view(torch.int64), getattr(b, name).double().view(torch.int64))
        for name in tensors
    ]
    return [name for name, (x, y) in zip(tensors, bits, strict=True) if not torch.equal(x, y)]


@pytest.fixture
def _in_this_process() -> Any:
    with joblib.parallel_config(n_jobs=1):
        yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, _in_this_process: None) -> Calls:
    """The batches that are trained, in this process."""
    found: Calls = []
    train_batch = pool.train_batch

    def noted(trainings: Sequence[Training], minimize: Any, runs: Sequence[range]) -> Any:
        found.append([(each.sizes[1:-1], len(own)) for each, own in zip(trainings, runs, strict=True)])
        return train_batch(trainings, minimize, runs)

    monkeypatch.setattr(pool, "train_batch", noted)
    return found


@pytest.mark.parametrize(("restarts", "shards"), [(1, 1), (10, 3), (10, 10), (100_000, 64)])
def test_shards_have_every_run_once_in_order(restarts: int, shards: int) -> None:
    ranges = Training([1], restarts, shards=shards).ranges
    assert len(ranges) == shards
    assert [i for shard in ranges for i in shard] == list(range(restarts))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize("width", [1, 10, 100, 333])
def test_shards_bound_the_memory(width: int) -> None:
    training, P = Training([width], 10_000), 3 * width + 1
    assert max(map(len, training.ranges)) <= max(FEWEST_RUNS, MATRIX_ENTRIES / P**2)
    assert len(replace(training, restarts=1).ranges) == 1


def test_the_dearest_come_first_and_nothing_is_trained_twice(calls: Calls) -> None:
    narrow, wide = (Training([width], 2, "lm", limits=FEW) for width in (1, 4))
    first = train_all([narrow, wide])
    assert calls == [[((4,), 2)], [((1,), 2)]]
    again = train_all([narrow, replace(narrow, restarts=3), wide])
    assert calls[2:] == [[((1,), 3)]]
    assert [again[0].seconds, again[2].seconds] == [record.seconds for record in first]


def test_a_damaged_shard_is_trained_again_and_the_document_does_not_hear_of_it(
    calls: Calls, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training([1], 2, "lm", limits=FEW)
    [record] = train_all([training])
    path = store.entry_path(Shard(training, range(2)).key)
    path.write_bytes(path.read_bytes()[:-1])
    [again] = train_all([training])
    assert len(calls) == 2
    assert differences(again, record) == []
    said = capfd.readouterr()
    assert said.err.endswith("computing it again\n")


def test_shards_that_may_differ_share_a_batch_and_change_no_bit(calls: Calls) -> None:
    usual = Training([3], 4, limits=FEW)
    others = [
        replace(usual, **change)
        for change in (
            {"init": "nguyen-widrow", "restarts": 3}, {"decay": 1e-4, "restarts": 2}, {"seed": 7},
            {"restarts": 500}, {"limits": replace(FEW, iterations=50)}, {"shards": 2, "seed": 8},
        )
    ]  # fmt: skip
    together = train_all([usual, *others])
    assert sorted(len(batch) for batch in calls) == [1, 1, 2, 4]
    for training, record in zip([usual, *others], together, strict=True):
        [path.unlink() for path in environment.store().iterdir()]
        assert differences(train_all([training])[0], record) == []


@pytest.mark.usefixtures("_in_this_process")
def test_a_failing_shard_keeps_the_finished_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    train_batch, dear, cheap = pool.train_batch, Training([2], 1, limits=FEW), Training([1], 1, limits=FEW)

    def failing(trainings: Sequence[Training], *rest: Any) -> Any:
        if trainings[0] == cheap:
            raise RuntimeError("out of memory")
        return train_batch(trainings, *rest)

    monkeypatch.setattr(pool, "train_batch", failing)
    with pytest.raises(RuntimeError, match="out of memory"):
        train_all([cheap, dear])
    assert store.get(Shard(dear, range(1)).key) is not None


@pytest.mark.usefixtures("_in_this_process")
def test_a_terminal_hears_how_far_it_is_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)  # noqa: B023
        train_restarts([1], 4, "lm", limits=FEW, shards=2, seed=int(terminal))
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
    code = records.CODE["lm", "sigmoid"] | {"fnn.optimizers.network": "as it was"}
    monkeypatch.setitem(records.CODE, ("lm", "sigmoid"), code)
    with (
        joblib.parallel_config(n_jobs=2),
        pytest.raises(RuntimeError, match="a worker has other code or libraries"),
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
