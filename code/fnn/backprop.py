"""Task 3: forward and backward pass of a network with one hidden layer of logistic units, by hand.

The graph is z1 = W1ᵀx → z2 = z1 + b1 → z3 = σ(z2) → z4 = W2ᵀz3 → ŷ = z4 + b2 → l = (y − ŷ)².
Only elementary tensor operations, no autograd. Section 3 of the report derives every line. The loss l
is that of one example; training (`training.py`) minimises its mean over all examples.

Shapes, with Z hidden units: x, y, z4, ŷ and b2 [1]; z1, z2, z3 and b1 [Z]; W1 [1, Z]; W2 [Z, 1]; l [].
"""

from typing import NamedTuple

import torch
from torch import Tensor


class ForwardPass(NamedTuple):
    """The forward quantities, in the order in which they are computed."""

    z1: Tensor  # [Z]
    z2: Tensor  # [Z]
    z3: Tensor  # [Z]
    z4: Tensor  # [1]
    y_hat: Tensor  # [1]
    l: Tensor  # []


class BackwardPass(NamedTuple):
    """∂l/∂v for every node v of the graph, in the order of computation; each has the shape of v."""

    l: Tensor  # []
    y: Tensor  # [1]
    y_hat: Tensor  # [1]
    b2: Tensor  # [1]
    z4: Tensor  # [1]
    W2: Tensor  # [Z, 1]
    z3: Tensor  # [Z]
    z2: Tensor  # [Z]
    b1: Tensor  # [Z]
    z1: Tensor  # [Z]
    W1: Tensor  # [1, Z]
    x: Tensor  # [1]


def forward(x: Tensor, y: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> ForwardPass:
    """All forward quantities from input, target and parameters alone (section 3a of the report)."""
    z1 = W1.T @ x
    z2 = z1 + b1
    z3 = 1 / (1 + torch.exp(-z2))
    z4 = W2.T @ z3
    y_hat = z4 + b2
    l = ((y - y_hat) ** 2).sum()
    return ForwardPass(z1, z2, z3, z4, y_hat, l)


def backward(
    x: Tensor, y: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, pass_: ForwardPass
) -> BackwardPass:
    """All δ's from input, target, parameters and forward quantities alone (section 3b of the report)."""
    delta_l = torch.ones_like(pass_.l)
    delta_y = 2 * (y - pass_.y_hat) * delta_l
    delta_y_hat = -2 * (y - pass_.y_hat) * delta_l
    delta_b2 = delta_y_hat
    delta_z4 = delta_y_hat
    delta_W2 = torch.outer(pass_.z3, delta_z4)
    delta_z3 = W2 @ delta_z4
    delta_z2 = delta_z3 * pass_.z3 * (1 - pass_.z3)
    delta_b1 = delta_z2
    delta_z1 = delta_z2
    delta_W1 = torch.outer(x, delta_z1)
    delta_x = W1 @ delta_z1
    return BackwardPass(
        delta_l, delta_y, delta_y_hat, delta_b2, delta_z4, delta_W2,
        delta_z3, delta_z2, delta_b1, delta_z1, delta_W1, delta_x,
    )  # fmt: skip
