"""What a person who wants many networks at once would take: optimistix under `jax.vmap`, compiled.

Imported only where JAX and optimistix are (`pip install -e .[benchmarks]`).
"""

import time
from typing import Any

import jax
import jax.numpy as jnp
import optimistix
import torch
from torch import Tensor

from fnn.data import Dataset

jax.config.update("jax_enable_x64", True)
TOLERANCE = 1e-8  # relative and absolute, of value and step: end losses are then as ours, or a little higher


def train(method: str, start: Tensor, data: Dataset) -> tuple[Tensor, float, int]:
    """[1, m, 1] from each row of start [R, 3m + 1] by bfgs or lm: train MSEs [R], processor seconds, turns.

    One call compiles, a second one is measured.
    """
    x, y = (jnp.asarray(tensor[:, 0].tolist()) for tensor in (data.X_train, data.y_train))

    def residuals(theta: Any, _: None) -> Any:
        w, b, v = theta[:-1].reshape(3, -1)
        return jax.nn.sigmoid(x[:, None] * w + b) @ v + theta[-1] - y

    def loss(theta: Any, _: None) -> Any:
        return jnp.mean(residuals(theta, None) ** 2)

    def one(theta: Any) -> Any:
        if method == "bfgs":
            solver = optimistix.BFGS(rtol=TOLERANCE, atol=TOLERANCE)
            found = optimistix.minimise(loss, solver, theta, max_steps=10_000, throw=False)
        else:
            solver = optimistix.LevenbergMarquardt(rtol=TOLERANCE, atol=TOLERANCE)
            found = optimistix.least_squares(residuals, solver, theta, max_steps=1_000, throw=False)
        return loss(found.value, None), found.stats["num_steps"]

    many = jax.jit(jax.vmap(one))
    points = jnp.asarray(start.tolist())
    jax.block_until_ready(many(points))
    began = time.process_time()
    losses, steps = jax.block_until_ready(many(points))
    seconds = time.process_time() - began
    return torch.tensor(losses.tolist(), dtype=torch.float64), seconds, int(steps.max())
