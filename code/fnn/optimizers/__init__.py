"""The optimisers, one algorithm a file, told in the same order: direction, step, stopping test, loop."""

from functools import partial

from fnn.optimizers import bfgs, first_order, levenberg_marquardt, scipy_reference
from fnn.optimizers.problem import STOPS, Limits, Result, Stop, trace_grid, trace_limit
from fnn.optimizers.scipy_reference import AutogradMeanSquaredError
from fnn.optimizers.shard import Method

METHODS = {
    "bfgs": Method(bfgs.minimize),
    "lm": Method(levenberg_marquardt.minimize, jacobians=True, cost=0.3),
    **{rule: Method(partial(first_order.minimize, rule), cost=5.0) for rule in first_order.RULES},
    "scipy-bfgs": Method(scipy_reference.minimize, AutogradMeanSquaredError, cost=20.0),
}
PRESETS = {
    "full": Limits(),  # the course's settings; what the report shows
    "quick": Limits(iterations=300, least_squares_iterations=60),  # for tests and for a first look
}

__all__ = ["METHODS", "PRESETS", "STOPS", "Limits", "Method", "Result", "Stop", "trace_grid", "trace_limit"]
