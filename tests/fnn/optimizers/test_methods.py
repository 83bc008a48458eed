"""Every optimiser on functions whose minima are known."""

import pytest
import torch
from problems import LIMITS, Residuals, points, rosenbrock, stops
from references import REFERENCES
from torch import Tensor

from fnn.optimizers import METHODS, STOPS, Limits, Method, Stop
from fnn.optimizers.levenberg_marquardt import direction, linearise


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


@pytest.mark.parametrize("method", ["bfgs", "lm", "adam", "rprop"])
def test_run_that_is_not_finite_ends_and_the_others_go_on(method: str) -> None:
    start = points(5, 2)
    start[2] = torch.nan
    start[4] = torch.inf
    result = METHODS[method].minimize(Residuals(rosenbrock, 2), start, LIMITS)
    for run in (2, 4):
        assert STOPS[int(result.stop_codes[run])] is Stop.DIVERGED
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


def test_levenberg_marquardt_solves_the_same_equations_in_both_forms() -> None:
    for P, N in ((3, 9), (9, 3)):
        slopes, shift, x = points(P, N), points(1, N, 1), points(4, P, 2)
        problem = Residuals(lambda x, A=slopes, b=shift: x @ A + b, N)
        at = linearise(problem, x)
        damping = torch.tensor([1e-3, 0.1, 1.0, 10.0], dtype=torch.float64)
        A = slopes @ slopes.mT + damping[:, None, None] * torch.eye(P, dtype=torch.float64)
        expected = -torch.linalg.solve(A, at.Jtr)
        assert torch.allclose(direction(problem, x, at, damping), expected, atol=1e-10)


def test_options_have_defaults_and_an_unknown_one_is_refused_by_name() -> None:
    assert METHODS["adam"].options({}) == {"lr": 0.01}
    assert METHODS["adam"].options({"lr": 0.1}) == {"lr": 0.1}
    with pytest.raises(ValueError, match="option='rl': use one of lr"):
        METHODS["adam"].options({"rl": 0.1})


def test_a_method_is_a_function_that_the_store_can_find() -> None:
    with pytest.raises(TypeError, match="give a function that a module defines"):
        Method(lambda objective, start, limits: None)
