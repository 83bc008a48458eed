"""The report's slower statements, by NumPy and SciPy alone: own starts, own networks, SciPy's optimisers.

python benchmarks/independent/studies.py [laws spikes decay depth kinks]
"""

import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares, minimize

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "independent"))
from oracle import Array, gradient, mse, outputs, read

X, Y = read("train")
X_TEST, Y_TEST = read("test")
GAP, END = X[1] - X[0], X[-1]
NAMES = ["laws", "spikes", "decay", "depth", "kinks"]
Draw = np.random.Generator


def wilson(hits: int, runs: int) -> str:
    """A share with its 95 % interval, in per cent."""
    p, z = hits / runs, 1.959964
    middle = (p + z * z / 2 / runs) / (1 + z * z / runs)
    half = z * np.sqrt(p * (1 - p) / runs + z * z / 4 / runs**2) / (1 + z * z / runs)
    return f"{100 * p:.1f} [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}] %"


def course(m: int, draw: Draw) -> Array:
    """Weights N(0, 1)/√fan_in, biases N(0, 1)."""
    return np.r_[draw.normal(size=2 * m), draw.normal(size=m) / np.sqrt(m), draw.normal()]


def uniform(m: int, draw: Draw, length: float = 4 * 0.7) -> Array:
    """Nguyen and Widrow: |w| = length·m over half the range, centres uniform."""
    w = length * m / (END / 2) * draw.choice([-1.0, 1.0], m)
    return np.r_[w, -w * draw.uniform(0, END, m), draw.normal(size=m) / np.sqrt(m), draw.normal()]


def normal_uniform(m: int, draw: Draw) -> Array:
    """The course's weights with centres uniform over the data."""
    theta = course(m, draw)
    theta[m : 2 * m] = -theta[:m] * draw.uniform(0, END, m)
    return theta


def bfgs(theta: Array, x: Array = X, iterations: int = 10_000, decay: float = 0.0) -> Array:
    """SciPy's BFGS as the course calls it."""
    found = minimize(
        lambda t: mse(t, x, Y) + decay * t @ t,
        theta,
        jac=lambda t: gradient(t, x, Y) + 2 * decay * t,
        method="BFGS",
        options={"gtol": 1e-6, "maxiter": iterations},
    )
    return np.asarray(found.x)


def laws(runs: int = 1000) -> None:
    """One unit: which initial law finds the better minimum."""
    centred = X - X.mean()
    for name, law, x in (
        ("course", course, X),
        ("course's weights, centres uniform", normal_uniform, X),
        ("Nguyen and Widrow", uniform, X),
        ("course, input centred", course, centred),
        ("course, input standardised", course, centred / X.std()),
    ):
        draw = np.random.default_rng(5)
        losses = np.array([mse(bfgs(law(1, draw), x), x, Y) for _ in range(runs)])
        better, worse = int(np.sum(losses < 0.3705)), int(np.sum(abs(losses - 0.372919) < 1e-4))
        print(f"  {name}: better {wilson(better, runs)}, worse {wilson(worse, runs)}")


def report(name: str, thetas: list[Array]) -> None:
    """Train and test MSE of many runs, and how much of the range is far off the sine."""
    train, test = (np.array([mse(t, *part) for t in thetas]) for part in ((X, Y), (X_TEST, Y_TEST)))
    grid = np.linspace(0, END, 50_001)
    off = np.array([abs(outputs(t, grid) - np.sin(grid)) > 0.5 for t in thetas])
    left = 100 * off[:, grid < END / 4].sum() / max(off.sum(), 1)
    print(
        f"  {name}: train median {np.median(train):.5f}, test median {np.median(test):.4g}, "
        f"from {test.min():.4g} to {test.max():.4g}; "
        f"off the sine on {100 * np.median(off.mean(axis=1)):.1f} % of the range, "
        f"{left:.0f} % of that in the first quarter",
        flush=True,
    )


def spikes(runs: int = 6) -> None:
    """Wide logistic networks from both laws."""
    for m in (10, 50, 100):
        for name, law in (("course", course), ("centres uniform", uniform)):
            draw = np.random.default_rng(m)
            report(f"{m} units, {name}", [bfgs(law(m, draw)) for _ in range(runs)])


