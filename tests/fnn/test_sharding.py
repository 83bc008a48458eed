"""Shards: split, stored, computed anywhere; the result is the same, bit for bit."""

import json
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import joblib
import pytest
import torch
from distributed import Client, LocalCluster

from fnn import load_d1, train_restarts, training
from fnn.data import Dataset
from fnn.optimizers import Limits
from fnn.runs import sharding, store
from fnn.runs.sharding import Job, automatic_shards, compute_shards, split
from fnn.training import Record

FEW = Limits(iterations=60, least_squares_iterations=60)
METHODS = ["bfgs", "lm", "adam", "scipy-bfgs"]


def assert_same_record(a: Record, b: Record) -> None:
    """Equal in every bit but the time it took."""
    assert a.settings == b.settings
    for field in fields(Record):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, torch.Tensor):
            assert x.dtype == y.dtype, field.name
            assert torch.equal(x.nan_to_num(-1), y.nan_to_num(-1)), field.name


def squares(factor: int, shard: range) -> dict[str, torch.Tensor]:
    """What the shards of these tests compute."""
    return {"y": factor * torch.tensor([float(i * i) for i in shard])}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The shards that were computed in this process, where jobs then run."""
    done: list[range] = []

    def counted(
        compute: sharding.Compute, shard: range, place: tuple[int, int]
    ) -> tuple[int, int, dict[str, torch.Tensor], dict[str, float]]:
        done.append(shard)
        return *place, compute(shard), {"seconds": 0.5}

    monkeypatch.setattr(sharding, "_timed", counted)
    monkeypatch.setattr(sharding, "_jobs", lambda shards, parallel: 1)
    return done


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
    for device, most in (("cpu", 10 * 8 * 1000**2), ("cuda", sharding.DEVICE_BYTES)):
        shards = automatic_shards(10_000, parameters, device)
        largest = max(map(len, split(10_000, shards)))
        assert largest * 8 * parameters**2 <= most
    assert automatic_shards(1, parameters, "cpu") == 1


def test_finished_shards_are_not_computed_again(calls: list[range]) -> None:
    shards = split(10, 3)
    compute = partial(squares, 2)
    key = {"k": 1}
    compute_shards([Job(compute, shards[:2], key)], "squares")
    assert calls == shards[:2]
    [(tensors, seconds)] = compute_shards([Job(compute, shards, key)], "squares")
    assert calls == shards  # one more
    assert seconds == 1.5  # that of the computation, whoever did it
    assert torch.cat([part["y"] for part in tensors]).tolist() == [2.0 * i * i for i in range(10)]
    compute_shards([Job(compute, shards, {"k": 2})], "squares")
    assert len(calls) == 6


def test_a_damaged_shard_is_computed_again(calls: list[range], capsys: pytest.CaptureFixture[str]) -> None:
    shards, key = split(9, 3), {"k": 1}
    compute_shards([Job(partial(squares, 2), shards, key)], "squares")
    path = store.entry_path({**key, "runs": [shards[1].start, shards[1].stop]})
    path.write_bytes(path.read_bytes()[:-1])
    compute_shards([Job(partial(squares, 2), shards, key)], "squares")
    assert calls == [*shards, shards[1]]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_another_processor_computed_is_used_and_said_to_be_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sharding, "_jobs", lambda shards, parallel: 1)
    monkeypatch.setattr(store, "_reported", set())
    job, own = Job(partial(squares, 2), split(9, 3), {"k": "elsewhere"}), sharding.processor()
    compute_shards([job], "squares")
    compute_shards([job], "squares")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sharding, "processor", lambda: "a DIAL")
    [(tensors, _)] = compute_shards([job], "squares")
    assert torch.cat([part["y"] for part in tensors]).tolist() == [2.0 * i * i for i in range(9)]
    [line] = capsys.readouterr().err.splitlines()
    assert f"computed elsewhere, on {own}" in line
    assert "on this processor, a DIAL" in line


def test_jobs_share_the_cores_and_the_dearest_shards_come_first(calls: list[range]) -> None:
    cheap = Job(partial(squares, 2), split(4, 2), {"k": "cheap"})
    dear = Job(partial(squares, 3), split(9, 3), {"k": "dear"}, cost=10.0)
    (first, seconds), (second, _) = compute_shards([cheap, dear], "squares")
    assert calls == [*split(9, 3), *split(4, 2)]
    assert seconds == 1.0
    assert torch.cat([part["y"] for part in first]).tolist() == [2.0 * i * i for i in range(4)]
    assert torch.cat([part["y"] for part in second]).tolist() == [3.0 * i * i for i in range(9)]


def test_a_failing_shard_keeps_the_finished_ones(calls: list[range]) -> None:
    def fails_later(shard: range) -> dict[str, torch.Tensor]:
        if shard.start:
            raise RuntimeError("no second shard")
        return squares(1, shard)

    with pytest.raises(RuntimeError, match="no second shard"):
        compute_shards([Job(fails_later, split(4, 2), {"k": 1})], "squares")
    assert store.get({"k": 1, "runs": [0, 2]}) is not None
    assert store.get({"k": 1, "runs": [2, 4]}) is None


def test_progress_counts_runs_stored_or_not(
    calls: list[range], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_shards([Job(partial(squares, 2), split(10, 3)[:1], {"k": 1})], "squares")
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress"))
    compute_shards([Job(partial(squares, 2), split(10, 3), {"k": 1})], "squares")
    lines = [json.loads(line) for line in (tmp_path / "progress").read_text().splitlines()]
    assert lines[0]["done"] == 0
    assert lines[-1] == {"task": "squares", "done": 10, "total": 10, "eta_s": 0.0}


@pytest.mark.parametrize("method", METHODS)
def test_the_record_does_not_depend_on_the_shards(method: str) -> None:
    """Nor on whether it was trained or read."""
    whole = train_restarts([2], 7, method=method, limits=FEW, shards=1)
    for shards in (2, 7):
        with joblib.parallel_config(n_jobs=1):
            assert_same_record(train_restarts([2], 7, method=method, limits=FEW, shards=shards), whole)
    read = train_restarts([2], 7, method=method, limits=FEW, shards=1)
    assert_same_record(read, whole)
    assert read.seconds == whole.seconds


def test_processes_give_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with joblib.parallel_config(n_jobs=1):
        alone = train_restarts([2], 6, method="lm", limits=FEW, shards=3)
    monkeypatch.setenv("FNN_STORE", str(tmp_path / "other"))
    with joblib.parallel_config(n_jobs=2):
        assert_same_record(train_restarts([2], 6, method="lm", limits=FEW, shards=3), alone)


def test_a_cluster_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with joblib.parallel_config(n_jobs=1):
        alone = train_restarts([2], 8, method="lm", limits=FEW, shards=4)
    monkeypatch.setenv("FNN_STORE", str(tmp_path / "other"))
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with cluster, Client(cluster) as client:
        with joblib.parallel_config(backend="dask"):
            together = train_restarts([2], 8, method="lm", limits=FEW, shards=4)
        workers = client.run(lambda: 1)
    assert len(workers) == 2
    assert_same_record(together, alone)


def changed_value(data: Dataset, part: str) -> Dataset:
    """The data set with one bit of one number changed."""
    values = getattr(data, part).clone()
    values[3] = torch.nextafter(values[3], values[3] + 1)
    return replace(data, **{part: values})


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_sizes": [2]},
        {"method": "lm"},
        {"phi": "tanh"},
        {"seed": 25},
        {"init": "nguyen-widrow"},
        {"limits": replace(FEW, gradient=1e-5)},
        *({"data": changed_value(load_d1(), part)} for part in ("X_train", "y_train", "X_test", "y_test")),
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_setting_and_every_number_of_the_data_trains_anew(options: dict[str, object]) -> None:
    usual = {"hidden_sizes": [1], "restarts": 2, "method": "adam", "limits": FEW}
    train_restarts(**usual)
    folder = store.entry_path({}).parent
    assert len(list(folder.iterdir())) == 1
    train_restarts(**usual | options)
    assert len(list(folder.iterdir())) == 2


def test_another_method_key_trains_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"hidden_sizes": [1], "restarts": 2, "method": "adam", "limits": FEW}
    train_restarts(**usual)
    key = training.METHOD_KEYS["adam"]
    for part in ("method", "sources", "libraries"):
        with monkeypatch.context() as patch:
            patch.setitem(training.METHOD_KEYS, "adam", key | {part: {}})
            train_restarts(**usual)
    assert len(list(store.entry_path({}).parent.iterdir())) == 4


def test_a_worker_with_other_code_or_libraries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a file is edited while this process lives: workers that start later run the new code."""
    key = training.METHOD_KEYS["lm"]
    sources = key["sources"] | {"fnn.backprop": "as it was"}
    monkeypatch.setitem(training.METHOD_KEYS, "lm", key | {"sources": sources, "libraries": {"torch": "1.0"}})
    with (
        joblib.parallel_config(n_jobs=2),
        pytest.raises(training.OtherCodeError, match=r"another fnn\.backprop, torch than .* anew"),
    ):
        train_restarts([1], 2, method="lm", limits=FEW, shards=2)
    assert list(store.entry_path({}).parent.glob("*")) == []


def test_what_the_data_is_called_trains_nothing() -> None:
    record = train_restarts([1], 2, method="adam", limits=FEW)
    renamed = train_restarts([1], 2, method="adam", limits=FEW, data=replace(load_d1(), name="D2"))
    assert renamed.seconds == record.seconds
    assert len(list(store.entry_path({}).parent.iterdir())) == 1
