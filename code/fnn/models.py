"""The two models of task 1, built from tensors: no layer of torch.nn.

Shapes: `...` stands for any number of leading batch dimensions, none for a single example.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from fnn.feedforward import Phi, feedforward
from fnn.inputs.arguments import require_known
from fnn.units import UNITS, Unit


class LogisticRegression(nn.Module):
    """Multinomial logistic regression: log-probabilities log softmax(Wᵀx + b).

    Parameters: `0_weight` [D, C], drawn from N(0, 1)/√D, and `0_bias` [C], drawn from N(0, 1)/√C.
    `forward` reads the *registered* parameters, so that gradients reach them.
    """

    def __init__(self, D: int, C: int) -> None:
        super().__init__()
        _require_sizes("LogisticRegression(D, C)", [D, C])
        self.register_parameter("0_weight", nn.Parameter(torch.randn(D, C) / math.sqrt(D)))
        self.register_parameter("0_bias", nn.Parameter(torch.randn(C) / math.sqrt(C)))

    def forward(self, x: Tensor | Sequence[Any]) -> Tensor:
        """Log-probabilities of the C classes: x [..., D] → [..., C].

        Raises:
            ValueError: if the last dimension of x is not D.
            TypeError: if x is a tensor of another dtype than the parameters.
        """
        W, b = self.get_parameter("0_weight"), self.get_parameter("0_bias")
        return torch.log_softmax(_as_input(x, W) @ W + b, dim=-1)


class MLP(nn.Module):
    """A multilayer perceptron: hidden layers of units `phi`, a linear output layer (task 1b of the report).

    `MLP([2, 5, 7, 1])` has 2 inputs, hidden layers of 5 and 7 units and 1 output. `phi` is any function that
    acts on every element of a tensor, or the name of one: sigmoid, tanh, relu, identity.

    Parameters: for layer l, `{l}_weight` [sizes[l], sizes[l+1]], drawn from N(0, 1)/√fan_in,
    and `{l}_bias` [sizes[l+1]], drawn from N(0, 1).

    Raises:
        ValueError: if sizes has fewer than two entries or one that is not a positive integer, or if phi is a
            name that is not known.
        TypeError: if sizes is no sequence, or phi neither a name nor a function.
    """

    def __init__(self, sizes: Sequence[int], phi: str | Phi = torch.sigmoid) -> None:
        super().__init__()
        _require_sizes("MLP(sizes)", sizes)
        self.sizes = tuple(sizes)
        self.phi = find_phi(phi)
        for l, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            weight = torch.randn(fan_in, fan_out) / math.sqrt(fan_in)
            self.register_parameter(f"{l}_weight", nn.Parameter(weight))
            self.register_parameter(f"{l}_bias", nn.Parameter(torch.randn(fan_out)))

    def num_layers(self) -> int:
        """The number of layers without the input layer."""
        return len(self.sizes) - 1

    def layers(self) -> list[tuple[nn.Parameter, nn.Parameter]]:
        """Weight [fan_in, fan_out] and bias [fan_out] of each layer."""
        names = [(f"{l}_weight", f"{l}_bias") for l in range(self.num_layers())]
        return [(self.get_parameter(weight), self.get_parameter(bias)) for weight, bias in names]

    def layer_outputs(self, x: Tensor | Sequence[Any]) -> list[Tensor]:
        """Outputs of all layers: x [..., sizes[0]] → tensors [..., sizes[1]], …, [..., sizes[-1]].

        Raises:
            ValueError: if the last dimension of x is not sizes[0].
            TypeError: if x is a tensor of another dtype than the parameters.
        """
        layers = self.layers()
        return feedforward(_as_input(x, layers[0][0]), layers, self.phi)

    def forward(self, x: Tensor | Sequence[Any]) -> Tensor:
        """The network's output, a vector for a vector and a matrix for a matrix: [..., D] → [..., sizes[-1]].

        Raises as `layer_outputs` does.
        """
        return self.layer_outputs(x)[-1]

    def extra_repr(self) -> str:
        return f"{list(self.sizes)}, {getattr(self.phi, '__name__', self.phi)}"


def find_phi(phi: str | Phi) -> Phi:
    """The function of that name; a function is its own.

    Raises:
        ValueError: if the name is not known.
        TypeError: if phi is neither a name nor a function.
    """
    if isinstance(phi, str):
        require_known("phi", phi, UNITS)
        return UNITS[phi].phi
    if not callable(phi):
        raise TypeError(f"phi={phi!r}: give a function, such as torch.sigmoid, or one of {', '.join(UNITS)}")
    return phi


def find_unit(phi: str | Phi) -> Unit:
    """The unit of that name or with that function, for training, which needs its derivative too.

    Raises:
        ValueError: if there is none.
        TypeError: if phi is neither a name nor a function.
    """
    function = find_phi(phi)
    for unit in UNITS.values():
        if function is unit.phi:
            return unit
    raise ValueError(
        f"phi={phi!r}: its derivative is not known; use one of {', '.join(UNITS)}, "
        "or add it with its derivative to fnn/units.py"
    )


def _require_sizes(call: str, sizes: Sequence[int]) -> None:
    if isinstance(sizes, str) or not isinstance(sizes, Sequence):
        raise TypeError(f"{call} takes a list of whole numbers, got {sizes!r}")
    sound = all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes)
    if len(sizes) < 2 or not sound:
        raise ValueError(f"{call} takes at least two positive whole numbers, got {list(sizes)}")


def _as_input(x: Tensor | Sequence[Any], weight: Tensor) -> Tensor:
    """x as a tensor that fits weight [fan_in, fan_out]; a plain sequence takes its dtype and device."""
    if not isinstance(x, Tensor):
        x = torch.as_tensor(x, dtype=weight.dtype, device=weight.device)
    if x.dtype != weight.dtype:
        raise TypeError(
            f"the input {tuple(x.shape)} is {x.dtype}, the first weight {tuple(weight.shape)} "
            f"is {weight.dtype}: convert one of them, for example with x.to({weight.dtype})"
        )
    if x.ndim == 0 or x.shape[-1] != weight.shape[0]:
        raise ValueError(
            f"the input has shape {tuple(x.shape)}, the first weight {tuple(weight.shape)}: "
            f"the last dimension of the input must be {weight.shape[0]}"
        )
    return x
