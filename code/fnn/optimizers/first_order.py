"""First-order methods of torch.optim on R runs at once.

Adam, RMSprop, Rprop and SGD treat every parameter for itself, so one optimiser on a tensor [R, P] *is*
R independent optimisers. Steps have no line search and no guarantee of descent.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fnn.optimizers.problem import STOPS, Limits, Objective, Result, Stop, Trace, trace_limit

RULES: dict[str, Callable[[Tensor], torch.optim.Optimizer]] = {
    "adam": lambda params: torch.optim.Adam([params], lr=0.01),  # Kingma and Ba 2015; β as proposed there
    "rprop": lambda params: torch.optim.Rprop([params], lr=0.01),  # Riedmiller and Braun 1993; full batch
}


def first_order(rule: str, objective: Objective, start: Tensor, limits: Limits) -> Result:
    """Minimise from each row of start [R, P] with a rule of `RULES`; the lowest point seen is what counts."""
    params = start.clone()
    R = len(params)
    optimizer = RULES[rule](params)
    stop = torch.full((R,), STOPS.index(Stop.ITERATIONS), device=params.device)
    iterations = torch.full((R,), limits.iterations, device=params.device)
    running = torch.ones(R, dtype=torch.bool, device=params.device)
    trace = Trace(R, trace_limit(limits), params.device)
    best = params.clone()
    best_value = params.new_full((R,), torch.inf)
    best_norm = params.new_full((R,), torch.inf)

    for step in range(limits.iterations + 1):
        value, gradient = objective.value_and_gradient(params)
        norm = gradient.abs().amax(dim=1)

        lower = running & (value < best_value)
        best = torch.where(lower[:, None], params, best)
        best_value = torch.where(lower, value, best_value)
        best_norm = torch.where(lower, norm, best_norm)
        trace.record(step + 1, slice(None), best_value)

        # stopping test
        diverged = running & ~(value.isfinite() & norm.isfinite())
        converged = running & lower & (norm <= limits.gradient)
        stop[diverged], stop[converged] = STOPS.index(Stop.DIVERGED), STOPS.index(Stop.GRADIENT)
        iterations[diverged | converged] = step
        running = running & ~(diverged | converged)
        if not running.any():
            break

        # step: an ended run moves on, but nothing is read from it any more
        params.grad = gradient.nan_to_num(0.0, 0.0, 0.0)
        optimizer.step()

    evaluations = (iterations + 1).clamp(max=limits.iterations + 1)
    none = torch.zeros_like(iterations)
    best_value = torch.where(best_value.isinf(), torch.nan, best_value)
    return Result(
        best,
        best_value,
        best_norm,
        stop,
        iterations,
        evaluations,
        evaluations,
        none,
        trace.finish(best_value),
    )
