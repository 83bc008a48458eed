"""BFGS for R runs in step, each with its own inverse Hessian.

The inverse Hessian estimate H is updated by the rank-two formula of Broyden, Fletcher, Goldfarb and Shanno
(Nocedal and Wright 2006, equation 6.17), multiplied out so that it costs O(P²): with s the step, y the change
of the gradient and ρ = 1/sᵀy,

    H ← H + s wᵀ + w sᵀ,   w = ρ (½ (1 + ρ yᵀHy) s − Hy).

Every turn of the loop evaluates one trial point for each run, whichever trial of its own line search that is,
so that no run waits for another's. Runs that end leave the batch. Section 2e of the report explains it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.optimizers.line_search import LineSearch, accepts, advance, begin
from fnn.optimizers.problem import (
    Limits,
    Objective,
    Outcome,
    Result,
    Stop,
    dot,
    remaining,
    stalled,
    trace_limit,
)

RESTART_GAIN = 1e-8  # the fraction that a new start with H = I must have gained to be followed by another
SMALL = 16  # up to this many parameters, two rank-one updates are quicker than a batched matrix product


@dataclass
class State:
    """The runs in the batch, one a row."""

    run: Tensor  # [R] index of the run
    alive: Tensor  # [R] bool, whether it is still going
    x: Tensor  # [R, P]
    value: Tensor  # [R]
    gradient: Tensor  # [R, P]
    H: Tensor  # [R, P, P], symmetric
    direction: Tensor  # [R, P], −H·gradient
    previous_value: Tensor  # [R], of the previous iteration
    restart_value: Tensor  # [R], when H was last set to I; ∞ before
    search: LineSearch
    iterations: Tensor  # [R]
    mark_value: Tensor  # [R], up to `patience` iterations ago
    mark_count: Tensor  # [R], when that was

    def select(self, rows: Tensor) -> "State":
        """The runs of `rows` (indices)."""
        tensors = {name: part[rows] for name, part in vars(self).items() if isinstance(part, Tensor)}
        return State(**tensors, search=self.search.select(rows))


def update(H: Tensor, s: Tensor, y: Tensor, Hy: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Apply the update in place where `rows` [R] bool; return s and w [R, P], zero elsewhere."""
    sy = dot(s, y)
    rho = torch.where(rows & (sy > 0), 1 / sy, 0.0)[:, None]
    w = rho * ((0.5 * (1 + rho[:, 0] * dot(y, Hy)))[:, None] * s - Hy)
    w = torch.where(rho > 0, w, 0.0)
    s = torch.where(rho > 0, s, 0.0)
    if H.shape[1] <= SMALL:
        H.addcmul_(s[:, :, None], w[:, None]).addcmul_(w[:, :, None], s[:, None])
    else:
        pair = torch.stack((s, w), dim=1)  # [R, 2, P]
        H.baddbmm_(pair.mT, pair.flip(1))
    return s, w


def minimize(objective: Objective, start: Tensor, limits: Limits) -> Result:
    """Minimise from each row of start [R, P].

    The value never rises from one iterate to the next.
    """
    value, gradient = objective.value_and_gradient(start)
    outcome = Outcome(start, trace_limit(limits))
    state = _begin(start, value, gradient)
    state = _stop(state, outcome, limits, torch.zeros_like(state.alive))

    while outcome.running:
        trial = state.x + state.search.step.mT * state.direction
        value, gradient = objective.value_and_gradient(trial)
        failed = _step(state, trial, value, gradient)
        state = _stop(state, outcome, limits, failed)
    return outcome.result()


def _begin(start: Tensor, value: Tensor, gradient: Tensor) -> State:
    R, P = start.shape
    H = torch.eye(P, dtype=start.dtype, device=start.device).repeat(R, 1, 1)
    square = dot(gradient, gradient)
    previous_value = value + square.sqrt() / 2  # as in SciPy: the first trial is a step of about length 1
    search = begin(value, -square, previous_value)
    run = torch.arange(R, device=start.device)
    never = torch.full_like(value, torch.inf)
    return State(
        run, torch.ones_like(run, dtype=torch.bool), start, value, gradient,
        H, -gradient, previous_value, never, search, torch.zeros_like(run), value, torch.zeros_like(run),
    )  # fmt: skip


def _step(state: State, trial: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
    """Move the runs whose trial is accepted, give the others another; return which failed, [R] bool."""
    slope = dot(gradient, state.direction)
    accepted = state.alive & accepts(state.search, value, slope) & gradient.isfinite().all(dim=1)
    waiting, search, failed = state.alive & ~accepted, state.search, torch.zeros_like(accepted)
    if waiting.any():
        search, failed = advance(search, value, slope)
        failed &= waiting

    # direction: H g at the new point gives H y = H g − H g_old = H g + direction without another product
    Hg = (gradient[:, None] @ state.H)[:, 0]
    s, w = update(state.H, trial - state.x, gradient - state.gradient, Hg + state.direction, accepted)
    direction = -(Hg + s * dot(w, gradient)[:, None] + w * dot(s, gradient)[:, None])

    # step
    moved = accepted[:, None]
    state.previous_value = torch.where(accepted, state.value, state.previous_value)
    state.x = torch.where(moved, trial, state.x)
    state.value = torch.where(accepted, value, state.value)
    state.gradient = torch.where(moved, gradient, state.gradient)
    state.direction = torch.where(moved, direction, state.direction)
    state.iterations += accepted
    slope = dot(state.gradient, state.direction)

    # H has lost its last digits where it gives no descent: begin anew with H = I
    gained = state.restart_value - state.value > RESTART_GAIN * state.value.abs()
    anew = failed & gained | accepted & ~(slope < 0)
    if anew.any():
        state.H[anew] = torch.eye(state.H.shape[1], dtype=state.H.dtype, device=state.H.device)
        state.direction = torch.where(anew[:, None], -state.gradient, state.direction)
        slope = dot(state.gradient, state.direction)
        state.previous_value = torch.where(anew, state.value + slope.abs().sqrt() / 2, state.previous_value)
        state.restart_value = torch.where(anew, state.value, state.restart_value)

    begun = begin(state.value, slope, state.previous_value)
    state.search = begun.where(accepted | anew, search)
    return failed & ~anew


def _stop(state: State, outcome: Outcome, limits: Limits, failed: Tensor) -> State:
    """Note the runs that end here, and let them leave the batch once they are a quarter of it."""
    norm = state.gradient.abs().amax(dim=1)
    still, state.mark_value, state.mark_count = stalled(
        state.value, state.iterations, state.mark_value, state.mark_count,
        limits.patience, limits.progress,
    )  # fmt: skip
    outcome.count(state.run, state.value)
    ended = outcome.end(
        state.run, state.alive, state.x, state.value, norm, state.iterations,
        {
            Stop.DIVERGED: ~(state.value.isfinite() & norm.isfinite()),
            Stop.GRADIENT: norm <= limits.gradient,
            Stop.NO_PROGRESS: failed | still,
            Stop.ITERATIONS: state.iterations >= limits.iterations,
        },
    )  # fmt: skip
    if ended is None:
        return state
    state.alive &= ~ended
    rows = remaining(state.alive)
    return state if rows is None else state.select(rows)
