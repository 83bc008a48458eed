"""Shards of runs, trained side by side: on all cores, or on a cluster.

Shards that the model store has are read from it. The others are trained by joblib, on all cores of this
machine unless `joblib.parallel_config` says otherwise (`backend="dask"` takes a cluster), and stored as they
arrive: what is killed and started again trains only what is missing, and its workers end when idle. Shards
that differ in initial points and weight decay alone share a batch: many runs cost hardly more than a few.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import joblib
import torch
from joblib.parallel import get_active_backend
from torch import Tensor

from fnn.optimizers import METHODS
from fnn.runs import store
from fnn.runs.records import Training
from fnn.runs.train_batch import train_batch

OF_A_RUN = ("init", "seed", "decay", "runs")  # of a key: in what the shards of one batch may differ


class Shard(NamedTuple):
    """Runs of one training that are stored together."""

    training: Training
    runs: range

    @property
    def key(self) -> dict[str, Any]:
        """What determines the result."""
        return self.training.key | {"runs": [self.runs[0], self.runs[-1]]}


def train(shards: Sequence[Shard]) -> list[dict[str, Tensor]]:
    """The tensors of each shard, from the store or trained.

    Raises:
        RuntimeError: if a worker has other code or libraries than this process, or another processor.
    """
    keys = [shard.key for shard in shards]
    found = [store.get(key) for key in keys]
    batches = _batches(shards, keys, [i for i, tensors in enumerate(found) if tensors is None])
    _, configured = get_active_backend()
    jobs = 1 if len(batches) <= 1 else -1 if configured is None else configured
    arriving = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", idle_worker_timeout=10)(
        joblib.delayed(_train)(batch, [shards[i] for i in batch], [keys[i] for i in batch])
        for batch in batches
    )
    done, total = 0, sum(len(shards[i].runs) for batch in batches for i in batch)
    for batch, results in arriving:
        for i, tensors in zip(batch, results, strict=True):
            found[i] = store.put(keys[i], tensors)
            done += len(shards[i].runs)
        _tell(done, total)
    return [tensors for tensors in found if tensors is not None]


def _batches(shards: Sequence[Shard], keys: Sequence[store.Key], missing: Sequence[int]) -> list[list[int]]:
    """The places of the missing shards, those of a batch together, the dearest batch first."""
    batches: dict[str, list[list[int]]] = {}
    for i in missing:
        training, runs = shards[i]
        kind = str({name: part for name, part in keys[i].items() if name not in OF_A_RUN})
        alike = batches.setdefault(kind, [[]])
        others = [shards[other] for other in alike[-1]]
        full = sum(len(other.runs) for other in others) + len(runs) > training.most
        if full or training in [other.training for other in others]:  # its shards are to be apart
            alike.append([])
        alike[-1].append(i)

    def cost(batch: list[int]) -> float:
        return sum(shards[i].training.cost * len(shards[i].runs) for i in batch)

    filled = [batch for alike in batches.values() for batch in alike if batch]
    return sorted(filled, key=cost, reverse=True)


def _train(
    batch: list[int], shards: Sequence[Shard], keys: Sequence[dict[str, Any]]
) -> tuple[list[int], list[dict[str, Tensor]]]:
    """The batch, and the tensors of its shards, in whatever process, if that has what determines them."""
    if [shard.key for shard in shards] != keys:
        raise RuntimeError(
            "a worker has other code or libraries, or another processor, than the process that asks it: a "
            "file changed since that was started, or the worker's machine differs; start this process anew, "
            "or install the same on both"
        )
    trainings, runs = zip(*shards, strict=True)
    began = time.perf_counter()
    results = train_batch(trainings, METHODS[trainings[0].method].minimize, runs)
    each = (time.perf_counter() - began) / sum(map(len, runs))
    for tensors, own in zip(results, runs, strict=True):
        tensors["seconds"] = torch.tensor(each * len(own))
    return batch, results


def _tell(done: int, total: int) -> None:
    """A line at the terminal, if there is one, of how many runs are done; it is gone when all are."""
    if sys.stderr is not None and sys.stderr.isatty():
        line = f"trained {done:,} of {total:,} runs" if done < total else ""
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
