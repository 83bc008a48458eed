"""The optimisers, one algorithm a file, told in the same order: direction, step, stopping test, loop."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fnn.optimizers import bfgs, first_order, levenberg_marquardt, scipy_reference, torch_lbfgs
from fnn.optimizers.problem import PRESETS, STOPS, Limits, Result, Stop, trace_grid, trace_limit

METHODS: dict[str, Callable[[Any, Any, Limits], Result]] = {
    "bfgs": bfgs.minimize,
    "lm": levenberg_marquardt.minimize,
    **{rule: partial(first_order.minimize, rule) for rule in first_order.RULES},
    "scipy-bfgs": scipy_reference.minimize_bfgs,
    "scipy-least-squares": scipy_reference.minimize_least_squares,
    "torch-lbfgs": torch_lbfgs.minimize,
}
LEAST_SQUARES = ("lm", "scipy-least-squares")  # methods that read residuals and Jacobians
AUTOGRAD = ("scipy-bfgs", "torch-lbfgs")  # references, which differentiate the course's way

__all__ = [
    "LEAST_SQUARES",
    "METHODS",
    "PRESETS",
    "STOPS",
    "Limits",
    "Result",
    "Stop",
    "trace_grid",
    "trace_limit",
]
