"""Task 1: the two models, built from tensors; no layer of torch.nn.

Shapes: `...` stands for any number of leading dimensions of examples, none for a single one.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from fnn.inputs.arguments import as_input, check_sizes
from fnn.units import Phi, find_unit


class LogisticRegression(nn.Module):
    """Multinomial logistic regression: log-probabilities log softmax(Wᵀx + b) (task 1a of the report).

    Parameters: `0_weight` [D, C], drawn from N(0, 1)/√D, and `0_bias` [C], drawn from N(0, 1)/√C.
    `forward` reads the *registered* parameters, so that gradients reach them.

    Raises:
        ValueError: if D or C is not a positive whole number.
    """

    def __init__(self, D: int, C: int) -> None:
        super().__init__()
        check_sizes("LogisticRegression: [D, C]", [D, C], at_least=2)
        self.register_parameter("0_weight", nn.Parameter(torch.randn(D, C) / math.sqrt(D)))
        self.register_parameter("0_bias", nn.Parameter(torch.randn(C) / math.sqrt(C)))

    def forward(self, x: Tensor | Sequence[Any]) -> Tensor:
        """Log-probabilities of the C classes: x [..., D] → [..., C].

        Raises:
            ValueError: if the last dimension of x is not D.
            TypeError: if x is a tensor of another dtype than the parameters.
        """
        W, b = self.get_parameter("0_weight"), self.get_parameter("0_bias")
        return torch.log_softmax(as_input(x, W) @ W + b, dim=-1)


class HandedOutLogisticRegression(nn.Module):
    """The class as the course's archive has it, with its trap, which task 1a of the report shows.

    It registers parameters, but computes with the plain tensors that they were made from.
    """

    def __init__(self, D: int, C: int) -> None:
        super().__init__()
        self.weight = torch.randn(D, C) / math.sqrt(D)
        self.bias = torch.randn(C) / math.sqrt(C)
        self.register_parameter("0_weight", nn.Parameter(self.weight))
        self.register_parameter("0_bias", nn.Parameter(self.bias))

    def forward(self, x: Tensor) -> Tensor:
        """Log-probabilities, through which no gradient reaches a parameter: x [..., D] → [..., C]."""
        return torch.log_softmax(x @ self.weight + self.bias, dim=-1)


class MLP(nn.Module):
    """A multilayer perceptron: hidden layers of units `phi`, a linear output layer (task 1b of the report).

    `MLP([2, 5, 7, 1])` has 2 inputs, hidden layers of 5 and 7 units and 1 output. `phi` is any function that
    acts on every element of a tensor, or the name of a row of `UNITS`: sigmoid, tanh, relu, identity.

    Parameters: for layer l, `{l}_weight` [sizes[l], sizes[l+1]], drawn from N(0, 1)/√fan_in,
    and `{l}_bias` [sizes[l+1]], drawn from N(0, 1).

    Raises:
        ValueError: if sizes has fewer than two entries or one that is not a positive whole number, or if phi
            is a name that is not known.
        TypeError: if sizes is no sequence, or phi neither a name nor a function.
    """

    def __init__(self, sizes: Sequence[int], phi: str | Phi = torch.sigmoid) -> None:
        super().__init__()
        check_sizes("MLP: sizes", sizes, at_least=2)
        self.sizes = tuple(sizes)
        self.phi: Phi = phi if callable(phi) else find_unit(phi).phi
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

        With z₀ = x, zₗ₊₁ = φ(Wₗᵀzₗ + bₗ); the last layer is linear (Goodfellow, Bengio and Courville 2016,
        section 6.1).

        Raises:
            ValueError: if the last dimension of x is not sizes[0].
            TypeError: if x is a tensor of another dtype than the parameters.
        """
        *hidden, (W_out, b_out) = self.layers()
        z = as_input(x, self.get_parameter("0_weight"))
        outputs = []
        for W, b in hidden:
            z = self.phi(z @ W + b)
            outputs.append(z)
        return [*outputs, z @ W_out + b_out]

    def forward(self, x: Tensor | Sequence[Any]) -> Tensor:
        """The network's output, a vector for a vector and a matrix for a matrix: [..., D] → [..., sizes[-1]].

        Raises as `layer_outputs` does.
        """
        return self.layer_outputs(x)[-1]

    def extra_repr(self) -> str:
        return f"{list(self.sizes)}, {getattr(self.phi, '__name__', self.phi)}"
