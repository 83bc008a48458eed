"""The line search of BFGS: Moré and Thuente's, with strong Wolfe conditions.

Given a descent direction, φ(α) is the objective along it. A step α is accepted if
φ(α) ≤ φ(0) + c₁αφ′(0) and |φ′(α)| ≤ c₂|φ′(0)|. The search is that of MINPACK-2's `dcsrch` and `dcstep`
(Moré and Thuente 1994, ACM Trans. Math. Softw. 20(3):286–307), which SciPy's BFGS uses too, with the same
constants and first trial: from the same point, both take the same steps up to rounding.

Whether trials are accepted is decided for all runs at once. Nearly all first trials are, so that the search
for another is told run by run, in plain numbers, as in the paper.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

C1, C2 = 1e-4, 0.9  # sufficient decrease and curvature, as in SciPy
NEAREST, FARTHEST = 1.1, 4.0  # of the next trial beyond the best step while no minimum is bracketed
SHRINK = 0.66  # a bracket that two trials did not shrink to this is halved
LARGEST_STEP = 1e100
NARROW = 1e-14  # a bracket of this relative width is a point
MAX_TRIALS = 40  # halving from 1 comes to rounding errors by then


def first_trial(value: Tensor, slope: Tensor, previous_value: Tensor) -> Tensor:
    """The first α of R searches from φ(0) and φ′(0), [R]; supposes the decrease of the previous iteration."""
    inverse = slope / (2.02 * (value - previous_value))  # −∞ where there was no decrease
    return inverse.clamp(min=1.0).reciprocal()


def accepts(value: Tensor, slope: Tensor, step: Tensor, trial_value: Tensor, trial_slope: Tensor) -> Tensor:
    """Whether trials α meet the strong Wolfe conditions, from φ and φ′ at 0 and at α, [R] each: [R] bool."""
    decrease = trial_value <= torch.addcmul(value, step, slope, value=C1)
    return decrease & (trial_slope.abs() <= -C2 * slope)


class Point(NamedTuple):
    """A point on the line."""

    step: float  # α
    value: float  # φ(α)
    slope: float  # φ′(α)

    def tilted(self, slope: float) -> "Point":
        """The point of φ(α) + slope·α."""
        return Point(self.step, self.value + slope * self.step, self.slope + slope)


class LineSearch:
    """One search, after its first trial was not accepted."""

    def __init__(self, value: float, slope: float, first: float) -> None:
        """From φ(0), φ′(0) and the first trial."""
        self.start = self.best = self.other = Point(0.0, value, slope)
        self.low, self.high = 0.0, (1 + FARTHEST) * first  # between which the next trial must lie
        self.width = self.width_before = LARGEST_STEP  # of the bracket after the last trials
        self.bracketed = False  # a minimum lies between best and other
        self.early = True  # no step was seen yet with sufficient decrease and φ rising
        self.trials = 0

    def next(self, trial: Point) -> float | None:
        """The trial after one that was not accepted; None where the search fails."""
        self.trials += 1
        if self.trials >= MAX_TRIALS:
            return None
        if not (math.isfinite(trial.value) and math.isfinite(trial.slope)):
            # A value that is not finite teaches nothing but to stay nearer.
            return 0.1 * trial.step + 0.9 * self.best.step
        if self.bracketed and self._exhausted(trial.step):
            return None
        try:
            return self._follow(trial)
        except ZeroDivisionError:  # points that rounding has made one
            return None

    def _follow(self, trial: Point) -> float:
        test_slope = C1 * self.start.slope
        test = self.start.value + trial.step * test_slope
        if trial.value <= test and trial.slope >= 0:
            self.early = False

        # A modified function predicts the step while a lower value has been found, but not low enough.
        tilt = test_slope if self.early and test < trial.value <= self.best.value else 0.0
        best, other = self.best, self.other
        if tilt:
            best, other, trial = best.tilted(-tilt), other.tilted(-tilt), trial.tilted(-tilt)
        step = interpolate(best, other, trial, self.bracketed, self.low, self.high)
        if trial.value > best.value:
            other, self.bracketed = trial, True
        else:
            if trial.slope * math.copysign(1.0, best.slope) < 0:
                other, self.bracketed = best, True
            best = trial
        self.best, self.other = (best.tilted(tilt), other.tilted(tilt)) if tilt else (best, other)

        if self.bracketed:
            # Bisect, if two trials did not shrink the bracket enough.
            width = abs(other.step - best.step)
            if width >= SHRINK * self.width_before:
                step = 0.5 * (best.step + other.step)
            self.width, self.width_before = width, self.width
            self.low, self.high = sorted((best.step, other.step))
            return best.step if self._exhausted(step) else step
        ahead = step - best.step
        self.low, self.high = step + NEAREST * ahead, step + FARTHEST * ahead
        return min(step, LARGEST_STEP)

    def _exhausted(self, step: float) -> bool:
        """Whether the bracket leaves no room for this trial."""
        return step <= self.low or step >= self.high or self.high - self.low <= NARROW * self.high


def interpolate(best: Point, other: Point, trial: Point, bracketed: bool, low: float, high: float) -> float:
    """The next trial: the safeguarded step of `dcstep`, by its four cases."""
    farthest = high if trial.step > best.step else low
    sign = trial.slope * math.copysign(1.0, best.slope)

    if trial.value > best.value:  # a minimum lies between the two
        minimiser, _ = cubic(best, trial)
        quadratic = best.step + best.slope / (
            (best.value - trial.value) / (trial.step - best.step) + best.slope
        ) / 2 * (trial.step - best.step)
        if abs(minimiser - best.step) <= abs(quadratic - best.step):
            return minimiser
        return (minimiser + quadratic) / 2

    if sign < 0:  # lower, and the slope has changed its sign: again between the two
        minimiser, _ = cubic(best, trial)
        secant = trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step)
        return minimiser if abs(minimiser - trial.step) > abs(secant - trial.step) else secant

    if abs(trial.slope) < abs(best.slope):  # lower, and flatter: beyond the trial, if anywhere
        minimiser, beyond = cubic(best, trial)
        if not beyond:
            minimiser = farthest
        secant = trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step)
        nearer, farther = sorted((minimiser, secant), key=lambda step: abs(step - trial.step))
        if bracketed:
            safe = trial.step + SHRINK * (other.step - trial.step)
            return min(safe, nearer) if trial.step > best.step else max(safe, nearer)
        return min(max(farther, low), high)

    return cubic(other, trial)[0] if bracketed else farthest  # lower, and not flatter


def cubic(point: Point, trial: Point) -> tuple[float, bool]:
    """The minimiser of the cubic through a point and the trial; and whether it lies beyond the trial."""
    theta = 3 * (point.value - trial.value) / (trial.step - point.step) + point.slope + trial.slope
    scale = max(abs(theta), abs(point.slope), abs(trial.slope))
    square = (theta / scale) ** 2 - (point.slope / scale) * (trial.slope / scale)
    gamma = scale * math.sqrt(max(0.0, square))
    if trial.step > point.step:
        gamma = -gamma
    ratio = ((gamma - trial.slope) + theta) / (((gamma - trial.slope) + gamma) + point.slope)
    return trial.step + ratio * (point.step - trial.step), ratio < 0 and gamma != 0
