"""SciPy's BFGS and least squares, one run after another: the course's way, and the reference of the tests.

The one place where tensors become NumPy arrays and back, because SciPy speaks nothing else.
"""

from typing import Any

import torch
from scipy.optimize import least_squares, minimize
from torch import Tensor

from fnn.optimizers.problem import (
    STOPS,
    LeastSquaresObjective,
    Limits,
    Objective,
    Result,
    Stop,
    trace_grid,
    trace_limit,
)

BFGS_STOPS = {0: Stop.GRADIENT, 1: Stop.ITERATIONS, 2: Stop.NO_PROGRESS, 3: Stop.DIVERGED}
# −1 and 0 to 4 of scipy.optimize.least_squares; 2 and 3 are its tests on value and step
LEAST_SQUARES_STOPS = {
    -1: Stop.DIVERGED, 0: Stop.ITERATIONS, 1: Stop.GRADIENT,
    2: Stop.NO_PROGRESS, 3: Stop.NO_PROGRESS, 4: Stop.NO_PROGRESS,
}  # fmt: skip


def minimize_bfgs(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """SciPy's BFGS from each row of start [R, P], with its defaults but for the limits."""
    return _stack([_bfgs(objective, row, limits) for row in start])


def _bfgs(objective: Objective, start: Tensor, limits: Limits) -> Result:
    values: list[float] = []

    def value_and_gradient(theta: Any) -> tuple[float, Any]:
        value, gradient = objective.value_and_gradient(torch.from_numpy(theta).to(start.device)[None])
        values.append(float(value))
        return values[-1], gradient[0].cpu().numpy()

    options = {"gtol": limits.gradient, "maxiter": limits.iterations}
    found = minimize(value_and_gradient, start.cpu().numpy(), jac=True, method="BFGS", options=options)
    stop = BFGS_STOPS[found.status] if torch.tensor(found.fun).isfinite() else Stop.DIVERGED
    counts = (found.nit, found.nfev, found.njev, 0)
    norm = float(abs(found.jac).max())
    return _result(torch.from_numpy(found.x), found.fun, norm, stop, counts, values, trace_limit(limits))


def minimize_least_squares(objective: LeastSquaresObjective, start: Tensor, limits: Limits) -> Result:
    """SciPy's least squares with the analytic Jacobian from each row of start [R, P].

    MINPACK's Levenberg–Marquardt where there are at least as many residuals as parameters, which it needs,
    else the trust region reflective method. Its tests on value and step are set to double precision.
    """
    return _stack([_least_squares(objective, row, limits) for row in start])


def _least_squares(objective: LeastSquaresObjective, start: Tensor, limits: Limits) -> Result:
    values: list[float] = []

    def residuals(theta: Any) -> Any:
        r = objective.residuals(torch.from_numpy(theta).to(start.device)[None])[0]
        values.append(float(r.square().mean()))
        return r.cpu().numpy()

    def jacobian(theta: Any) -> Any:
        _, Jt = objective.residuals_and_jacobian(torch.from_numpy(theta).to(start.device)[None])
        return Jt[0].mT.cpu().numpy()

    N = objective.N
    # SciPy's gradient is Jᵀr, ours 2/N Jᵀr. MINPACK's gtol bounds an angle instead: it is put out of action.
    found = least_squares(
        residuals, start.cpu().numpy(), jacobian, method="lm" if len(start) <= N else "trf",
        gtol=limits.gradient * N / 2 if len(start) > N else 1e-15, ftol=1e-15, xtol=1e-15,
        max_nfev=limits.least_squares_iterations,
    )  # fmt: skip
    norm = float(abs(found.grad).max()) * 2 / N
    stop = Stop.GRADIENT if norm <= limits.gradient else LEAST_SQUARES_STOPS[found.status]
    njev = found.njev or 0
    params = torch.from_numpy(found.x)
    counts = (njev, found.nfev, 0, njev)
    return _result(
        params, 2 * found.cost / N, norm, stop, counts, values, trace_limit(limits, least_squares=True)
    )


def _result(
    params: Tensor, value: float, norm: float, stop: Stop,
    counts: tuple[int, int, int, int], values: list[float], evaluations: int,
) -> Result:  # fmt: skip
    best = torch.tensor(values, dtype=torch.float64).cummin(0).values
    trace = [best[min(count, len(best)) - 1] for count in trace_grid(evaluations)]
    iterations, nfev, ngev, njev = (torch.tensor(count) for count in counts)
    return Result(
        params, torch.tensor(value, dtype=torch.float64), torch.tensor(norm, dtype=torch.float64),
        torch.tensor(STOPS.index(stop)), iterations, nfev, ngev, njev, torch.stack(trace),
    )  # fmt: skip


def _stack(results: list[Result]) -> Result:
    return Result(*(torch.stack(field) for field in zip(*results, strict=True)))
