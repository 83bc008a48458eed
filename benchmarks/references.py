"""Two more references that the batched optimisers are measured against, one run after another.

SciPy's least squares with the analytic Jacobian, and PyTorch's L-BFGS.
"""

from typing import Any

import torch
from scipy.optimize import least_squares
from torch import Tensor
from torch.nn.functional import pad

from fnn.optimizers import Method
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

# −1 and 0 to 4 of scipy.optimize.least_squares; 2 and 3 are its tests on value and step
LEAST_SQUARES_STOPS = {
    -1: Stop.DIVERGED, 0: Stop.ITERATIONS, 1: Stop.GRADIENT,
    2: Stop.NO_PROGRESS, 3: Stop.NO_PROGRESS, 4: Stop.NO_PROGRESS,
}  # fmt: skip


def minimize_least_squares(objective: LeastSquaresObjective, start: Tensor, limits: Limits) -> Result:
    """SciPy's least squares with the analytic Jacobian from each row of start [R, P].

    MINPACK's Levenberg–Marquardt where there are at least as many residuals as parameters, which it needs,
    else the trust region reflective method. Its tests on value and step are set to double precision.
    """
    return _stack([_least_squares(objective, row, limits) for row in start])


def _least_squares(objective: LeastSquaresObjective, start: Tensor, limits: Limits) -> Result:
    values: list[float] = []
    columns, P = len(start), getattr(objective, "P", len(start))  # zeros follow P parameters

    def row(theta: Any) -> Tensor:
        return pad(torch.from_numpy(theta), (0, columns - P))[None]

    def residuals(theta: Any) -> Any:
        r = objective.residuals_and_jacobian(row(theta))[0][0]
        values.append(float(r.square().mean()))
        return r.numpy()

    def jacobian(theta: Any) -> Any:
        _, Jt = objective.residuals_and_jacobian(row(theta))
        return Jt[0, :P].mT.numpy()

    N = objective.N
    # SciPy's gradient is Jᵀr, ours 2/N Jᵀr. MINPACK's gtol bounds an angle instead: it is put out of action.
    found = least_squares(
        residuals, start[:P].numpy(), jacobian, method="lm" if P <= N else "trf",
        gtol=limits.gradient * N / 2 if P > N else 1e-15, ftol=1e-15, xtol=1e-15,
        max_nfev=limits.least_squares_iterations,
    )  # fmt: skip
    norm = float(abs(found.grad).max()) * 2 / N
    stop = Stop.GRADIENT if norm <= limits.gradient else LEAST_SQUARES_STOPS[found.status]
    njev = found.njev or 0
    params = row(found.x)[0]
    counts = (njev, found.nfev, 0, njev)
    return _one_run(
        params, 2 * found.cost / N, norm, stop, counts, values, trace_limit(limits, least_squares=True)
    )


def minimize_lbfgs(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """PyTorch's L-BFGS from each row of start [R, P]."""
    return _stack([_lbfgs(objective, run, row, limits) for run, row in enumerate(start)])


def _lbfgs(objective: Objective, run: int, start: Tensor, limits: Limits) -> Result:
    params = start.clone()
    values: list[float] = []
    optimizer = torch.optim.LBFGS(
        [params],
        max_iter=limits.iterations,
        max_eval=trace_limit(limits),
        tolerance_grad=limits.gradient,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        value, gradient = objective.value_and_gradient(params[None], torch.tensor([run]))
        params.grad = gradient[0]
        values.append(float(value))
        return value[0]

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    iterations = int(optimizer.state[params]["n_iter"])
    value, gradient = objective.value_and_gradient(params[None], torch.tensor([run]))
    norm = gradient.abs().amax()
    if not (value.isfinite().all() and norm.isfinite()):
        stop = Stop.DIVERGED
    elif norm <= limits.gradient:
        stop = Stop.GRADIENT
    elif iterations >= limits.iterations or len(values) >= trace_limit(limits):
        stop = Stop.ITERATIONS
    else:
        stop = Stop.NO_PROGRESS
    counts = (iterations, len(values), len(values), 0)
    return _one_run(params, float(value), float(norm), stop, counts, values, trace_limit(limits))


def _one_run(
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


def _stack(results: list[Result]) -> Result:
    """The result of R runs from those of each."""
    return Result(*(torch.stack(field) for field in zip(*results, strict=True)))


REFERENCES = {
    "scipy-least-squares": Method(minimize_least_squares, jacobians=True),
    "torch-lbfgs": Method(minimize_lbfgs),
}
