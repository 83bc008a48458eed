"""What the report states, computed once more by NumPy and SciPy alone: nothing here shares code with `fnn`.

Networks map one input to one output through one hidden layer.
Their parameters θ [3m + 1] are w [m], b [m], v [m], c.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Array = NDArray[np.float64]
DATA = Path(__file__).parents[2] / "data"


def read(part: str) -> tuple[Array, Array]:
    """Inputs and targets of D1's `part`, train or test, as the CSV file holds them; both [N]."""
    with (DATA / f"d1-{part}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(np.array([np.float32(row[name]) for row in rows], dtype=float) for name in ("x", "y"))  # type: ignore[return-value]


def unpack(theta: Array) -> tuple[Array, Array, Array, Array]:
    """w, b, v [m] and c of θ."""
    m = (len(theta) - 1) // 3
    return theta[:m], theta[m : 2 * m], theta[2 * m : 3 * m], theta[3 * m]


def outputs(theta: Array, x: Array) -> Array:
    """f(x) = Σ v σ(wx + b) + c, at x [N]."""
    w, b, v, c = unpack(theta)
    return np.asarray(expit(np.outer(x, w) + b) @ v + c)


def mse(theta: Array, x: Array, y: Array) -> float:
    """Mean squared error."""
    return float(np.mean((outputs(theta, x) - y) ** 2))


def jacobian(theta: Array, x: Array) -> Array:
    """∂f(x)/∂θ, [N, 3m + 1]."""
    w, b, v, _ = unpack(theta)
    s = expit(np.outer(x, w) + b)
    slope = s * (1 - s) * v
    return np.hstack([slope * x[:, None], slope, s, np.ones((len(x), 1))])


def gradient(theta: Array, x: Array, y: Array) -> Array:
    """Of the mean squared error, [3m + 1]."""
    return np.asarray(2 / len(x) * jacobian(theta, x).T @ (outputs(theta, x) - y))


def derivatives(z: Array) -> tuple[Array, Array, Array, Array]:
    """σ and its first three derivatives."""
    s, t = expit(z), expit(-z)
    first = s * t
    return s, first, first * (t - s), first * (1 - 6 * first)


def limit_columns(w: float, b: float, x: Array) -> Array:
    """The limit model's columns at a given z = wx + b: σ, σ′, xσ′, 1; [N, 4]."""
    s, first, _, _ = derivatives(w * x + b)
    return np.stack([s, first, x * first, np.ones_like(x)], axis=1)


def project(columns: Array, y: Array) -> tuple[float, Array]:
    """The least mean squared error over linear combinations of the columns, and their coefficients."""
    coefficients = np.linalg.lstsq(columns, y, rcond=None)[0]
    return float(np.mean((columns @ coefficients - y) ** 2)), coefficients


def best_limit(x: Array, y: Array, starts: int = 60, seed: int = 0) -> tuple[float, float, float]:
    """Variable projection over (w, b) from random centres and slopes: the lowest loss found, w, b."""
    draw = np.random.default_rng(seed)
    best = (np.inf, 0.0, 0.0)
    for _ in range(starts):
        w = float(np.exp(draw.uniform(-2, 1.5)))
        start = [w, -w * draw.uniform(x.min(), x.max())]
        found = minimize(
            lambda p: project(limit_columns(p[0], p[1], x), y)[0],
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 2000},
        )
        best = min(best, (float(found.fun), *map(float, found.x)))
    return best
