"""The optimisers, one algorithm a file, told in the same order: direction, step, stopping test, loop."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fnn.optimizers.bfgs import bfgs
from fnn.optimizers.first_order import RULES, first_order
from fnn.optimizers.levenberg_marquardt import levenberg_marquardt
from fnn.optimizers.problem import PRESETS, STOPS, Limits, Result, Stop, trace_grid, trace_limit
from fnn.optimizers.scipy_reference import scipy_bfgs, scipy_least_squares
from fnn.optimizers.torch_lbfgs import torch_lbfgs

METHODS: dict[str, Callable[[Any, Any, Limits], Result]] = {
    "bfgs": bfgs,
    "lm": levenberg_marquardt,
    **{rule: partial(first_order, rule) for rule in RULES},
    "scipy-bfgs": scipy_bfgs,
    "scipy-least-squares": scipy_least_squares,
    "torch-lbfgs": torch_lbfgs,
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
