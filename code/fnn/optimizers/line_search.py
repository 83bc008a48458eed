"""A line search for R runs in step, each at its own trial: Moré and Thuente's, with strong Wolfe conditions.

Given a descent direction, φ(α) is the objective along it. A step α is accepted if
φ(α) ≤ φ(0) + c₁αφ′(0) and |φ′(α)| ≤ c₂|φ′(0)|. The search is that of MINPACK-2's `dcsrch` and `dcstep`
(Moré and Thuente 1994, ACM Trans. Math. Softw. 20(3):286–307), which SciPy's BFGS uses too, with the same
constants and first trial: from the same point, both take the same steps up to rounding.
"""

from typing import NamedTuple

import torch
from torch import Tensor

C1, C2 = 1e-4, 0.9  # sufficient decrease and curvature, as in SciPy
NEAREST, FARTHEST = 1.1, 4.0  # of the next trial beyond the best step while no minimum is bracketed
SHRINK = 0.66  # a bracket that two trials did not shrink to this is halved
LARGEST_STEP = 1e100
NARROW = 1e-14  # a bracket of this relative width is a point
MAX_TRIALS = 40  # halving from 1 comes to rounding errors by then


class LineSearch(NamedTuple):
    """The state of R searches. A point is its α, φ(α) and φ′(α), [3, R]."""

    start: Tensor  # [3, R], at α = 0
    best: Tensor  # [3, R], with the lowest value so far
    other: Tensor  # [3, R], the far end of the bracket
    step: Tensor  # [1, R], the trial
    bounds: Tensor  # [2, R], between which the next trial must lie
    widths: Tensor  # [2, R], of the bracket after the last trial and after the one before
    trials: Tensor  # [1, R], how many were evaluated
    bracketed: Tensor  # [1, R] bool, a minimum lies between best and other
    early: Tensor  # [1, R] bool, no step was seen yet with sufficient decrease and φ rising

    def select(self, rows: Tensor) -> "LineSearch":
        """The searches of `rows` (indices)."""
        return LineSearch(*(part[:, rows] for part in self))

    def where(self, rows: Tensor, others: "LineSearch") -> "LineSearch":
        """These searches in `rows` [R] bool, `others` elsewhere."""
        return LineSearch(*(torch.where(rows, a, b) for a, b in zip(self, others, strict=True)))


def begin(value: Tensor, slope: Tensor, previous_value: Tensor) -> LineSearch:
    """Searches from φ(0) and φ′(0), [R]; the first trial supposes the decrease of the previous iteration."""
    step = (2.02 * (value - previous_value) / slope).clamp(max=1.0)
    step = torch.where(step > 0, step, 1.0)[None]  # also where 0/0
    zero = torch.zeros_like(step)
    no = zero > 0
    start = torch.stack((zero[0], value, slope))
    bounds = torch.cat((zero, (1 + FARTHEST) * step))
    widths = torch.full_like(bounds, LARGEST_STEP)
    return LineSearch(start, start, start, step, bounds, widths, zero, no, ~no)


def accepts(search: LineSearch, value: Tensor, slope: Tensor) -> Tensor:
    """Whether φ and φ′ at the trial, [R] each, meet the strong Wolfe conditions: [R] bool."""
    bound = search.start[1] + C1 * search.step[0] * search.start[2]
    return (value <= bound) & (slope.abs() <= -C2 * search.start[2])


