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
    training: "Training", minimize: Callable[..., Result], runs: Sequence[int]
) -> dict[str, Tensor]:
    """Train the runs of these indices at once: the tensors of a `Record`, on the CPU, in that order.

    Pure: a run's result depends on the training and its index alone, bit for bit, whichever runs share its
    batch, in whatever order and number, on one kind of processor (it computes on one thread, whatever the
    number of cores). That holds for batches of all sizes with the libraries this was tested with; a library
    that chooses its kernels by the size of the batch could break it across sizes.
    """
    X, y, X_test, y_test = (tensor.to(training.device) for tensor in training.data.tensors())
    sizes, unit, R = training.sizes, training.unit, len(runs)
    with _one_thread(), torch.no_grad():
        start = initial_points(training.init, sizes, unit, training.data.X_train, training.seed, runs)
        start = start if R > 1 else start.expand(2, -1)  # a single one could not be repeated bit for bit
        objective = MeanSquaredError(sizes, unit, X, y, training.decay)
        found = minimize(objective, objective.pad(start.to(X.device)), training.limits, **training.options)
        test = MeanSquaredError(sizes, unit, X_test, y_test)
        tensors = found._asdict() | {
            "params": found.params[:, : objective.P],
            "train_mse": objective.value(found.params) if training.decay else found.value,
            "test_mse": test.value(found.params),
        }
    del tensors["value"]
    return {name: tensor[:R].cpu() for name, tensor in tensors.items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
