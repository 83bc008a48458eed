"""Rprop for R runs at once, which wants the full batch (Riedmiller and Braun 1993, IEEE ICNN)."""

import torch
from torch import Tensor

from fnn.optimizers import first_order
from fnn.optimizers.problem import Limits, Objective, Result


def minimize(objective: Objective, start: Tensor, limits: Limits, lr: float = 0.01) -> Result:
    """Minimise from each row of start [R, P] with a first step of `lr`."""
    return first_order.minimize(lambda params: torch.optim.Rprop([params], lr=lr), objective, start, limits)
