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


def find_unit(phi: str | Callable[[Tensor], Tensor]) -> Unit:
    """The unit of that name or with that function.

    Raises:
        ValueError: if there is none; its derivative would be unknown.
    """
    for unit in UNITS.values():
        if phi in (unit.name, unit.phi):
            return unit
    known = ", ".join(UNITS)
    raise ValueError(
        f"phi={phi!r}: no such unit; use one of {known}, or add it with its derivative to fnn/units.py"
    )
