"""What the experiments share: a training by its width, networks from given parameters, shares of runs."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.plan import LIMITS, PLAN
from fnn.models import MLP
from fnn.training import Training
from fnn.units import UNITS

SAME_LOSS = 1e-4  # relative: two runs from one point that end within it end at the same loss


@dataclass(frozen=True)
class Share:
    """How many of so many runs."""

    count: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.count / self.of if self.of else math.nan


def margin(runs: int) -> float:
    """Half the width, in percentage points, of the 95 % interval of a share of about one half of the runs."""
    return 98 / math.sqrt(runs)


def share(chosen: Tensor) -> Share:
    """The share of true entries of `chosen` [R] bool."""
    return Share(int(chosen.sum()), len(chosen))


def same_losses(one: Tensor, other: Tensor) -> Share:
    """The runs, from one initial point each, that end at the same train MSE; both [R]."""
    return share((one - other).abs() <= SAME_LOSS * other)


def bfgs_training(
    data: Dataset, width: int, phi: str = "sigmoid", init: str = "course", runs: int | None = None,
    decay: float = 0.0,
) -> Training:  # fmt: skip
    """[1, width, 1] by BFGS, from the plan's number of initial points unless `runs` says otherwise."""
    runs = runs or PLAN.restarts(width)
    return Training([width], runs, phi=phi, data=data, init=init, limits=LIMITS, decay=decay)


def network(w: Tensor, b: Tensor, v: Tensor, c: Tensor, phi: str = "sigmoid") -> MLP:
    """[1, m, 1] with the parameters w, b, v [m] and c [], float64, frozen."""
    mlp = MLP([1, len(w), 1], UNITS[phi].phi).double().requires_grad_(False)
    (W1, b1), (W2, b2) = mlp.layers()
    W1.copy_(w[None])
    b1.copy_(b)
    W2.copy_(v[:, None])
    b2.fill_(c)
    return mlp


def predict(model: MLP, x: Tensor) -> Tensor:
    """Output of a network with one input and one output at x [G, 1]: [G], in the network's precision."""
    with torch.no_grad():
        output: Tensor = model(x.to(model.layers()[0][0].dtype))
    return output[:, 0]


def hidden_outputs(model: MLP, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs of the hidden units of [1, m, 1] at x [G, 1], [G, m], and their output weights [m]."""
    with torch.no_grad():
        z, _ = model.layer_outputs(x.to(model.layers()[0][0].dtype))
    return z, model.layers()[1][0].detach()[:, 0]


def mse(prediction: Tensor, y: Tensor) -> float:
    """Mean squared error; both of one shape."""
    return float((prediction.double() - y.double()).square().mean())
