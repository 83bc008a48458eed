"""SciPy's BFGS, the course's optimiser: the reference of every batched method.

The one place where tensors become NumPy arrays and back, because SciPy speaks nothing else.
"""

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
    """Minimise a function of θ [P], with its gradient [P], from `start`: a result without the dimension R."""
    values: list[float] = []

    def value_and_gradient_in_numpy(theta: Any) -> tuple[float, Any]:
        value, gradient = value_and_gradient(torch.from_numpy(theta).to(start.device))
        values.append(float(value))
        return values[-1], gradient.cpu().numpy()

    found = scipy.optimize.minimize(
        value_and_gradient_in_numpy, start.cpu().numpy(), jac=True, method="BFGS",
        options={"gtol": limits.gradient, "maxiter": limits.iterations},
    )  # fmt: skip
    stop = BFGS_STOPS[found.status] if torch.tensor(found.fun).isfinite() else Stop.DIVERGED
    counts = (found.nit, found.nfev, found.njev, 0)
    norm = float(abs(found.jac).max())
    return one_run(torch.from_numpy(found.x), found.fun, norm, stop, counts, values, trace_limit(limits))


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """Minimise from each row of start [R, P], one after another."""

    def value_and_gradient(theta: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = objective.value_and_gradient(theta[None])
        return value[0], gradient[0]

    return stack([minimize_one(value_and_gradient, row, limits) for row in start])


def one_run(
    params: Tensor, value: float, norm: float, stop: Stop,
    counts: tuple[int, int, int, int], values: list[float], evaluations: int,
) -> Result:  # fmt: skip
    """The result of one run without its dimension R, its trace from the values of all evaluations.

    `counts` are iterations and evaluations of function, gradient and Jacobian.
    """
    best = torch.tensor(values, dtype=torch.float64).cummin(0).values
    trace = [best[min(count, len(best)) - 1] for count in trace_grid(evaluations)]
    iterations, nfev, ngev, njev = (torch.tensor(count) for count in counts)
    return Result(
        params, torch.tensor(value, dtype=torch.float64), torch.tensor(norm, dtype=torch.float64),
        torch.tensor(STOPS.index(stop)), iterations, nfev, ngev, njev, torch.stack(trace),
    )  # fmt: skip


def stack(results: list[Result]) -> Result:
    """The result of R runs from those of each."""
    return Result(*(torch.stack(field) for field in zip(*results, strict=True)))
