"""Task 3: forward and backward pass of a network with one hidden layer of logistic units, by hand.

The graph is z1 = W1ᵀx → z2 = z1 + b1 → z3 = σ(z2) → z4 = W2ᵀz3 → ŷ = z4 + b2 → l = (y − ŷ)².
Only elementary tensor operations, no autograd. Section 3 of the report derives every line.

Shapes, with Z hidden units: x, y, z4, ŷ and b2 [1]; z1, z2, z3 and b1 [Z]; W1 [1, Z]; W2 [Z, 1]; l [].
"""

from collections.abc import Callable, Sequence
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


# The same pass for any depth and unit, for R networks and N examples at once: what training runs on.
# Examples are columns, as x is in the formulas above, so that the long dimension N is contiguous in memory:
# weights are [R, fan_in, fan_out], biases [R, fan_out, 1], layer outputs aₗ [R, fan_out, N], with a₀ the
# inputs [1, D, N]; `slope` gives φ′(z) from φ(z). Gradients lie layer by layer, weight before bias.
Layers = Sequence[tuple[Tensor, Tensor]]
Slope = Callable[[Tensor], Tensor]


def layer_outputs(x: Tensor, layers: Layers, phi: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """a₀, a₁, …, ŷ with aₗ = φ(Wₗᵀaₗ₋₁ + bₗ), the last layer linear (section 3a of the report)."""
    outputs = [x]
    for l, (W, b) in enumerate(layers, start=1):
        z = product(W.mT, outputs[-1]).add_(b)
        outputs.append(phi(z) if l < len(layers) else z)
    return outputs


def layer_deltas(layers: Layers, outputs: Sequence[Tensor], delta: Tensor, slope: Slope) -> list[Tensor]:
    """δzₗ [R, fan_out, N] of every layer, from δŷ [R, 1, N]: δzₗ = (Wₗ₊₁δzₗ₊₁) ⊙ φ′(zₗ) (section 3b)."""
    deltas = [delta]
    for (W, _), a in zip(reversed(layers[1:]), reversed(outputs[1:-1]), strict=True):
        deltas.append(product(W, deltas[-1]).mul_(slope(a)))
    return deltas[::-1]


def loss_gradient(outputs: Sequence[Tensor], deltas: Sequence[Tensor]) -> list[Tensor]:
    """∂L/∂θ summed over the examples: δWₗ = Σᵢ aᵢδᵢᵀ and δbₗ = Σᵢ δᵢ, [R, …] each."""
    gradients = []
    for a, d in zip(outputs, deltas, strict=False):
        gradients += [(d @ a.mT.expand(len(d), -1, -1)).mT.flatten(1), d.sum(dim=2)]
    return gradients


# The Jacobian J = ∂ŷ/∂θ of one output keeps the examples apart: its deltas come from δŷ = 1, or 0 to leave an
# example out.


def output_jacobian(outputs: Sequence[Tensor], deltas: Sequence[Tensor], out: Tensor) -> None:
    """Write Jᵀ into the first P rows of `out` [R, P or more, N]: δWₗ,ᵢ = aᵢδᵢᵀ and δbₗ,ᵢ = δᵢ."""
    start = 0
    for a, d in zip(outputs, deltas, strict=False):
        fan_in, fan_out = a.shape[1], d.shape[1]
        middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        by_weight = out[:, start:middle].view(len(out), fan_in, fan_out, -1)
        torch.mul(a.unsqueeze(2), d.unsqueeze(1), out=by_weight)
        out[:, middle:stop] = d
        start = stop


def tangent_kernel(outputs: Sequence[Tensor], deltas: Sequence[Tensor]) -> Tensor:
    """J Jᵀ [R, N, N], without J.

    A layer adds (aᵢᵀaⱼ + 1) δᵢᵀδⱼ for the examples i and j, as ∂ŷᵢ/∂Wₗ · ∂ŷⱼ/∂Wₗ = (aᵢδᵢᵀ) · (aⱼδⱼᵀ)
    (Jacot, Gabriel and Hongler 2018, Neural tangent kernel, NeurIPS 31).
    """
    kernel = torch.zeros_like(deltas[-1])
    for a, d in zip(outputs, deltas, strict=False):
        kernel = torch.addcmul(kernel, (a.mT @ a).add_(1), d.mT @ d)
    return kernel


def product(A: Tensor, B: Tensor) -> Tensor:
    """A B for [R, i, k] and [R or 1, k, j]; without bmm where k is small, which is several times faster."""
    _, i, k = A.shape
    if k == 1:
        return A * B
    if i == 1 and k < 8:
        return (A.mT * B).sum(dim=1, keepdim=True)
    return A @ B.expand(len(A), -1, -1)
