"""SciPy's BFGS, the course's optimiser: the reference of every batched method.

The one place where tensors become NumPy arrays and back, because SciPy speaks nothing else.
"""

import math
from collections.abc import Callable
from typing import Any

import scipy  # `scipy.optimize` is loaded where it is first used: a quarter of a second
import torch
from torch import Tensor

from fnn.optimizers.problem import STOPS, Limits, Objective, Result, Stop, trace_grid, trace_limit

BFGS_STOPS = {0: Stop.GRADIENT, 1: Stop.ITERATIONS, 2: Stop.NO_PROGRESS, 3: Stop.DIVERGED}


def minimize_one(
    value_and_gradient: Callable[[Tensor], tuple[Tensor, Tensor]], start: Tensor, limits: Limits
) -> Result:
    """Minimise a function of θ [P], with its gradient [P], from `start`: a result with R = 1."""
    values: list[float] = []

    def value_and_gradient_in_numpy(theta: Any) -> tuple[float, Any]:
        value, gradient = value_and_gradient(torch.from_numpy(theta))
        values.append(float(value))
        return values[-1], gradient.numpy()

    found = scipy.optimize.minimize(
        value_and_gradient_in_numpy, start.numpy(), jac=True, method="BFGS",
        options={"gtol": limits.gradient, "maxiter": limits.iterations},
    )  # fmt: skip
    stop = BFGS_STOPS[found.status] if math.isfinite(found.fun) else Stop.DIVERGED
    lowest = torch.tensor(values, dtype=torch.float64).cummin(0).values
    last = len(lowest) - 1
    one_run = (
        torch.from_numpy(found.x), lowest.new_tensor(found.fun), lowest.new_tensor(abs(found.jac).max()),
        *map(torch.tensor, (STOPS.index(stop), found.nit, found.nfev, found.njev, 0)),
        lowest[[min(count - 1, last) for count in trace_grid(trace_limit(limits))]],
    )  # fmt: skip
    return Result(*(part[None] for part in one_run))


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """Minimise from each row of start [R, P], one after another."""
    results = []
    for run, row in enumerate(start):

        def value_and_gradient(theta: Tensor, run: int = run) -> tuple[Tensor, Tensor]:
            value, gradient = objective.value_and_gradient(theta[None], torch.tensor([run]))
            return value[0], gradient[0]

        results.append(minimize_one(value_and_gradient, row, limits))
    return Result(*map(torch.cat, zip(*results, strict=True)))
