"""What every optimiser takes and returns: an objective, limits, a result that says why each run stopped."""

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from fnn.runs.progress import count_steps


class Objective(Protocol):
    """R independent problems of one shape, evaluated together; row i depends on parameters i alone."""

    def value_and_gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """[R, P] → values [R], gradients [R, P]."""
        ...


class LeastSquaresObjective(Objective, Protocol):
    """An objective ‖r(θ)‖²/N of N known residuals, which zeros may follow."""

    N: int  # the number of residuals

    def residuals(self, params: Tensor) -> Tensor:
        """[R, P] → residuals [R, N]."""
        ...

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """[R, P] → residuals r [R, N], Jacobians J transposed [R, P, N]."""
        ...

    def residuals_and_kernel(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[R, P] → r [R, N], Jᵀr [R, P], JJᵀ [R, N, N]."""
        ...

    def transposed_jacobian_times(self, params: Tensor, u: Tensor) -> Tensor:
        """[R, P], u [R, N] → Jᵀu [R, P]."""
        ...


class Stop(StrEnum):
    """Why a run ended."""

    GRADIENT = "gradient"  # the gradient's largest entry is below the limit: converged
    NO_PROGRESS = "no progress"  # no step lowers the objective any more, or all together too little: `Limits`
    ITERATIONS = "iterations"  # the iteration limit came first
    DIVERGED = "diverged"  # a value or gradient that is not finite


STOPS = tuple(Stop)  # a tensor holds a reason as its place in this tuple


@dataclass(frozen=True)
class Limits:
    """When a run ends."""

    gradient: float = 1e-6  # max-norm of the gradient at which a run has converged
    iterations: int = 10_000  # of BFGS, L-BFGS and first-order methods
    patience: int = 100  # evaluations in which the value must fall by the fraction `progress`
    progress: float = 1e-5
    least_squares_iterations: int = 1_000  # trial steps of Levenberg–Marquardt and SciPy's least squares

    def __post_init__(self) -> None:
        if not self.gradient >= 0:
            raise ValueError(f"Limits(gradient={self.gradient}): must be zero or positive")
        for name in ("iterations", "patience", "least_squares_iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"Limits({name}={getattr(self, name)}): must be at least 1")


PRESETS = {
    "full": Limits(),  # the course's settings; what the report shows
    "quick": Limits(iterations=300, least_squares_iterations=60),  # for tests and for a first look
}


class Result(NamedTuple):
    """Where R runs ended, and why."""

    params: Tensor  # [R, P]
    value: Tensor  # [R]
    gradient_norm: Tensor  # [R] max-norm
    stop: Tensor  # [R] int64, an index into STOPS
    iterations: Tensor  # [R] int64, accepted steps
    function_evaluations: Tensor  # [R] int64
    gradient_evaluations: Tensor  # [R] int64
    jacobian_evaluations: Tensor  # [R] int64
    trace: Tensor  # [R, T] value after trace_grid(…)[t] evaluations, of the last accepted point


def trace_grid(evaluations: int) -> list[int]:
    """The evaluation counts at which values are recorded: 1, 2, 3, … and then about 12 a factor of two."""
    grid, count = [], 1
    while count <= evaluations:
        grid.append(count)
        count = max(count + 1, round(count * 2 ** (1 / 12)))
    return grid


def trace_limit(limits: Limits, *, least_squares: bool = False) -> int:
    """The most evaluations that a trace covers: twice the iterations, which line searches rarely exceed."""
    return limits.least_squares_iterations + 1 if least_squares else 2 * limits.iterations


class Outcome:
    """Collects where R runs end that are evaluated in step, all as often as `count` was called."""

    def __init__(self, start: Tensor, traced_evaluations: int, *, jacobians: bool = False) -> None:
        R = len(start)
        whole = torch.zeros(R, dtype=torch.int64, device=start.device)
        self._params = start.clone()
        self._value = start.new_full((R,), torch.nan)
        self._norm = start.new_full((R,), torch.nan)
        self._stop, self._iterations, self._evaluations = whole, whole.clone(), whole.clone()
        self._grid = trace_grid(traced_evaluations)
        self._trace = start.new_full((R, len(self._grid)), torch.nan)
        self._column = 0
        self._jacobians = jacobians
        self.evaluations = 0
        self.running = R

    def count(self, run: Tensor, value: Tensor) -> None:
        """One more evaluation of the runs [R′], which now stand at `value` [R′]."""
        self.evaluations += 1
        if self._column < len(self._grid) and self.evaluations == self._grid[self._column]:
            self._trace[run, self._column] = value
            self._column += 1

    def end(
        self, run: Tensor, alive: Tensor, params: Tensor, value: Tensor, norm: Tensor,
        iterations: Tensor, reasons: dict[Stop, Tensor],
    ) -> Tensor | None:  # fmt: skip
        """Note the runs to which a reason [R′] bool applies, the first that does; return them, or None."""
        ended = alive & reduce(torch.logical_or, reasons.values())
        rows = ended.nonzero()[:, 0]
        if len(rows) == 0:
            return None
        code = torch.zeros_like(run)
        for stop, applies in reversed(reasons.items()):
            code = torch.where(applies, STOPS.index(stop), code)
        here = run[rows]
        self._params[here], self._value[here], self._norm[here] = params[rows], value[rows], norm[rows]
        self._stop[here], self._iterations[here] = code[rows], iterations[rows]
        self._evaluations[here] = self.evaluations
        self.running -= len(rows)
        count_steps(len(rows))
        return ended

    def result(self) -> Result:
        """The outcome of all runs; in the trace, a run that has ended keeps its final value."""
        trace = torch.where(self._trace.isnan(), self._value[:, None], self._trace)
        nfev, none = self._evaluations, torch.zeros_like(self._evaluations)
        return Result(
            self._params, self._value, self._norm, self._stop, self._iterations, nfev,
            none if self._jacobians else nfev, nfev if self._jacobians else none, trace,
        )  # fmt: skip


def stalled(value: Tensor, mark_value: Tensor, limits: Limits) -> Tensor:
    """Which runs made no progress since they stood at `mark_value`, `patience` evaluations ago: [R] bool."""
    return mark_value - value <= limits.progress * mark_value.abs()


def dot(a: Tensor, b: Tensor) -> Tensor:
    """aᵀb by row: [R, P], [R, P] → [R]."""
    return (a * b).sum(dim=1)


def remaining(alive: Tensor) -> Tensor | None:
    """The rows to keep when at least a quarter of the batch has ended, else None.

    Never fewer than two, for a batch of one is computed differently: an ended run stays for company.
    """
    left = int(alive.sum())
    if left == 0 or max(left, 2) > 0.75 * len(alive):
        return None
    return torch.argsort(alive.to(torch.int8), descending=True, stable=True)[: max(left, 2)].sort().values
