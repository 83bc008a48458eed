"""What first-order methods of torch.optim share: the loop, on R runs at once.

Adam, RMSprop, Rprop and SGD treat every parameter for itself, so one optimiser on a tensor [R, P] *is*
R independent optimisers. Steps have no line search and no guarantee of descent.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fnn.optimizers.batch import Outcome
from fnn.optimizers.problem import Limits, Objective, Result, Stop, trace_limit


def minimize(
    rule: Callable[[Tensor], torch.optim.Optimizer], objective: Objective, start: Tensor, limits: Limits
) -> Result:
    """Minimise from each row of start [R, P] by an optimiser that `rule` makes for the parameters.

    Of each run, the lowest point counts.
    """
    params = start.clone()
    optimizer = rule(params)
    outcome = Outcome(start, trace_limit(limits))
    run = torch.arange(len(start))
    alive = torch.ones_like(run, dtype=torch.bool)
    best, best_value = params.clone(), torch.full_like(start[:, 0], torch.inf)
    best_norm = best_value.clone()

    for iteration in range(limits.iterations + 1):
        # direction
        value, gradient = objective.value_and_gradient(params, run)
        norm = gradient.abs().amax(dim=1)
        lower = value < best_value
        best.copy_(torch.where(lower[:, None], params, best))
        best_value, best_norm = torch.where(lower, value, best_value), torch.where(lower, norm, best_norm)

        # stopping test; an ended run moves on, but nothing is read from it any more
        outcome.count(run, alive, best_value)
        ended = outcome.end(
            run, alive, best, best_value, best_norm, torch.full_like(run, iteration),
            {
                Stop.DIVERGED: ~(value.isfinite() & norm.isfinite()),
                Stop.GRADIENT: lower & (norm <= limits.gradient),
                Stop.ITERATIONS: torch.full_like(alive, iteration == limits.iterations),
            },
        )  # fmt: skip
        if ended is not None:
            alive &= ~ended
        if not outcome.running:
            break

        # step
        params.grad = gradient.nan_to_num(0.0, 0.0, 0.0)
        optimizer.step()
    return outcome.result()
