"""What training minimises: the mean squared error of R networks of one architecture, all at once.

The gradient and the Jacobian are the backward pass of task 3 (`backprop.py`), not autograd.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor

from fnn.backprop import loss_gradient, output_jacobian
from fnn.models import feedforward
from fnn.units import Unit


def parameter_count(sizes: Sequence[int]) -> int:
    """The number P of weights and biases of a network with these layer widths."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def unpack(params: Tensor, sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """Flat parameters [R, P] as views: weight [R, fan_in, fan_out] and bias [R, 1, fan_out] of each layer."""
    layers, start = [], 0
    for fan_in, fan_out in pairwise(sizes):
        middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        layers.append((params[:, start:middle].reshape(-1, fan_in, fan_out), params[:, None, middle:stop]))
        start = stop
    return layers


class MeanSquaredError:
    """MSE(θ) = ‖r(θ)‖²/N with the residuals rᵢ = f(xᵢ; θ) − yᵢ, for R parameter vectors θ at once.

    Args:
        sizes: the widths of all layers; one output.
        unit: the hidden units.
        X: inputs [N, D].
        y: targets [N, 1], of X's dtype and device.
    """

    def __init__(self, sizes: Sequence[int], unit: Unit, X: Tensor, y: Tensor) -> None:
        self.sizes, self.unit, self.X, self.y = tuple(sizes), unit, X, y

    @property
    def residual_count(self) -> int:
        """The number N of residuals."""
        return self.X.shape[0]

    def value(self, params: Tensor) -> Tensor:
        """MSE of each network: [R, P] → [R]."""
        outputs = feedforward(self.X, unpack(params, self.sizes), self.unit.phi)
        return (outputs[-1] - self.y).square().mean(dim=(1, 2))

    def value_and_gradient(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """MSE and its gradient: [R, P] → [R], [R, P]."""
        layers = unpack(params, self.sizes)
        outputs = feedforward(self.X, layers, self.unit.phi)
        r = outputs[-1] - self.y  # [R, N, 1]
        return r.square().mean(dim=(1, 2)), loss_gradient(
            self.X, layers, outputs, 2 / len(self.X) * r, self.unit.slope
        )

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """r and ∂r/∂θ: [R, P] → [R, N], [R, N, P]."""
        layers = unpack(params, self.sizes)
        outputs = feedforward(self.X, layers, self.unit.phi)
        return (outputs[-1] - self.y).squeeze(2), output_jacobian(self.X, layers, outputs, self.unit.slope)

    def residuals(self, params: Tensor) -> Tensor:
        """r: [R, P] → [R, N]."""
        return (feedforward(self.X, unpack(params, self.sizes), self.unit.phi)[-1] - self.y).squeeze(2)
