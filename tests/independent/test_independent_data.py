"""D1, its noise and its line: drawn and computed anew."""

import numpy as np
import oracle

from fnn import load_d1
from fnn.experiments import task_2a, task_2b
from fnn.training import train_restarts

DATA = load_d1()


def test_d1_is_what_numpy_s_legacy_generator_draws() -> None:
    generator = np.random.RandomState(1)
    for part, points in (("train", 100), ("test", 123)):
        x = np.linspace(0, 4 * np.pi, points)
        y = np.sin(x) + generator.normal(0, 0.1, points)
        read = oracle.read(part)
        assert np.array_equal(read[0], x.astype(np.float32))
        assert np.array_equal(read[1], y.astype(np.float32))
        loaded = getattr(DATA, f"X_{part}"), getattr(DATA, f"y_{part}")
        assert all(np.array_equal(a[:, 0].numpy(), b) for a, b in zip(loaded, read, strict=True))


def test_the_noise_that_was_drawn_has_this_mean_square() -> None:
    for part, expected in (("train", 0.00787), ("test", 0.00986)):
        x, y = oracle.read(part)
        noise = float(np.mean((y - np.sin(x)) ** 2))
        assert round(noise, 5) == expected
        assert DATA.noise_mse(part) is not None
        assert abs(DATA.noise_mse(part) - noise) < 1e-9  # type: ignore[operator]


def test_a_network_without_hidden_units_is_the_least_squares_line() -> None:
    x, y = oracle.read("train")
    columns = np.stack([x, np.ones_like(x)], axis=1)
    loss, (slope, intercept) = oracle.project(columns, y)
    assert round(loss, 6) == 0.438543
    assert (round(intercept, 2), round(intercept + slope * x[-1], 2)) == (0.45, -0.44)
    line = train_restarts([], 1, data=DATA)
    assert abs(float(line.train_mse[0]) - loss) < 1e-9
    assert abs(task_2a.conjecture(DATA, 0).train_mse - loss) < 1e-9


def test_chances_of_the_initial_centre_are_those_of_a_cauchy_variable() -> None:
    """By counting draws of −b/w; four standard errors of a share."""
    draw = np.random.default_rng(0)
    centre = -draw.standard_normal(400_000) / draw.standard_normal(400_000)
    low, high = DATA.x_range
    middle = (low + high) / 2
    left, right = task_2b.initial_centres(DATA, 2)
    assert abs(np.mean((centre > low) & (centre < middle)) - left) < 4 * (left / 400_000) ** 0.5
    assert abs(np.mean((centre > middle) & (centre < high)) - right) < 4 * (right / 400_000) ** 0.5
