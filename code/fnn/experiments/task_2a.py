"""Experiments of task 2a: what a fit should look like, made by rules from the data before any training."""

import math
from dataclasses import dataclass
from itertools import combinations, product

import torch
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from fnn.data import Dataset
from fnn.experiments.common import mse, network, predict
from fnn.models import MLP

REACH = 0.95  # a conjectured step runs from 1 − REACH to REACH of its height within its stretch
BANDWIDTH = 0.05  # of the smoothing kernel, its standard deviation, in units of the range of the inputs


@dataclass(frozen=True)
class Conjecture:
    """A network with `units` hidden units that no training has touched."""

    units: int
    model: MLP  # float64
    train_mse: float

    def at(self, x: float) -> float:
        """Its value at one input."""
        return float(predict(self.model, torch.tensor([[x]])))

    def test_mse(self, data: Dataset) -> float:
        return mse(predict(self.model, data.X_test), data.y_test[:, 0])


def smoothed(data: Dataset, points: int = 4001) -> tuple[Tensor, Tensor]:
    """The training data smoothed by local lines with a Gaussian kernel: x and y [G], float64.

    A local line rather than a local mean, so that the ends of the range do not bend (Hastie, Tibshirani and
    Friedman 2009, section 6.1).
    """
    low, high = data.x_range
    X, y = data.X_train.double(), data.y_train.double()
    x = torch.linspace(low, high, points, dtype=torch.float64)
    offsets = X[:, 0] - x[:, None]  # [G, N]
    root_weights = torch.exp(-((offsets / (BANDWIDTH * (high - low))) ** 2) / 4)
    design = torch.stack([torch.ones_like(offsets), offsets], dim=2) * root_weights[:, :, None]  # [G, N, 2]
    lines = torch.linalg.lstsq(design, root_weights[:, :, None] * y, driver="gelsd").solution  # [G, 2, 1]
    return x, lines[:, 0, 0]


def bends(data: Dataset) -> list[float]:
    """Where the smoothed training data turn from rising to falling or back."""
    x, y = smoothed(data)
    rising = y.diff() > 0
    return x[1:-1][rising[1:] != rising[:-1]].tolist()


def stretches(data: Dataset) -> int:
    """Monotone stretches of the smoothed training data."""
    return len(bends(data)) + 1


def turning_points(model: MLP, data: Dataset, points: int = 2001) -> int:
    """How often the prediction changes between rising and falling within the range of the data."""
    x = torch.linspace(*data.x_range, points, dtype=torch.float64).unsqueeze(1)
    steps = predict(model, x).diff()
    rising = steps[steps.abs() > 1e-9 * steps.abs().max()] > 0
    return int((rising[1:] != rising[:-1]).sum())


def conjecture(data: Dataset, units: int, phi: str = "sigmoid") -> Conjecture:
    """The best of the networks that a rule builds from the stretches of the data.

    A logistic unit is a step through one stretch; a ReLU unit is a hinge that opens to the left or to the
    right of one bend. Of all choices of so many stretches or bends (or of all of them where there are fewer)
    that one counts whose output weights, by least squares, leave the lowest train MSE. Without units, the
    network is the least-squares line.
    """
    low, high = data.x_range
    turns = bends(data)
    edges = torch.tensor([low, *turns, high], dtype=torch.float64)
    if phi == "relu":
        shapes = [(side, -side * turn) for turn in turns for side in (1.0, -1.0)]
        places = [range(2 * i, 2 * i + 2) for i in range(len(turns))]
    else:
        steepness = 2 * math.log(REACH / (1 - REACH)) / edges.diff()
        centres = (edges[1:] + edges[:-1]) / 2
        shapes = list(zip(steepness.tolist(), (-steepness * centres).tolist(), strict=True))
        places = [range(i, i + 1) for i in range(len(shapes))]
    chosen = [
        torch.tensor([shapes[unit] for unit in pick], dtype=torch.float64).reshape(-1, 2)
        for subset in combinations(places, min(units, len(places)))
        for pick in product(*subset)
    ]
    built = [_fitted(data, shape[:, 0], shape[:, 1], phi) for shape in chosen]
    return min(
        (Conjecture(units, model, mse(predict(model, data.X_train), data.y_train[:, 0])) for model in built),
        key=lambda found: found.train_mse,
    )


def _fitted(data: Dataset, w: Tensor, b: Tensor, phi: str) -> MLP:
    """[1, m, 1] with hidden weights w, b [m], its output weights by least squares; a line where m = 0."""
    X, y = data.X_train.double(), data.y_train.double()
    inputs = X
    if len(w):
        inputs, _ = network(w, b, torch.ones_like(w), torch.zeros(()), phi).layer_outputs(X)
    design = torch.cat([inputs, torch.ones_like(X)], dim=1)
    solution = torch.linalg.lstsq(design, y, driver="gelsd").solution[:, 0]
    if len(w):
        return network(w, b, solution[:-1], solution[-1], phi)
    line = MLP([1, 1]).double().requires_grad_(False)
    vector_to_parameters(solution, line.parameters())
    return line
