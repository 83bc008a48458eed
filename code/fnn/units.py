"""The units of the hidden layers: a row for each, with all that the solution needs to know of it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.inputs.arguments import require_known

Phi = Callable[[Tensor], Tensor]  # acts on every element: torch.sigmoid, torch.tanh, torch.relu, …


def identity(z: Tensor) -> Tensor:
    """φ(z) = z: a network of these is linear in its input."""
    return z


@dataclass(frozen=True)
class Unit:
    """An activation function φ and what is known of it."""

    name: str
    phi: Phi
    slope: Phi  # φ′(z) from the output a = φ(z), same shape
    steepest: float = 1.0  # the largest φ′(z)
    active: float = 1.0  # φ is not saturated for |z| up to this; 1 where it never is
    mirror: float | None = None  # the number c with φ(−z) = c − φ(z), where there is one
    scalable: bool = False  # whether φ(sz) = s φ(z) for all s > 0


UNITS = {
    unit.name: unit
    for unit in (
        # the slope a − a² in one pass
        Unit(
            "sigmoid", torch.sigmoid, lambda a: torch.addcmul(a, a, a, value=-1),
            steepest=0.25, active=4.0, mirror=1.0,
        ),
        Unit("tanh", torch.tanh, lambda a: 1 - a * a, active=2.0, mirror=0.0),
        Unit("relu", torch.relu, lambda a: (a > 0).to(a.dtype), scalable=True),  # 0 at the kink, as autograd
        Unit("identity", identity, torch.ones_like),
    )
}  # fmt: skip


def find_unit(phi: str | Phi) -> Unit:
    """The unit of that name or with that function, for training, which needs its derivative too.

    Raises:
        ValueError: if there is none.
        TypeError: if phi is neither a name nor a function.
    """
    if isinstance(phi, str):
        require_known("phi", phi, UNITS)
        return UNITS[phi]
    if not callable(phi):
        raise TypeError(f"phi={phi!r}: give a function, such as torch.sigmoid, or one of {', '.join(UNITS)}")
    for unit in UNITS.values():
        if phi is unit.phi:
            return unit
    raise ValueError(
        f"phi={phi!r}: its derivative is not known; use one of {', '.join(UNITS)}, "
        "or add it with its derivative to fnn/units.py"
    )
