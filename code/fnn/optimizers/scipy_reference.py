"""SciPy's BFGS, one run after another, with autograd: the course's way, and the reference of the tests.

The one place where tensors become NumPy arrays and back, because SciPy speaks nothing else.
"""

from typing import Any

import scipy  # `scipy.optimize` is loaded where it is first used: a quarter of a second
import torch
from torch import Tensor

from fnn.feedforward import feedforward
from fnn.optimizers.objective import MeanSquaredError, unpack
from fnn.optimizers.problem import STOPS, Limits, Objective, Result, Stop, trace_grid, trace_limit

BFGS_STOPS = {0: Stop.GRADIENT, 1: Stop.ITERATIONS, 2: Stop.NO_PROGRESS, 3: Stop.DIVERGED}


class AutogradMeanSquaredError(MeanSquaredError):
    """The objective differentiated the course's way: the network in PyTorch's own terms, and autograd."""

    padded = False

    def value_and_gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """MSE, with its weight decay, and its gradient: [R, P] → [R], [R, P]."""
        with torch.enable_grad():
            theta = params.detach().requires_grad_()
            layers = [(W, b.mT) for W, b in unpack(theta, self.sizes)]
            value = (
                (feedforward(self.x[0].mT, layers, self.unit.phi)[-1] - self.y.mT).square().mean(dim=(1, 2))
            )
            if self.decay:
                value = value + self.decay * theta.square().sum(dim=1)
            (gradient,) = torch.autograd.grad(value.sum(), theta)
        return value.detach(), gradient


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """SciPy's BFGS from each row of start [R, P], with its defaults but for the limits."""
    return stack([_bfgs(objective, row, limits) for row in start])


def _bfgs(objective: Objective, start: Tensor, limits: Limits) -> Result:
    values: list[float] = []

    def value_and_gradient(theta: Any) -> tuple[float, Any]:
        value, gradient = objective.value_and_gradient(torch.from_numpy(theta).to(start.device)[None])
        values.append(float(value))
        return values[-1], gradient[0].cpu().numpy()

    options = {"gtol": limits.gradient, "maxiter": limits.iterations}
    found = scipy.optimize.minimize(
        value_and_gradient, start.cpu().numpy(), jac=True, method="BFGS", options=options
    )
    stop = BFGS_STOPS[found.status] if torch.tensor(found.fun).isfinite() else Stop.DIVERGED
    counts = (found.nit, found.nfev, found.njev, 0)
    norm = float(abs(found.jac).max())
    return one_run(torch.from_numpy(found.x), found.fun, norm, stop, counts, values, trace_limit(limits))


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
