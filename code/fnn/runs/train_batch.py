"""Some runs of one training as one batch: what a worker computes.

This module and those that it imports, with that of the method and the row of the unit, are all the code that
a result depends on; the model store knows it by them (`fnn.runs.sources`). Nothing that keeps, spreads or
shows runs belongs here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fnn.optimizers.initial_points import initial_points
from fnn.optimizers.objective import MeanSquaredError
from fnn.optimizers.problem import Result

if TYPE_CHECKING:
    from fnn.runs.records import Training


def train_batch(
    trainings: Sequence["Training"], minimize: Callable[..., Result], runs: Sequence[Sequence[int]]
) -> list[dict[str, Tensor]]:
    """Train runs of these indices, of each training its own, all at once.

    The trainings differ in initial law, seed and decay alone. Of each, the tensors of a `Record` are
    returned, in the order of its runs.

    Pure: a run's result depends on the training and its index alone, bit for bit, whichever runs share its
    batch, in whatever order and number, on one kind of processor (it computes on one thread, whatever the
    number of cores). That holds for batches of all sizes with the libraries this was tested with; a library
    that chooses its kernels by the size of the batch could break it across sizes.
    """
    first = trainings[0]
    X, y, X_test, y_test = first.data.tensors()
    sizes, unit, counts = first.sizes, first.unit, [len(indices) for indices in runs]
    points, decays = [], []
    for training, indices in zip(trainings, runs, strict=True):
        points.append(initial_points(training.init, sizes, unit, X, training.seed, indices))
        decays += [training.decay] * len(indices)
    if len(decays) == 1:  # a single one could not be repeated bit for bit
        points, decays = points * 2, decays * 2
    # glibc keeps freed memory up to twice the largest block freed so far. Else the arrays of a step go back
    # to the system and are cleared anew: half of the time of 100 runs of m = 10.
    torch.empty(31 * 2**20, dtype=torch.uint8)
    with _one_thread(), torch.inference_mode():
        start = torch.cat(points)
        objective = MeanSquaredError(sizes, unit, X, y, start.new_tensor(decays) if any(decays) else None)
        found = minimize(objective, objective.pad(start), first.limits, **first.options)
        test = MeanSquaredError(sizes, unit, X_test, y_test)
        tensors = found._asdict() | {
            "params": found.params[:, : objective.P],
            "train_mse": objective.value(found.params),
            "test_mse": test.value(found.params),
        }
    del tensors["value"]
    parts = {name: tensor[: sum(counts)].split(counts) for name, tensor in tensors.items()}
    return [{name: part[place] for name, part in parts.items()} for place in range(len(trainings))]


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
