"""What a worker computes: some of the runs of one training, as one batch.

This module and those that it imports, with that of the method, are all the code that a result depends on; the
model store knows them by it (`fnn.runs.sources`). Nothing that keeps, spreads or shows runs belongs here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fnn.optimizers.initial_points import initial_points
from fnn.optimizers.objective import MeanSquaredError
from fnn.optimizers.problem import Limits, Result
from fnn.units import UNITS

if TYPE_CHECKING:
    from fnn.data import Dataset


@dataclass(frozen=True)
class Settings:
    """Everything but the data that determines a training run."""

    sizes: tuple[int, ...]  # widths of all layers, input and output included
    unit: str  # of the hidden layers, a key of UNITS
    method: str  # a key of METHODS
    seed: int
    init: str  # a key of LAWS
    limits: Limits
    device: str  # where the tensors live: "cpu", "cuda", …
    decay: float = 0.0  # λ of the weight decay λ‖θ‖² that is added to the train MSE


@dataclass(frozen=True)
class Method:
    """An optimiser, and what it minimises."""

    minimize: Callable[[Any, Tensor, Limits], Result]
    objective: type[MeanSquaredError] = MeanSquaredError
    jacobians: bool = False  # whether it reads residuals and Jacobians, and counts those
    cost: float = (
        1.0  # seconds of a run next to those of BFGS; for order and progress, no result depends on it
    )


def run_shard(
    method: Method, settings: Settings, data: "Dataset", indices: Sequence[int]
) -> dict[str, Tensor]:
    """Train the runs `indices` as one batch: the fields of a `Record`, on the CPU, in that order.

    Pure: a run's result depends on the method, the settings, the data and its index alone, bit for bit,
    whichever runs share its batch, in whatever order and number, on one kind of processor (it computes on one
    thread, whatever the number of cores). That holds for batches of all sizes with the libraries this was
    tested with; a library that chooses its kernels by the size of the batch could break it across sizes.
    """
    X, y, X_test, y_test = (
        part.to(settings.device, torch.float64)
        for part in (data.X_train, data.y_train, data.X_test, data.y_test)
    )
    unit, runs = UNITS[settings.unit], len(indices)
    with _one_thread(), torch.no_grad():
        start = initial_points(settings.init, settings.sizes, unit.name, X.cpu(), settings.seed, indices)
        objective = method.objective(settings.sizes, unit, X, y, settings.decay)
        found = method.minimize(objective, objective.pad(start.to(X.device)), settings.limits)
        if settings.decay:
            found = found._replace(value=objective.value(found.params))
        found = Result(*(part[:runs] for part in found))
        params = found.params[:, : objective.P]
        test = MeanSquaredError(settings.sizes, unit, X_test, y_test)
        tensors = {
            "params": params,
            "train_mse": found.value,
            "test_mse": test.value(test.pad(params))[:runs],
            "gradient_norm": found.gradient_norm,
            "stop_codes": found.stop,
            "iterations": found.iterations,
            "function_evaluations": found.function_evaluations,
            "gradient_evaluations": found.gradient_evaluations,
            "jacobian_evaluations": found.jacobian_evaluations,
            "trace": found.trace,
        }
    return {name: tensor.cpu() for name, tensor in tensors.items()}


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
