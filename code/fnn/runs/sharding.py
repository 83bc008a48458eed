"""Many runs in parts: stored one by one, computed on all cores or on a cluster.

The runs of a study are split into shards, ranges of run indices. Shards that the model store has are read
from it; the others are computed by joblib, on all cores of this machine unless `joblib.parallel_config` says
otherwise (`backend="dask"` takes a cluster), and stored as they arrive: a study that is killed and started
again computes only what is missing.
"""

import os
import platform
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import resource_tracker
from typing import Any

import torch
from torch import Tensor

from fnn.inputs import environment
from fnn.runs import store
from fnn.runs.allocator import keep_freed_memory
from fnn.runs.progress import Progress

with warnings.catch_warnings():
    # Without /dev/shm there are no semaphores: joblib says so, in a document too, and works in one process.
    warnings.filterwarnings("ignore", ".*joblib will operate in serial mode")
    import joblib
    from joblib.parallel import get_active_backend

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


@dataclass(frozen=True)
class Job:
    """Runs to compute shard by shard."""

    compute: Compute
    """What to do for a shard: a function of a module or a `functools.partial` of one, for it travels to other
    processes. Its result depends on nothing but its arguments."""
    shards: Sequence[range]  # the run indices of each
    key: Mapping[str, Any]  # what determines the result, apart from the run indices; JSON values
    cost: float = 1.0  # of a run, roughly, next to those of other jobs; no result depends on it


def compute_shards(
    jobs: Sequence[Job], task: str, *, parallel: bool = True
) -> list[tuple[list[Tensors], float]]:
    """For each job, the tensors of its shards in their order, and the seconds that these took in all.

    Args:
        jobs: computed side by side, the most expensive shards first, so that all cores are done at once.
        task: what the progress is called.
        parallel: whether shards may be computed side by side.
    """
    found: dict[tuple[int, int], store.Entry] = {}
    work = {(j, i): job.cost * len(shard) for j, job in enumerate(jobs) for i, shard in enumerate(job.shards)}
    runs = sum(len(shard) for job in jobs for shard in job.shards)
    with Progress(task, runs, sum(work.values())) as progress:
        for j, i in work:
            shard = jobs[j].shards[i]
            entry = store.get(_shard_key(jobs[j].key, shard))
            if entry is not None:
                found[j, i] = entry
                progress.advance(len(shard), work[j, i], stored=True)
        missing = sorted(work.keys() - found.keys(), key=lambda place: (-work[place], place))
        pool = joblib.Parallel(
            n_jobs=_jobs(len(missing), parallel),
            return_as="generator_unordered",
            initializer=_end_with,
            initargs=(os.getpid(),),
        )
        with _determined():
            with _deaf_processes():
                arriving = pool(
                    joblib.delayed(_timed)(jobs[j].compute, jobs[j].shards[i], (j, i)) for j, i in missing
                )
            for j, i, tensors, metadata in arriving:
                shard = jobs[j].shards[i]
                found[j, i] = store.put(_shard_key(jobs[j].key, shard), tensors, metadata)
                progress.advance(len(shard), work[j, i])
    _tell_of_other_processors(found.values())
    entries = [[found[j, i] for i in range(len(job.shards))] for j, job in enumerate(jobs)]
    return [
        ([entry.tensors for entry in of_job], sum(entry.metadata["seconds"] for entry in of_job))
        for of_job in entries
    ]


@contextmanager
def _determined() -> Iterator[None]:
    """Announces to whoever watches this process (`sys.addaudithook`) that what other processes compute
    meanwhile is determined by the keys of the store, so that it may be remembered.
    """
    sys.audit("determined.begin")
    try:
        yield
    finally:
        sys.audit("determined.end")


@contextmanager
def _deaf_processes() -> Iterator[None]:
    """Processes that are started meanwhile do not hear Ctrl-C, which a terminal sends to all: their traces
    would stand there. This one hears it afterwards and ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # before Python 3.12 its start would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _shard_key(key: Mapping[str, Any], shard: range) -> dict[str, Any]:
    return {**key, "runs": [shard.start, shard.stop]}


def _timed(
    compute: Compute, shard: range, place: tuple[int, int]
) -> tuple[int, int, Tensors, dict[str, Any]]:
    """In whatever process: the shard's place, its tensors, the seconds that it took, and on what."""
    keep_freed_memory()
    began = time.perf_counter()
    tensors = compute(shard)
    return *place, tensors, {"seconds": time.perf_counter() - began, "processor": processor()}


def _end_with(parent: int) -> None:
    """In a process of joblib: ends it when the one that started it was killed, which it would notice only
    after five minutes without work.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def processor() -> str:
    """The kind of processor, as far as it decides which code of PyTorch runs."""
    return f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}"


def _tell_of_other_processors(entries: Iterable[store.Entry]) -> None:
    """One line where results are another processor's: they count, or no cluster would spare a laptop work."""
    others = {str(entry.metadata.get("processor", processor())) for entry in entries} - {processor()}
    if others:
        store.report(
            f"computed elsewhere, on {' and '.join(sorted(others))}, and read from {environment.store()}: "
            f"late digits may differ on this processor, {processor()}; an empty FNN_STORE computes anew"
        )


def _jobs(shards: int, parallel: bool) -> int:
    """How many jobs: as many as `joblib.parallel_config` says, else one per core."""
    if not parallel or shards <= 1:
        return 1
    _, configured = get_active_backend()
    return -1 if configured is None else int(configured)
