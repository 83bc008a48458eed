"""BFGS for R runs in step, each with its own inverse Hessian and its own line search.

A step goes along −H g, with g the gradient and H the estimate of the inverse Hessian (Nocedal and Wright
2006, algorithm 6.1).

Every turn of the loop evaluates one trial point for each run, whichever trial of its own line search that is,
so that no run waits for another's. Runs that end leave the batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.optimizers.batch import Batch, Outcome
from fnn.optimizers.inverse_hessian import InverseHessian
from fnn.optimizers.line_search import LineSearch, Point, accepts, first_trial
from fnn.optimizers.problem import Limits, Objective, Result, dot, trace_limit

RESTART_GAIN = 1e-8  # the fraction that a new start with H = I must have gained to be followed by another


@dataclass
class State(Batch):
    """What BFGS knows of the runs in the batch."""

    value: Tensor  # [R]
    gradient: Tensor  # [R, P]
    H: InverseHessian
    direction: Tensor  # [R, P], −H·gradient
    slope: Tensor  # [R], gradient · direction
    step: Tensor  # [R], the trial's α
    previous_value: Tensor  # [R], of the previous iteration
    searches: dict[int, LineSearch]  # by index of the run, where the last trial was not accepted
    restart_value: Tensor  # [R], when H was last set to I; ∞ before


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """Minimise from each row of start [R, P].

    The value never rises from one iterate to the next.
    """
    outcome, state, failed = Outcome(start, trace_limit(limits)), _begin(objective, start), None
    while True:
        late = state.iterations >= limits.iterations if outcome.evaluations >= limits.iterations else None
        norm = state.gradient.abs().amax(dim=1)
        state = state.stop(outcome, limits, state.value, norm, failed, late)
        if not outcome.running:
            return outcome.result()
        trial = torch.addcmul(state.x, state.step[:, None], state.direction)
        failed = _step(state, trial, *objective.value_and_gradient(trial, state.run))


def _begin(objective: Objective, start: Tensor) -> State:
    run = torch.arange(len(start))
    value, gradient = objective.value_and_gradient(start, run)
    square = dot(gradient, gradient)
    previous_value = value + square.sqrt() / 2  # as in SciPy: the first trial is a step of about length 1
    return State(
        run=run,
        alive=run >= 0,
        x=start,
        value=value,
        gradient=gradient,
        H=InverseHessian.identity(start),
        direction=-gradient,
        slope=-square,
        step=first_trial(value, -square, previous_value),
        searches={},
        previous_value=previous_value,
        restart_value=torch.full_like(value, torch.inf),
        iterations=torch.zeros_like(run),
        mark_value=value,
    )


def _step(state: State, trial: Tensor, value: Tensor, gradient: Tensor) -> Tensor | None:
    """Move the runs whose trial is accepted, give the others another; return which failed, if any could."""
    slope = dot(gradient, state.direction)
    accepted = accepts(state.value, state.slope, state.step, value, slope) & state.alive
    state.searches, searches = {}, state.searches
    failed = None
    if not accepted.all():
        failed = _search_on(state, state.alive & ~accepted, searches, value, slope)

    def kept(new: Tensor, old: Tensor) -> Tensor:
        """What is new where the trial was accepted, elsewhere what was."""
        where = accepted if new.ndim == 1 else accepted[:, None]
        return new if failed is None else torch.where(where, new, old)

    # Where nothing moves, s = y = 0 and H stays. H g at the new point gives H y = H g − H g_old for nothing.
    x, gradient = kept(trial, state.x), kept(gradient, state.gradient)
    Hg = state.H.times(gradient)
    s, w = state.H.update(x - state.x, gradient - state.gradient, Hg + state.direction)
    direction = Hg.addcmul_(s, dot(w, gradient)[:, None]).addcmul_(w, dot(s, gradient)[:, None]).neg_()
    slope = dot(gradient, direction)
    state.x, state.gradient = x, gradient
    state.direction, state.slope = kept(direction, state.direction), kept(slope, state.slope)
    state.previous_value, state.value = kept(state.value, state.previous_value), kept(value, state.value)
    state.iterations += accepted

    uphill = accepted & ~(slope < 0)
    if uphill.any() or (failed is not None and failed.any()):
        begun = _begin_anew(state, uphill, failed)
        accepted = accepted | begun
        failed = None if failed is None else failed & ~begun
    state.step = kept(first_trial(state.value, state.slope, state.previous_value), state.step)
    return failed


def _search_on(
    state: State, waiting: Tensor, searches: dict[int, LineSearch], value: Tensor, slope: Tensor
) -> Tensor:
    """Give the runs `waiting` [R] bool their next trial, from φ and φ′ at this one; return which failed.

    `searches` were those of the last trial.
    """
    failed = torch.zeros_like(waiting)
    rows, nan = waiting.nonzero()[:, 0], float("nan")
    numbers = torch.stack((state.value, state.slope, state.step, value, slope))[:, rows].T.tolist()
    steps = []
    for run, (start_value, start_slope, *trial) in zip(state.run[rows].tolist(), numbers, strict=True):
        search = searches.get(run) or LineSearch(start_value, start_slope, trial[0])
        state.searches[run] = search
        steps.append(search.next(Point(*trial)))
    state.step[rows] = state.step.new_tensor([nan if step is None else step for step in steps])
    failed[rows] = failed.new_tensor([step is None for step in steps])
    return failed


def _begin_anew(state: State, uphill: Tensor, failed: Tensor | None) -> Tensor:
    """Set H = I where it has lost its last digits, so that it gives no descent; return where, [R] bool."""
    gained = state.restart_value - state.value > RESTART_GAIN * state.value.abs()
    anew = uphill if failed is None else uphill | failed & gained
    state.H.reset(anew)
    state.direction = torch.where(anew[:, None], -state.gradient, state.direction)
    state.slope = dot(state.gradient, state.direction)
    previous_value = state.value + state.slope.abs().sqrt() / 2
    state.previous_value = torch.where(anew, previous_value, state.previous_value)
    state.restart_value = torch.where(anew, state.value, state.restart_value)
    for run in state.run[anew].tolist():
        state.searches.pop(run, None)
    return anew
