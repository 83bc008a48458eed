"""BFGS, its inverse Hessian and its line search, against SciPy and the textbook."""

import math

import pytest
import torch
from problems import Residuals, points, rosenbrock
from scipy.optimize import minimize
from scipy.optimize._dcsrch import DCSRCH
from torch import Tensor

from fnn.optimizers import METHODS, Limits
from fnn.optimizers.inverse_hessian import BLOCK, SMALL, InverseHessian
from fnn.optimizers.line_search import (
    C1,
    C2,
    LARGEST_STEP,
    MAX_TRIALS,
    NARROW,
    LineSearch,
    Point,
    accepts,
    first_trial,
)


def test_bfgs_takes_the_steps_of_scipy() -> None:
    problem, start = Residuals(rosenbrock, 6), points(5, 4, seed=3)
    ours = METHODS["bfgs"].minimize(problem, start, Limits(iterations=12))
    for run, x0 in enumerate(start):

        def value_and_gradient(x: object) -> tuple[float, object]:
            value, gradient = problem.value_and_gradient(torch.as_tensor(x)[None])
            return float(value), gradient[0].numpy()

        theirs = minimize(value_and_gradient, x0.numpy(), jac=True, method="BFGS", options={"maxiter": 12})
        assert torch.allclose(ours.params[run], torch.from_numpy(theirs.x), atol=1e-9)
        assert ours.function_evaluations[run] == theirs.nfev


def matrix(H: InverseHessian, P: int) -> Tensor:
    """The matrices [R, P, P] that H stands for, column by column."""
    columns = torch.eye(P, dtype=torch.float64).expand(len(H.M), P, P)
    return torch.stack([H.times(columns[:, k]) for k in range(P)], dim=2)


@pytest.mark.parametrize("P", [6, SMALL + 1])
def test_update_meets_the_secant_condition_and_stays_positive_definite(P: int) -> None:
    R = 7
    H = InverseHessian.identity(torch.zeros(R, P, dtype=torch.float64))
    moves = (torch.arange(R) != 3)[:, None]
    for seed in range(BLOCK + 3):
        s = torch.where(moves, points(R, P, seed), 0.0)
        y = torch.where(moves, s + 0.1 * points(R, P, seed + 100), 0.0)
        H.update(s, y, H.times(y))
        assert torch.allclose(H.times(y), s, atol=1e-9)
        after = matrix(H, P)
        assert torch.equal(after[3], torch.eye(P, dtype=torch.float64))
        assert torch.allclose(after, after.mT, atol=1e-12)
        assert (torch.linalg.eigvalsh(after) > 0).all()
    H.reset(moves[:, 0])
    assert torch.equal(matrix(H, P), torch.eye(P, dtype=torch.float64).expand(R, P, P))


@pytest.mark.parametrize("P", [4, SMALL + 1])
def test_update_is_the_textbook_formula(P: int) -> None:
    H = InverseHessian.identity(torch.zeros(1, P, dtype=torch.float64))
    expected = torch.eye(P, dtype=torch.float64)
    for seed in range(BLOCK + 2):
        s, noise = points(1, P, seed), points(1, P, seed + 100)
        y = s + 0.2 * noise
        rho = 1 / (s @ y.mT)
        left = torch.eye(P, dtype=torch.float64) - rho * s.mT @ y
        expected = left @ expected @ left.mT + rho * s.mT @ s
        H.update(s, y, H.times(y))
        assert torch.allclose(matrix(H, P)[0], expected, atol=1e-10)


def test_line_search_ends_where_the_wolfe_conditions_hold() -> None:
    centre = torch.linspace(0.01, 30, 50, dtype=torch.float64)

    def phi(step: Tensor) -> tuple[Tensor, Tensor]:
        z = step - centre
        return torch.log1p(z * z) + 0.01 * z * z, 2 * z / (1 + z * z) + 0.02 * z

    value, slope = phi(torch.zeros(50, dtype=torch.float64))
    step = first_trial(value, slope, value + 1)
    searches = [
        LineSearch(*start) for start in zip(value.tolist(), slope.tolist(), step.tolist(), strict=True)
    ]
    for _ in range(30):
        trial_value, trial_slope = phi(step)
        done = accepts(value, slope, step, trial_value, trial_slope)
        if done.all():
            break
        for run in (~done).nonzero()[:, 0].tolist():
            trial = Point(float(step[run]), float(trial_value[run]), float(trial_slope[run]))
            following = searches[run].next(trial)
            assert following is not None
            step[run] = following
    assert done.all()


def test_line_search_takes_the_trials_of_scipy() -> None:
    generator = torch.Generator().manual_seed(5)
    for _ in range(200):
        a, b, c, d = (2 * torch.randn(4, generator=generator, dtype=torch.float64)).tolist()

        def phi(x: float, a: float = a, b: float = b, c: float = c, d: float = d) -> float:
            return math.sin(a * x + b) + 0.05 * (x - c) ** 2 + math.cos(d * x)

        def slope(x: float, a: float = a, b: float = b, c: float = c, d: float = d) -> float:
            return a * math.cos(a * x + b) + 0.1 * (x - c) - d * math.sin(d * x)

        if slope(0.0) >= 0:
            continue
        first = min(1.0, 2.02 / -slope(0.0))
        theirs = DCSRCH(phi, slope, C1, C2, NARROW, 0.0, LARGEST_STEP)(first, maxiter=MAX_TRIALS)
        search, step = LineSearch(phi(0.0), slope(0.0), first), first
        while not _accepted(phi(0.0), slope(0.0), step, phi(step), slope(step)):
            following = search.next(Point(step, phi(step), slope(step)))
            assert following is not None
            step = following
        assert step == pytest.approx(theirs[0], rel=1e-12)


def _accepted(*numbers: float) -> bool:
    return bool(accepts(*(torch.tensor([number], dtype=torch.float64) for number in numbers)))


def test_line_search_stays_nearer_where_there_is_no_value() -> None:
    search = LineSearch(1.0, -1.0, 1.0)
    assert search.next(Point(1.0, math.nan, math.nan)) == pytest.approx(0.1)


def test_line_search_gives_up() -> None:
    search, step = LineSearch(1.0, -1.0, 1.0), 1.0
    for _ in range(MAX_TRIALS - 1):
        following = search.next(Point(step, math.inf, 0.0))
        assert following is not None
        step = following
    assert search.next(Point(step, math.inf, 0.0)) is None
