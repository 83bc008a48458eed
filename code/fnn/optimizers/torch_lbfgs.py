"""torch.optim.LBFGS with its strong Wolfe line search, run after run: a reference of the benchmarks."""

import torch
from torch import Tensor

from fnn.optimizers.problem import STOPS, Limits, Objective, Result, Stop, trace_grid, trace_limit


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """PyTorch's L-BFGS from each row of start [R, P]."""
    return Result(
        *(torch.stack(field) for field in zip(*(_run(objective, row, limits) for row in start), strict=True))
    )


def _run(objective: Objective, start: Tensor, limits: Limits) -> Result:
    params = start.clone()
    values: list[Tensor] = []
    optimizer = torch.optim.LBFGS(
        [params],
        max_iter=limits.iterations,
        max_eval=trace_limit(limits),
        tolerance_grad=limits.gradient,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        value, gradient = objective.value_and_gradient(params[None])
        params.grad = gradient[0]
        values.append(value[0])
        return value[0]

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    iterations = torch.tensor(optimizer.state[params]["n_iter"])
    value, gradient = objective.value_and_gradient(params[None])
    norm = gradient.abs().amax()
    if not (value.isfinite().all() and norm.isfinite()):
        stop = Stop.DIVERGED
    elif norm <= limits.gradient:
        stop = Stop.GRADIENT
    elif iterations >= limits.iterations or len(values) >= trace_limit(limits):
        stop = Stop.ITERATIONS
    else:
        stop = Stop.NO_PROGRESS
    count = torch.tensor(len(values))
    best = torch.stack(values).cummin(0).values
    trace = torch.stack([best[min(c, len(best)) - 1] for c in trace_grid(trace_limit(limits))])
    return Result(
        params,
        value[0],
        norm,
        torch.tensor(STOPS.index(stop)),
        iterations,
        count,
        count,
        torch.tensor(0),
        trace,
    )