def decay(runs: int = 6, m: int = 50) -> None:
    """Weight decay as a remedy."""
    for strength in (1e-7, 1e-6, 1e-5, 1e-4):
        draw = np.random.default_rng(m)
        thetas = [bfgs(course(m, draw), decay=strength) for _ in range(runs)]
        report(f"{m} units, decay {strength:g}", thetas)


def forward(theta: Array, sizes: list[int]) -> list[tuple[Array, Array]]:
    """Weight and bias of each layer of θ."""
    layers, at = [], 0
    for fan_in, fan_out in pairwise(sizes):
        W = theta[at : at + fan_in * fan_out].reshape(fan_in, fan_out)
        at += fan_in * fan_out
        layers.append((W, theta[at : at + fan_out]))
        at += fan_out
    return layers


def relu_network(theta: Array, sizes: list[int], x: Array) -> tuple[Array, Array, list[Array]]:
    """Outputs [N], Jacobian [N, P] and the hidden outputs of a ReLU network."""
    layers, hidden = forward(theta, sizes), [x[:, None]]
    for number, (W, b) in enumerate(layers):
        z = hidden[-1] @ W + b
        hidden.append(np.maximum(z, 0) if number < len(layers) - 1 else z)
    delta, columns = np.ones_like(hidden[-1]), []
    for (W, _), below in zip(reversed(layers), reversed(hidden[:-1]), strict=True):
        columns[:0] = [(below[:, :, None] * delta[:, None]).reshape(len(x), -1), delta]
        delta = (delta @ W.T) * (below > 0)
    return hidden[-1][:, 0], np.hstack(columns), hidden[1:-1]


def relu_run(sizes: list[int], draw: Draw) -> tuple[float, float, list[float]]:
    """Train and test MSE, and the share of dead units of each hidden layer, of one run by MINPACK."""
    theta = np.concatenate(
        [np.r_[draw.normal(size=a * b) / np.sqrt(a), draw.normal(size=b)] for a, b in pairwise(sizes)]
    )
    m = sizes[1]
    first = uniform(m, draw, 0.7)
    theta[: 2 * m] = first[: 2 * m]
    found = least_squares(
        lambda t: relu_network(t, sizes, X)[0] - Y,
        theta,
        lambda t: relu_network(t, sizes, X)[1],
        method="lm",
        max_nfev=1000,
    )
    values, _, hidden = relu_network(found.x, sizes, X)
    test = relu_network(found.x, sizes, X_TEST)[0]
    dead = [float(np.mean((layer <= 0).all(axis=0))) for layer in hidden]
    return float(np.mean((values - Y) ** 2)), float(np.mean((test - Y_TEST) ** 2)), dead


def depth(runs: int = 200) -> None:
    """Are dead layers what makes deep narrow ReLU networks hard to train?"""
    for hidden in ([10], [4, 4], [3, 3, 3]):
        draw = np.random.default_rng(len(hidden))
        found = [relu_run([1, *hidden, 1], draw) for _ in range(runs)]
        losses, dead = np.array([f[0] for f in found]), np.array([f[2] for f in found])
        cut = (dead == 1).any(axis=1)
        shares = " ".join(f"{100 * share:.0f}" for share in dead.mean(axis=0))
        print(
            f"  {hidden}: median train {np.median(losses):.4f}; dead units by layer {shares} %; "
            f"a dead layer in {wilson(int(cut.sum()), runs)}, "
            f"median of the others {np.median(losses[~cut]):.4f}"
        )


def kinks(runs: int = 300) -> None:
    """The best of many ReLU networks with one to five units."""
    for m in (1, 2, 3, 4, 5):
        draw = np.random.default_rng(m)
        found = min(relu_run([1, m, 1], draw) for _ in range(runs))
        print(f"  {m} units: train {found[0]:.5f}, test {found[1]:.5f}")


def main(names: list[str]) -> None:
    chosen: dict[str, Callable[[], None]] = {name: globals()[name] for name in names or NAMES}
    for name, study in chosen.items():
        start = time.perf_counter()
        print(f"{name}: {study.__doc__}", flush=True)
        study()
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
