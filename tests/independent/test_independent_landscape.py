"""Minima, limits and what follows from them: found by SciPy from starts of its own."""

import itertools
import math

import numpy as np
import oracle
import pytest
from scipy.optimize import least_squares

from fnn import load_d1
from fnn.landscape.limit_models import limit_models

X, Y = oracle.read("train")
X_TEST, Y_TEST = oracle.read("test")
D1 = load_d1().X_train.double()[:, 0], load_d1().y_train.double()[:, 0]


def descend(theta: oracle.Array) -> oracle.Array:
    """Levenberg–Marquardt (MINPACK) to the end."""
    found = least_squares(
        lambda t: oracle.outputs(t, X) - Y, theta, lambda t: oracle.jacobian(t, X), method="lm", max_nfev=2000
    )
    return np.asarray(found.x)


def starts(width: int, count: int) -> list[oracle.Array]:
    """Centres uniform over the data, steepness log-uniform, output weights by least squares."""
    draw = np.random.default_rng(width)
    points = []
    for _ in range(count):
        w = np.exp(draw.uniform(-1.5, 2, width)) * draw.choice([-1, 1], width)
        b = -w * draw.uniform(-2, 15, width)
        hidden = 1 / (1 + np.exp(-(np.outer(X, w) + b)))
        points.append(np.r_[w, b, oracle.project(np.c_[hidden, np.ones_like(X)], Y)[1]])
    return points


@pytest.fixture(scope="module")
def limit() -> tuple[float, float, float]:
    """L*, w, b by variable projection."""
    return oracle.best_limit(X, Y, starts=25)


def expansion(limit: tuple[float, float, float]) -> tuple[oracle.Array, float]:
    """The limit model's (a, α, β, w, b, c) and the slope k of the loss in ε²."""
    _, w, b = limit
    columns = oracle.limit_columns(w, b, X)
    a, beta, alpha, c = oracle.project(columns, Y)[1]
    r = columns @ np.array([a, beta, alpha, c]) - Y
    _, _, second, third = oracle.derivatives(w * X + b)
    delta = alpha * X + beta
    k = 2 / len(X) * np.sum(r * (a * delta**2 * second / 2 + delta**3 * third / 6))
    return np.array([a, alpha, beta, w, b, c]), float(k)


def test_the_limit_of_two_merging_units(limit: tuple[float, float, float]) -> None:
    theirs = limit_models(*D1)[0]
    parameters, k = expansion(limit)
    assert round(limit[0], 8) == 0.07957084
    assert math.isclose(theirs.loss, limit[0], rel_tol=1e-9)
    assert math.isclose(theirs.k, k, rel_tol=1e-4)
    w, b, a, alpha, beta, c = theirs.theta.tolist()
    for mine, value in zip(parameters, (a, alpha, beta, w, b, c), strict=True):
        assert math.isclose(mine, value, rel_tol=1e-4)


def test_the_excess_loss_is_k_over_4_v_squared_over_three_decades(limit: tuple[float, float, float]) -> None:
    """The best loss at a fixed difference 2V of the output weights, against the prediction of the project."""
    p, _ = expansion(limit)
    theirs = limit_models(*D1)[0]
    for V, tolerance in ((10_000, 1e-3), (1000, 1e-3), (100, 1e-3), (30, 0.01), (10, 0.06)):
        e = 1 / (2 * V)

        def residuals(p: oracle.Array, e: float = e) -> oracle.Array:
            a, alpha, beta, w, b, c = p
            z, d = w * X + b, alpha * X + beta
            up, down = oracle.derivatives(z + e * d)[0], oracle.derivatives(z - e * d)[0]
            return np.asarray(a / 2 * (up + down) + (up - down) / (2 * e) + c - Y)

        found = least_squares(residuals, p, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
        excess = float(np.mean(found.fun**2)) - theirs.loss
        assert math.isclose(excess, theirs.k / (4 * V**2), rel_tol=tolerance, abs_tol=1e-11), V


def test_nothing_below_the_limit_in_two_units_nor_below_the_best_of_three() -> None:
    lowest = {m: min(oracle.mse(descend(t), X, Y) for t in starts(m, 60)) for m in (2, 3)}
    assert lowest[2] > limit_models(*D1)[0].loss - 1e-12
    assert round(lowest[3], 7) == 0.0073242


def test_two_minima_of_one_unit_at_finite_weights() -> None:
    """A grid of steepness and centre holds nothing better."""
    for centre, loss in ((9.66, 0.37), (2.94, 0.372919)):
        theta = descend(np.r_[6.0, -6.0 * centre, -0.9, 0.5])
        assert round(oracle.mse(theta, X, Y), 6) == loss
        assert math.isclose(-theta[1] / theta[0], centre, abs_tol=0.01)
    steepness, centres = np.exp(np.linspace(-5, 6, 60)), np.linspace(-10, 23, 160)
    grid = [
        oracle.project(np.stack([oracle.derivatives(w * (X - c))[0], np.ones_like(X)], axis=1), Y)[0]
        for w, c in itertools.product(steepness, centres)
    ]
    assert min(grid) > 0.37 - 1e-6


def test_without_noise_the_two_minima_of_one_unit_are_mirror_images() -> None:
    clean = np.sin(X)
    losses = []
    for centre in (9.5, 3.0):
        found = least_squares(
            lambda t: oracle.outputs(t, X) - clean, np.r_[6.0, -6.0 * centre, -0.9, 0.5], method="lm"
        )
        losses.append(float(np.mean(found.fun**2)))
    assert math.isclose(*losses, rel_tol=1e-5)


def test_the_best_fit_of_three_units() -> None:
    theta = min((descend(t) for t in starts(3, 12)), key=lambda t: oracle.mse(t, X, Y))
    assert round(oracle.mse(theta, X, Y), 5) == 0.00732
    assert round(oracle.mse(theta, X_TEST, Y_TEST), 4) == 0.0103
    curve = np.diff(oracle.outputs(theta, np.linspace(0, X[-1], 4001)))
    assert int(np.sum((curve[1:] > 0) != (curve[:-1] > 0))) == 4
    assert np.linalg.matrix_rank(oracle.jacobian(theta, X)) == 10


def test_flips_and_exchanges_leave_the_function() -> None:
    """All 2^m m! images of a network with three different units compute the same, and differ."""
    theta = starts(3, 1)[0]
    w, b, v, c = oracle.unpack(theta)
    images = set()
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            s, o = np.array(signs), list(order)
            image = np.r_[(s * w)[o], (s * b)[o], (s * v)[o], c + v[s < 0].sum()]
            assert np.allclose(oracle.outputs(image, X), oracle.outputs(theta, X), atol=1e-9)
            images.add(tuple(image.round(9)))
    assert len(images) == 2**3 * 6
