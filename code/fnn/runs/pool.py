"""Shards of runs, computed side by side: on all cores, or on a cluster.

Shards that the model store has are read from it. The others are computed by joblib, on all cores of this
machine unless `joblib.parallel_config` says otherwise (`backend="dask"` takes a cluster), and stored as they
arrive: what is killed and started again computes only what is missing.
"""

import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import joblib
from joblib.parallel import get_active_backend
from torch import Tensor

from fnn.runs import store

MATRIX_ENTRIES = 2**17  # of the P × P matrices in a shard, a megabyte: they stay in a core's cache
FEWEST_RUNS, MOST_RUNS = 10, 512  # in a shard: below, they hardly share the costs of a step; above, no better
DEVICE_BYTES = 2**31  # of P × P matrices in a shard on an accelerator, which takes the shards in turn


class Task(NamedTuple):
    """A shard to compute."""

    function: Callable[..., dict[str, Tensor]]  # of a module, for it travels to other processes
    arguments: tuple[Any, ...]
    key: store.Key  # what determines the result
    runs: int
    cost: float  # next to other tasks, roughly; no result depends on it


def compute(tasks: Sequence[Task], parallel: bool = True) -> list[store.Entry]:
    """The entry of each task, from the store or computed, side by side if `parallel`, the dearest first."""
    found = [store.get(task.key) for task in tasks]
    missing = [i for i, entry in enumerate(found) if entry is None]
    missing.sort(key=lambda i: -tasks[i].cost)
    _, configured = get_active_backend()
    jobs = 1 if len(missing) <= 1 or not parallel else -1 if configured is None else configured
    pool = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    arriving = pool(joblib.delayed(_timed)(i, tasks[i].function, *tasks[i].arguments) for i in missing)
    done, total = 0, sum(tasks[i].runs for i in missing)
    for i, tensors, seconds in arriving:
        found[i] = store.put(tasks[i].key, tensors, {"seconds": seconds})
        done += tasks[i].runs
        _tell(done, total)
    return [entry for entry in found if entry is not None]


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


def _timed(
    i: int, function: Callable[..., dict[str, Tensor]], *arguments: object
) -> tuple[int, dict[str, Tensor], float]:
    began = time.perf_counter()
    tensors = function(*arguments)
    return i, tensors, time.perf_counter() - began


def _tell(done: int, total: int) -> None:
    """A line at the terminal, if there is one, of how many runs are done; it is gone when all are."""
    if sys.stderr is not None and sys.stderr.isatty():
        line = f"trained {done:,} of {total:,} runs" if done < total else ""
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
