"""R networks of one architecture at once, forward and backward: what training and the landscape run on.

It is the pass of task 3 (`backprop.py`) for any depth and unit, with examples as columns, as x is in its
formulas. `MLP` has examples as rows. There are two passes because the sums over the examples, the longest
dimension, want it contiguous in memory: with rows, an evaluation with its gradient takes up to 3.7 times as
long (benchmarks/README.md).

Shapes: weights [R, fan_in, fan_out], biases [R, fan_out, 1], layer outputs aₗ [R, fan_out, N], with a₀ the
inputs [1, D, N]; `slope` gives φ′(z) from φ(z). Parameters and gradients lie layer by layer, weight before
bias.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

SMALL = 4  # below it, bmm takes up to four times as long as a sum of products
Layers = Sequence[tuple[Tensor, Tensor]]
Elementwise = Callable[[Tensor], Tensor]


def parameter_count(sizes: Sequence[int]) -> int:
    """The number P of weights and biases of a network with these layer widths."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def unpack(params: Tensor, sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Flat parameters [R, P or more] as a weight [R, fan_in, fan_out] and a bias [R, fan_out, 1] a layer."""
    layers, start = [], 0
    for fan_in, fan_out in pairwise(sizes):
        middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        weight = params[:, start:middle].view(-1, fan_in, fan_out)
        layers.append((weight, params[:, middle:stop, None]))
        start = stop
    return layers


def layer_outputs(x: Tensor, layers: Layers, phi: Elementwise) -> list[Tensor]:
    """a₀, a₁, …, ŷ with aₗ = φ(Wₗᵀaₗ₋₁ + bₗ), the last layer linear (section 3a of the report)."""
    outputs = [x]
    for l, (W, b) in enumerate(layers, start=1):
        z = product(W.mT, outputs[-1]).add_(b)
        outputs.append(phi(z) if l < len(layers) else z)
    return outputs


def layer_deltas(
    layers: Layers, outputs: Sequence[Tensor], delta: Tensor, slope: Elementwise
) -> list[Tensor]:
    """δzₗ [R, fan_out, N] of every layer, from δŷ [R, 1, N]: δzₗ = (Wₗ₊₁δzₗ₊₁) ⊙ φ′(zₗ) (section 3b)."""
    deltas = [delta]
    for (W, _), a in zip(reversed(layers[1:]), reversed(outputs[1:-1]), strict=True):
        deltas.append(product(W, deltas[-1]).mul_(slope(a)))
    return deltas[::-1]


def loss_gradient(outputs: Sequence[Tensor], deltas: Sequence[Tensor]) -> list[Tensor]:
    """∂L/∂θ summed over the examples: δWₗ = Σᵢ aᵢδᵢᵀ and δbₗ = Σᵢ δᵢ, [R, …] each."""
    gradients = []
    for a, d in zip(outputs, deltas, strict=False):
        gradients += [product(a.expand(len(d), -1, -1), d.mT).flatten(1), d.sum(dim=2)]
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
    """A B for [R, i, k] and [R or 1, k, j]; without bmm where it is small, which is several times faster."""
    (_, i, k), j = A.shape, B.shape[2]
    if k == 1:
        return A * B
    if i == 1 and k < SMALL:
        return (A.mT * B).sum(dim=1, keepdim=True)
    if i * j < SMALL:
        return (A[:, :, None] * B.mT[:, None]).sum(dim=3)
    return torch.bmm(A, B.expand(len(A), -1, -1))
