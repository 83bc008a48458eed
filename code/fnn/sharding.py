"""Many runs in parts: stored one by one, computed on all cores or on a cluster.

The runs of a study are split into shards, ranges of run indices. Shards that the model store has are read
from it; the others are computed by joblib, on all cores of this machine unless `joblib.parallel_config` says
otherwise (`backend="dask"` takes a cluster), and stored as they arrive: a study that is killed and started
again computes only what is missing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import joblib
from joblib.parallel import get_active_backend
from torch import Tensor

from fnn import store
from fnn.progress import Progress, counted

Tensors = dict[str, Tensor]
Compute = Callable[[range], Tensors]

MATRIX_ENTRIES = 2**16  # of the P × P matrices in a shard, half a megabyte: they stay in a core's cache
FEWEST_RUNS, MOST_RUNS = 10, 512  # in a shard: below, they hardly share the costs of a step; above, no better
DEVICE_BYTES = 2**31  # of P × P matrices in a shard on an accelerator, which takes the shards in turn


def automatic_shards(restarts: int, parameters: int, device: str) -> int:
    """The number of shards for R networks of P parameters; it depends on nothing else.

    A shard's largest tensors are R matrices of P × P doubles: at most 2·10⁷ bytes on the CPU for networks
    up to 500 parameters, so that memory is bounded by the shard and not by R.
    """
    if device == "cpu":
        size = max(FEWEST_RUNS, min(MOST_RUNS, MATRIX_ENTRIES // parameters**2))
    else:
        size = max(1, DEVICE_BYTES // (8 * parameters**2))
    return -(-restarts // size)


def split(restarts: int, shards: int) -> list[range]:
    """`restarts` run indices in `shards` ranges of nearly the same length, in order.

    Raises:
        ValueError: if there are not between 1 and `restarts` shards.
    """
    if not 1 <= shards <= restarts:
        raise ValueError(f"shards={shards}: must be between 1 and the number of restarts, {restarts}")
    bounds = [restarts * i // shards for i in range(shards + 1)]
    return [range(start, stop) for start, stop in pairwise(bounds)]


def compute_shards(
    compute: Compute, shards: Sequence[range], key: Mapping[str, Any], task: str, *, parallel: bool = True
) -> tuple[list[Tensors], float]:
    """The tensors of each shard, in the order of `shards`, and the seconds that computing them took in all.

    Args:
        compute: what to do for a shard; it travels to other processes, so it is a function of a module or a
            `functools.partial` of one, and its result depends on nothing but its arguments. It may report
            finished runs with `progress.count_steps`.
        shards: the run indices of each shard.
        key: what determines the result, apart from the run indices; JSON values.
        task: what the progress is called.
        parallel: whether shards may be computed side by side.
    """
    found: dict[int, store.Entry] = {}
    missing: list[int] = []
    with Progress(task, total=sum(map(len, shards))) as progress:
        for i, shard in enumerate(shards):
            entry = store.get(_shard_key(key, shard))
            if entry is None:
                missing.append(i)
            else:
                found[i] = entry
                progress.skip(len(shard))
        results = joblib.Parallel(n_jobs=_jobs(len(missing), parallel), return_as="generator_unordered")(
            joblib.delayed(_timed)(compute, i, shards[i], progress.tally) for i in missing
        )
        for i, tensors, seconds in results:
            found[i] = store.put(_shard_key(key, shards[i]), tensors, {"seconds": seconds})
            progress.advance(len(shards[i]))
    entries = [found[i] for i in range(len(shards))]
    return [entry.tensors for entry in entries], sum(entry.metadata["seconds"] for entry in entries)


def _shard_key(key: Mapping[str, Any], shard: range) -> dict[str, Any]:
    return {**key, "runs": [shard.start, shard.stop]}


def _timed(compute: Compute, i: int, shard: range, tally: str | None) -> tuple[int, Tensors, float]:
    began = time.perf_counter()
    with counted(tally):
        tensors = compute(shard)
    return i, tensors, time.perf_counter() - began


def _jobs(shards: int, parallel: bool) -> int:
    """How many jobs: as many as `joblib.parallel_config` says, else one per core."""
    if not parallel or shards <= 1:
        return 1
    _, configured = get_active_backend()
    return -1 if configured is None else int(configured)
