"""The units of the hidden layers, each with the derivative that the backward pass needs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


def identity(z: Tensor) -> Tensor:
    """φ(z) = z: a network of these is linear in its input."""
    return z


@dataclass(frozen=True)
class Unit:
    """An activation function φ and its derivative, written in terms of the output a = φ(z)."""

    name: str
    phi: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]  # a → φ′(z), same shape


UNITS = {
    unit.name: unit
    for unit in (
        Unit("sigmoid", torch.sigmoid, lambda a: torch.addcmul(a, a, a, value=-1)),  # a − a² in one pass
        Unit("tanh", torch.tanh, lambda a: 1 - a * a),
        Unit("relu", torch.relu, lambda a: (a > 0).to(a.dtype)),  # 0 at the kink, as autograd has it
        Unit("identity", identity, torch.ones_like),
    )
}
