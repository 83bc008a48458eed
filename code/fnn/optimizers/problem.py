"""What every optimiser takes and returns: an objective, limits, a result that says why each run stopped."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from torch import Tensor


class Objective(Protocol):
    """Independent problems of one shape, evaluated together; row i depends on parameters i alone."""

    def value_and_gradient(self, params: Tensor, run: Tensor) -> tuple[Tensor, Tensor]:
        """Parameters [R, P] of the problems with the indices `run` [R] → values [R], gradients [R, P]."""
        ...


class LeastSquaresObjective(Objective, Protocol):
    """An objective ‖r(θ)‖²/N of N known residuals, which zeros may follow."""

    N: int  # the number of residuals

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
    iterations: int = 10_000  # of BFGS and first-order methods
    patience: int = 100  # evaluations in which the value must fall by the fraction `progress`
    progress: float = 1e-5
    least_squares_iterations: int = 1_000  # trial steps of Levenberg–Marquardt

    def __post_init__(self) -> None:
        if not self.gradient >= 0:
            raise ValueError(f"Limits(gradient={self.gradient}): must be zero or positive")
        for name in ("iterations", "patience", "least_squares_iterations"):
            if getattr(self, name) < 1:
                raise ValueError(f"Limits({name}={getattr(self, name)}): must be at least 1")


class Result(NamedTuple):
    """Where R runs ended, and why."""

    params: Tensor  # [R, P]
    value: Tensor  # [R]
    gradient_norm: Tensor  # [R] max-norm
    stop_codes: Tensor  # [R] int64, an index into STOPS
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


def dot(a: Tensor, b: Tensor) -> Tensor:
    """aᵀb by row: [R, P], [R, P] → [R]."""
    return (a * b).sum(dim=1)
