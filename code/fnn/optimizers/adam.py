"""Adam for R runs at once (Kingma and Ba 2015, ICLR), with β₁ and β₂ as proposed there."""

import torch
from torch import Tensor

from fnn.optimizers import first_order
from fnn.optimizers.problem import Limits, Objective, Result


def minimize(objective: Objective, start: Tensor, limits: Limits, lr: float = 0.01) -> Result:
    """Minimise from each row of start [R, P] with the learning rate `lr`."""
    return first_order.minimize(lambda params: torch.optim.Adam([params], lr=lr), objective, start, limits)