def advance(search: LineSearch, value: Tensor, slope: Tensor) -> tuple[LineSearch, Tensor]:
    """The searches with their next trials, from φ and φ′ at this one, [R]; and which failed, [R] bool.

    For trials that were not accepted.
    """
    step, (low, high), trials = search.step[0], search.bounds, search.trials + 1
    test_slope = C1 * search.start[2]
    test = search.start[1] + step * test_slope
    early = search.early & ~((value <= test) & (slope >= 0))
    failed = search.bracketed[0] & ((step <= low) | (step >= high) | (high - low <= NARROW * high))

    # A modified function predicts the step while a lower value has been found, but not low enough.
    tilt = test_slope * (early[0] & (value <= search.best[1]) & (value > test))
    best, other, trial = search.best, search.other, torch.stack((step, value, slope))
    tilted = bool(tilt.any())
    if tilted:
        best, other, trial = (_add_line(point, -tilt) for point in (best, other, trial))
    step, best, other, bracketed = interpolate(best, other, trial, search.bracketed[0], low, high)
    if tilted:
        best, other = _add_line(best, tilt), _add_line(other, tilt)

    # Bisect, if two trials did not shrink the bracket enough.
    width = (other[0] - best[0]).abs()
    slow = bracketed & (width >= SHRINK * search.widths[1])
    step = torch.where(slow, 0.5 * (best[0] + other[0]), step)
    widths = torch.where(bracketed, torch.stack((width, search.widths[0])), search.widths)

    ends = torch.stack((torch.minimum(best[0], other[0]), torch.maximum(best[0], other[0])))
    ahead = step - best[0]
    bounds = torch.where(bracketed, ends, torch.stack((step + NEAREST * ahead, step + FARTHEST * ahead)))
    step = step.clamp(max=LARGEST_STEP)
    low, high = bounds
    stuck = bracketed & ((step <= low) | (step >= high) | (high - low <= NARROW * high))
    step = torch.where(stuck, best[0], step)
    found = LineSearch(search.start, best, other, step[None], bounds, widths, trials, bracketed[None], early)

    # A value that is not finite teaches nothing but to stay nearer.
    finite = value.isfinite() & slope.isfinite()
    if not finite.all():
        found = found.where(
            finite, search._replace(step=0.1 * search.step + 0.9 * search.best[:1], trials=trials)
        )
        failed &= finite
    return found, failed | (trials[0] >= MAX_TRIALS)


def _add_line(point: Tensor, slope: Tensor) -> Tensor:
    """The point [3, R] of φ(α) + slope·α."""
    step, value, derivative = point
    return torch.stack((step, value + slope * step, derivative + slope))


def interpolate(
    best: Tensor, other: Tensor, trial: Tensor, bracketed: Tensor, low: Tensor, high: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The safeguarded step of `dcstep`: next trial [R], new best and other [3, R], whether bracketed now [R].

    Its four cases: a higher value; a lower value and a slope of the other sign; a lower value and a slope of
    the same sign that is flatter; and one that is not.
    """
    x, fx, dx = best
    t, ft, dt = trial
    higher = ft > fx
    opposite = ~higher & (dt.sign() * dx.sign() < 0)
    flatter = ~(higher | opposite) & (dt.abs() < dx.abs())
    steeper = ~(higher | opposite | flatter)

    # The minimiser of the cubic through the trial and the best point, or the other point in the last case
    o, fo, do = torch.where(steeper, other, best)
    theta = 3 * (fo - ft) / (t - o) + do + dt
    scale = torch.maximum(torch.maximum(theta.abs(), do.abs()), dt.abs())
    gamma = scale * ((theta / scale).square() - (do / scale) * (dt / scale)).clamp(min=0).sqrt()
    gamma = torch.where(t > o, -gamma, gamma)
    ratio = ((gamma - dt) + theta) / (((gamma - dt) + gamma) + do)
    cubic = t + ratio * (o - t)
    limit = torch.where(t > x, high, low)
    cubic = torch.where(flatter & ~((ratio < 0) & (gamma != 0)), limit, cubic)
    secant = t + dt / (dt - dx) * (x - t)
    quadratic = x + dx / ((fx - ft) / (t - x) + dx) / 2 * (t - x)

    if_higher = torch.where((cubic - x).abs() <= (quadratic - x).abs(), cubic, (cubic + quadratic) / 2)
    cubic_farther = (cubic - t).abs() > (secant - t).abs()
    farther = torch.where(cubic_farther, cubic, secant)
    nearer = torch.where(cubic_farther, secant, cubic)
    safe = t + SHRINK * (other[0] - t)
    nearer = torch.where(t > x, torch.minimum(safe, nearer), torch.maximum(safe, nearer))
    if_flatter = torch.where(bracketed, nearer, torch.minimum(torch.maximum(farther, low), high))
    if_steeper = torch.where(bracketed, cubic, limit)

    step = torch.where(flatter, if_flatter, torch.where(steeper, if_steeper, farther))
    step = torch.where(higher, if_higher, step)
    new_other = torch.where(higher, trial, torch.where(opposite, best, other))
    return step, torch.where(higher, best, trial), new_other, bracketed | higher | opposite
