"""The optimisers, one algorithm a file, told in the same order: direction, step, stopping test, loop."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fnn.inputs.arguments import require_known
from fnn.optimizers import adam, bfgs, levenberg_marquardt, rprop, scipy_bfgs
from fnn.optimizers.problem import STOPS, Limits, Result, Stop, trace_grid, trace_limit


@dataclass(frozen=True)
class Method:
    """A row of `METHODS`: an optimiser.

    Raises:
        TypeError: if `minimize` is not a function of a module, by whose source the model store would know it.
    """

    minimize: Callable[..., Result]  # objective, start [R, P], limits, and options by their names
    jacobians: bool = False  # whether it reads residuals and Jacobians, and counts those
    cost: float = 1.0  # seconds of a run next to those of BFGS: orders the work, and changes no result

    def __post_init__(self) -> None:
        if not inspect.isfunction(self.minimize) or "<" in self.minimize.__qualname__:
            raise TypeError(f"Method({self.minimize!r}): give a function that a module defines")

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The method's options with their defaults, those that are given in their place.

        Raises:
            ValueError: if one is given that the method does not have.
        """
        _, _, _, *own = inspect.signature(self.minimize).parameters.values()
        for name in given:
            require_known("option", name, [option.name for option in own])
        return {option.name: given.get(option.name, option.default) for option in own}


METHODS = {
    "bfgs": Method(bfgs.minimize),
    "lm": Method(levenberg_marquardt.minimize, jacobians=True, cost=0.3),
    "adam": Method(adam.minimize, cost=5.0),
    "rprop": Method(rprop.minimize, cost=5.0),
    "scipy-bfgs": Method(scipy_bfgs.minimize, cost=20.0),  # one run after another
}
PRESETS = {
    "full": Limits(),  # the course's settings; what the report shows
    "quick": Limits(iterations=300, least_squares_iterations=60),  # for tests and for a first look
}

__all__ = ["METHODS", "PRESETS", "STOPS", "Limits", "Method", "Result", "Stop", "trace_grid", "trace_limit"]
