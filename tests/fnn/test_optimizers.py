"""The batched optimisers against SciPy, on functions whose minima are known, and their invariants."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from references import REFERENCES
from scipy.optimize import minimize
from scipy.optimize._dcsrch import DCSRCH
from torch import Tensor

from fnn.optimizers import METHODS, STOPS, Limits, Result, Stop
from fnn.optimizers.inverse_hessian import BLOCK, SMALL, InverseHessian
from fnn.optimizers.levenberg_marquardt import direction, linearise
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

LIMITS = Limits(gradient=1e-8, iterations=500, least_squares_iterations=500)


class Residuals(NamedTuple):
    """A least-squares objective from a function [R, P] → residuals [R, N], differentiated by autograd."""

    function: Callable[[Tensor], Tensor]
    N: int

    def residuals(self, params: Tensor) -> Tensor:
        return self.function(params)

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            theta = params.detach().requires_grad_()
            r = self.function(theta)
            rows = [torch.autograd.grad(r[:, i].sum(), theta, retain_graph=True)[0] for i in range(self.N)]
        return r.detach(), torch.stack(rows, dim=2)

    def residuals_and_kernel(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r, Jt = self.residuals_and_jacobian(params)
        return r, (Jt @ r[:, :, None])[:, :, 0], Jt.mT @ Jt

    def transposed_jacobian_times(self, params: Tensor, u: Tensor) -> Tensor:
        return (self.residuals_and_jacobian(params)[1] @ u[:, :, None])[:, :, 0]

    def value_and_gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        r, Jt = self.residuals_and_jacobian(params)
        return r.square().sum(1) / self.N, 2 / self.N * (Jt @ r[:, :, None])[:, :, 0]


def rosenbrock(x: Tensor) -> Tensor:
    """Residuals of Rosenbrock's function in P dimensions, minimum 0 at (1, …, 1)."""
    return torch.cat((10 * (x[:, 1:] - x[:, :-1] ** 2), 1 - x[:, :-1]), dim=1)


def points(runs: int, parameters: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(runs, parameters, generator=generator, dtype=torch.float64)


def stops(result: Result) -> set[str]:
    return {STOPS[code].value for code in result.stop.tolist()}


@pytest.mark.parametrize("method", ["bfgs", "lm", "scipy-bfgs", *REFERENCES])
def test_rosenbrock_minimum_is_reached(method: str) -> None:
    result = (METHODS | REFERENCES)[method].minimize(Residuals(rosenbrock, 2), points(6, 2), LIMITS)
    assert torch.allclose(result.params, torch.ones(6, 2, dtype=torch.float64), atol=1e-6)
    assert stops(result) == {"gradient"} or method not in ("bfgs", "lm")


@pytest.mark.parametrize("method", ["bfgs", "lm", "adam", "rprop"])
def test_convex_quadratics_reach_the_solution_of_their_equations(method: str) -> None:
    A = torch.eye(8, 5, dtype=torch.float64) + 0.3 * points(8, 5, seed=1)
    b = points(8, 1, seed=2)[:, 0]
    limits = Limits(gradient=1e-6, iterations=1500)
    result = METHODS[method].minimize(Residuals(lambda x: x @ A.mT - b, 8), points(4, 5), limits)
    solution = torch.linalg.lstsq(A, b[:, None]).solution[:, 0]
    assert torch.allclose(
        result.params, solution.expand(4, 5), atol=1e-5 if method in ("bfgs", "lm") else 3e-2
    )
    assert "diverged" not in stops(result)


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


def test_levenberg_marquardt_solves_the_same_equations_in_both_forms() -> None:
    for P, N in ((3, 9), (9, 3)):
        slopes, shift, x = points(P, N), points(1, N, 1), points(4, P, 2)
        problem = Residuals(lambda x, A=slopes, b=shift: x @ A + b, N)
        at = linearise(problem, x)
        damping = torch.tensor([1e-3, 0.1, 1.0, 10.0], dtype=torch.float64)
        A = slopes @ slopes.mT + damping[:, None, None] * torch.eye(P, dtype=torch.float64)
        expected = -torch.linalg.solve(A, at.Jtr)
        assert torch.allclose(direction(problem, x, at, damping), expected, atol=1e-10)


@pytest.mark.parametrize("method", ["bfgs", "lm", "adam"])
def test_run_that_is_not_finite_ends_and_the_others_go_on(method: str) -> None:
    start = points(5, 2)
    start[2] = torch.nan
    start[4] = torch.inf
    result = METHODS[method].minimize(Residuals(rosenbrock, 2), start, LIMITS)
    for run in (2, 4):
        assert STOPS[int(result.stop[run])] is Stop.DIVERGED
        assert result.iterations[run] == 0
    others = [0, 1, 3]
    alone = METHODS[method].minimize(Residuals(rosenbrock, 2), start[others], LIMITS)
    assert torch.equal(result.params[others], alone.params)
    assert "diverged" not in stops(alone)


@pytest.mark.parametrize("method", ["bfgs", "lm"])
def test_step_into_a_region_without_values_is_shortened(method: str) -> None:
    def wall(x: Tensor) -> Tensor:  # not a number for x ≤ 0, minimum at x = 1
        return torch.cat((torch.log(x), x - 1), dim=1)

    start = torch.tensor([[8.0], [30.0], [0.5]], dtype=torch.float64)
    result = METHODS[method].minimize(Residuals(wall, 2), start, LIMITS)
    assert torch.allclose(result.params, torch.ones(3, 1, dtype=torch.float64), atol=1e-6)


@pytest.mark.parametrize("method", ["bfgs", "lm"])
def test_value_never_rises(method: str) -> None:
    trace = METHODS[method].minimize(Residuals(rosenbrock, 6), points(20, 4), LIMITS).trace
    assert (trace.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_iteration_limit_ends_a_run(method: str) -> None:
    few = Limits(gradient=0.0, iterations=3, least_squares_iterations=3)
    result = METHODS[method].minimize(Residuals(rosenbrock, 6), 3 * points(3, 4), few)
    assert stops(result) == {"iterations"}
    assert (result.iterations <= 3).all()


@pytest.mark.parametrize(
    ("field", "value"), [("gradient", -1.0), ("gradient", float("nan")), ("iterations", 0), ("patience", 0)]
)
def test_senseless_limit_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"Limits\({field}="):
        Limits(**{field: value})  # type: ignore[arg-type]
