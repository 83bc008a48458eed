"""BFGS for R runs in step, each with its own inverse Hessian and its own line search.

A step goes along −H g, with g the gradient and H the estimate of the inverse Hessian (Nocedal and Wright
2006, algorithm 6.1).

Every turn of the loop evaluates one trial point for each run, whichever trial of its own line search that is,
so that no run waits for another's. Runs that end leave the batch.
"""

import math
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
        failed = _step(state, objective)


def _begin(objective: Objective, start: Tensor) -> State:
    run = torch.arange(len(start))
    value, gradient = objective.value_and_gradient(start, run)
    slope = -dot(gradient, gradient)
    return State(
        run=run,
        alive=run >= 0,
        x=start,
        value=value,
        gradient=gradient,
        H=InverseHessian.identity(start),
        direction=-gradient,
        slope=slope,
        step=first_trial(value, slope, _previous(value, slope)),
        searches={},
        restart_value=torch.full_like(value, torch.inf),
        iterations=torch.zeros_like(run),
        mark_value=value,
    )


def _previous(value: Tensor, slope: Tensor) -> Tensor:
    """A value before the first, so that the first trial along −g is a step of about length 1, as in SciPy."""
    return value + slope.abs().sqrt() / 2


def _step(state: State, objective: Objective) -> Tensor | None:
    """Move the runs whose trial is accepted, give the others another; return which failed, if any did."""
    s = state.step[:, None] * state.direction
    x = state.x + s
    value, gradient = objective.value_and_gradient(x, state.run)
    slope = dot(gradient, state.direction)
    accepted = accepts(state.value, state.slope, state.step, value, slope)
    waiting = (state.alive & ~accepted).nonzero()[:, 0]  # an ended run may move: nothing is read from it
    searches, state.searches = state.searches, {}
    if len(waiting):
        again = _search_on(state, waiting, searches, value, slope)
        s[waiting], value[waiting], gradient[waiting] = 0.0, state.value[waiting], state.gradient[waiting]
        x = state.x + s

    # Where nothing moves, s = y = 0, so that H stays, and the direction up to rounding. H g at the new point
    # gives H y = H g − H g_old for nothing.
    Hg = state.H.times(gradient)
    s, w = state.H.update(s, gradient - state.gradient, Hg + state.direction)
    state.direction = Hg.addcmul_(s, dot(w, gradient)[:, None]).addcmul_(w, dot(s, gradient)[:, None]).neg_()
    state.slope = dot(gradient, state.direction)
    state.step = first_trial(value, state.slope, state.value)
    state.x, state.value, state.gradient = x, value, gradient
    state.iterations += accepted
    if len(waiting):
        state.step[waiting] = again
        lost = state.alive & state.step.isnan()
        if lost.any():
            return _begin_anew(state, lost)
    return None


def _search_on(
    state: State, rows: Tensor, searches: dict[int, LineSearch], value: Tensor, slope: Tensor
) -> Tensor:
    """The next trials of the runs in `rows`, from φ and φ′ at this one; not a number where a search fails.

    `searches` were those of the last trial.
    """
    numbers = torch.stack((state.value, state.slope, state.step, value, slope))[:, rows].T.tolist()
    steps = []
    for run, (start_value, start_slope, *trial) in zip(state.run[rows].tolist(), numbers, strict=True):
        state.searches[run] = searches.get(run) or LineSearch(start_value, start_slope, trial[0])
        step = state.searches[run].next(Point(*trial)) if start_slope < 0 else None
        steps.append(math.nan if step is None else step)
    return value.new_tensor(steps)


def _begin_anew(state: State, lost: Tensor) -> Tensor:
    """Set H = I where it has lost its last digits and gives no descent; return which of `lost` stay so."""
    gained = state.restart_value - state.value > RESTART_GAIN * state.value.abs()
    anew = lost & (gained | ~(state.slope < 0))
    state.H.reset(anew)
    state.direction = torch.where(anew[:, None], -state.gradient, state.direction)
    state.slope = dot(state.gradient, state.direction)
    first = first_trial(state.value, state.slope, _previous(state.value, state.slope))
    state.step = torch.where(anew, first, state.step)
    state.restart_value = torch.where(anew, state.value, state.restart_value)
    for run in state.run[anew].tolist():
        state.searches.pop(run, None)
    return lost & ~anew
