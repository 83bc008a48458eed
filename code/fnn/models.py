"""The two models of task 1, built from tensors: no layer of torch.nn.

Shapes: `...` stands for any number of leading batch dimensions, none for a single example.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

Unit = Callable[[Tensor], Tensor]  # acts on every element: torch.sigmoid, torch.tanh, torch.relu, …


def feedforward(x: Tensor, layers: Iterable[tuple[Tensor, Tensor]], phi: Unit) -> list[Tensor]:
    """Outputs of all layers of a fully connected network, the first hidden layer's first.

    With z₀ = x and (Wₗ, bₗ) the l-th of `layers`, zₗ₊₁ = φ(Wₗᵀzₗ + bₗ); the last layer is linear
    (Goodfellow, Bengio and Courville 2016, section 6.1; task 1b of the report).

    Args:
        x: inputs, [..., D].
        layers: a pair per layer, weight [..., fan_in, fan_out] and bias [..., fan_out] or [..., 1, fan_out].
            With leading dimensions R and N examples, weights [R, fan_in, fan_out] and biases
            [R, 1, fan_out] run R networks at once on x [N, D] or [R, N, D].
        phi: the unit, applied to the hidden layers.

    Returns:
        A tensor [..., fan_out] per layer.
    """
    *hidden, (W_out, b_out) = layers
    outputs = []
    for W, b in hidden:
        x = phi(x @ W + b)
        outputs.append(x)
    return [*outputs, x @ W_out + b_out]


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

    `MLP([2, 5, 7, 1])` has 2 inputs, hidden layers of 5 and 7 units and 1 output.

    Parameters: for layer l, `{l}_weight` [sizes[l], sizes[l+1]], drawn from N(0, 1)/√fan_in,
    and `{l}_bias` [sizes[l+1]], drawn from N(0, 1).

    Raises:
        ValueError: if sizes has fewer than two entries or one that is not a positive integer.
    """

    def __init__(self, sizes: Sequence[int], phi: Unit = torch.sigmoid) -> None:
        super().__init__()
        _require_sizes("MLP(sizes)", sizes)
        self.sizes = tuple(sizes)
        self.phi = phi
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


def _require_sizes(call: str, sizes: Sequence[int]) -> None:
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
