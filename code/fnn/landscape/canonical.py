"""One form for all networks that the symmetries of their architecture make equal."""

import torch
from torch import Tensor

from fnn.landscape.curvature import split_parameters
from fnn.units import UNITS


def canonical(params: Tensor, sizes: tuple[int, ...], unit: str) -> Tensor:
    """One representative of all networks that a symmetry of the architecture makes equal; [R, P] → [R, P].

    For one input, one hidden layer and one output, Σ vⱼφ(wⱼx + bⱼ) + c is unchanged when units are permuted,
    and, unit by unit, for logistic units by (w, b, v, c) → (−w, −b, −v, c + v), for tanh by
    (w, b, v) → (−w, −b, −v), for ReLU by (w, b, v) → (w/s, b/s, vs) with s > 0. Here w > 0 for the first two,
    |w| = 1 for ReLU, and the units are sorted by their centres −b/w; a unit with w = 0 comes last.
    (Sussmann 1992; Kůrková and Kainen 1994.)

    Raises:
        ValueError: for other architectures or units.
    """
    if len(sizes) != 3 or sizes[0] != 1 or sizes[2] != 1:
        raise ValueError(f"sizes={list(sizes)}: canonical forms are known for [1, m, 1]")
    w, b, v, c = split_parameters(params)
    known = UNITS[unit]
    if known.mirror is not None:
        sign = torch.where(w < 0, -1.0, 1.0).to(params.dtype)
        c = c + known.mirror * torch.where(w < 0, v, 0).sum(dim=1, keepdim=True)
        w, b, v = sign * w, sign * b, sign * v
    elif known.scalable:
        scale = torch.where(w == 0, 1, w.abs())
        w, b, v = w / scale, b / scale, v * scale
    else:
        raise ValueError(f"unit={unit!r}: neither a mirror image nor a scale is known")
    centre = torch.where(w == 0, torch.inf, -b / w)
    order = centre.argsort(dim=1, stable=True)
    return torch.cat([part.gather(1, order) for part in (w, b, v)] + [c], dim=1)
