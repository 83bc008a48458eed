"""Experiments of task 3: both passes by hand against autograd."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fnn import backprop
from fnn.backprop import BackwardPass, ForwardPass
from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.training import train_restarts


@dataclass(frozen=True)
class BackpropExample:
    """A trained network at one example: both passes by hand, and their squared errors against PyTorch.

    Everything in float64; shapes as in `backprop`.
    """

    hidden_units: int  # Z
    train_mse: float  # of the network
    x: Tensor  # [1]
    y: Tensor  # [1]
    parameters: tuple[Tensor, Tensor, Tensor, Tensor]  # W1 [1, Z], b1 [Z], W2 [Z, 1], b2 [1]
    forward: ForwardPass
    backward: BackwardPass
    forward_errors: dict[str, float]  # squared error per forward quantity, summed over its entries
    squared_errors: dict[str, float]  # the same per δ

    @property
    def forward_error(self) -> float:
        return max(self.forward_errors.values())

    @property
    def backward_error(self) -> float:
        return max(self.squared_errors.values())


def backprop_example(data: Dataset, hidden_units: int = 50, index: int = 1) -> BackpropExample:
    """Train [1, hidden_units, 1] and run both passes at test example `index` (the course's is the second)."""
    record = train_restarts([hidden_units], 1, method="lm", data=data, limits=PLAN.limits)
    model = record.model(0, torch.float64).requires_grad_(False)
    (W1, b1), (W2, b2) = model.layers()
    x, y = data.X_test[index].double(), data.y_test[index].double()

    # The reference: the model's own output for the forward pass, autograd through it for the backward pass.
    traced = [tensor.clone().requires_grad_() for tensor in (x, y, W1, b1, W2, b2)]
    reference = _reference_pass(*traced)
    reference["l"].backward()  # type: ignore[no-untyped-call]
    gradients = {name: node.grad for name, node in reference.items()}

    parameters = (W1, b1, W2, b2)
    forward = backprop.forward(x, y, *parameters)
    backward = backprop.backward(x, y, *parameters, forward)
    forward_errors = {
        name: _squared_error(value, reference[name]) for name, value in forward._asdict().items()
    }
    forward_errors["y_hat"] = max(forward_errors["y_hat"], _squared_error(forward.y_hat, model(x)))
    squared_errors = {
        name: _squared_error(delta, gradients[name]) for name, delta in backward._asdict().items()
    }
    return BackpropExample(
        hidden_units, float(record.train_mse[0]), x, y, parameters, forward, backward, forward_errors,
        squared_errors,
    )  # fmt: skip


def _reference_pass(
    x: Tensor, y: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor
) -> dict[str, Tensor]:
    """Every node of the graph as autograd sees it, its gradient retained."""
    z1 = x @ W1
    z2 = z1 + b1
    z3 = torch.sigmoid(z2)
    z4 = z3 @ W2
    y_hat = z4 + b2
    l = nn.functional.mse_loss(y_hat, y, reduction="sum")
    nodes = {
        "x": x, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2,
        "z1": z1, "z2": z2, "z3": z3, "z4": z4, "y_hat": y_hat, "l": l,
    }  # fmt: skip
    for node in nodes.values():
        node.retain_grad()
    return nodes


def _squared_error(value: Tensor, reference: Tensor | None) -> float:
    assert reference is not None
    return float(((value - reference.detach()) ** 2).sum())
