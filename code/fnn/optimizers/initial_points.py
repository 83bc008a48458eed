"""Initial points: one law per function, each run drawn from a generator of its own."""

import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from fnn.units import Unit

Layers = list[tuple[Tensor, Tensor]]  # a pair per layer: weight [fan_in, fan_out], bias [fan_out]


def course(sizes: Sequence[int], x: Tensor, unit: "Unit", generator: torch.Generator) -> Layers:
    """The course's law: weights N(0, 1)/√fan_in, biases N(0, 1), as `MLP` draws them."""
    return [
        (
            torch.randn(fan_in, fan_out, generator=generator, dtype=torch.float64) / math.sqrt(fan_in),
            torch.randn(fan_out, generator=generator, dtype=torch.float64),
        )
        for fan_in, fan_out in pairwise(sizes)
    ]


def nguyen_widrow(sizes: Sequence[int], x: Tensor, unit: "Unit", generator: torch.Generator) -> Layers:
    """Centres of the first hidden layer uniform on the range of the data, the rest by the course's law.

    For inputs scaled to [−1, 1], a unit gets a weight vector of length 0.7·H^(1/D)·a in a random direction
    and its transition at a random place (Nguyen and Widrow 1990, IJCNN, with a = 1). On [−a, a] the unit is
    not saturated, which fits the law to other units (`initnw` of MATLAB's neural network toolbox): a = 2
    for tanh, 4 for the logistic unit, which is half as steep.
    """
    layers = course(sizes, x, unit, generator)
    D, H = sizes[0], sizes[1]
    low, high = x.min(dim=0).values, x.max(dim=0).values  # [D]
    length = 0.7 * H ** (1 / D) * unit.active
    direction = torch.randn(D, H, generator=generator, dtype=torch.float64)
    half_range = ((high - low) / 2).unsqueeze(1)  # [D, 1]
    W = length * direction / direction.norm(dim=0) / half_range
    centre = low.unsqueeze(1) + 2 * half_range * torch.rand(D, H, generator=generator, dtype=torch.float64)
    layers[0] = (W, -(W * centre).sum(dim=0))
    return layers


Law = Callable[[Sequence[int], Tensor, "Unit", torch.Generator], Layers]
LAWS: dict[str, Law] = {"course": course, "nguyen-widrow": nguyen_widrow}


def initial_points(
    law: str, sizes: Sequence[int], unit: "Unit", x: Tensor, seed: int, indices: Sequence[int]
) -> Tensor:
    """The initial points of the runs `indices`, [R, P] float64, layer by layer, weight before bias.

    A run's point depends on the law, the seed, its index and the architecture alone: not on the method,
    the number of runs or their order.

    Args:
        law: a key of `LAWS`.
        sizes: the widths of all layers, input and output included.
        unit: the hidden units.
        x: training inputs, [N, D] float64.
        seed: of the whole study.
        indices: which runs.
    """
    points = []
    for index in indices:
        key = f"{law}/{'-'.join(map(str, sizes))}/{seed}/{index}"
        digest = hashlib.sha256(key.encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        layers = LAWS[law](sizes, x, unit, generator)
        points.append(torch.cat([part.flatten() for layer in layers for part in layer]))
    return torch.stack(points)
