"""What training minimises: the mean squared error of R networks of one architecture, all at once.

The gradient and the Jacobian are the backward pass of task 3 (`network.py`), not autograd.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from fnn.optimizers.network import (
    layer_deltas,
    layer_outputs,
    loss_gradient,
    output_jacobian,
    parameter_count,
    tangent_kernel,
    unpack,
)

if TYPE_CHECKING:  # the model store keeps the row of its own unit, not the table
    from fnn.units import Unit

# Vectorised kernels and BLAS round differently at the ragged end of an array and at addresses that are not
# aligned. Runs whose arrays start at multiples of 64 bytes, and end there, are all computed alike: a run's
# result does not depend on its place in the batch, bit for bit. (A batch of one takes another path still:
# `train_batch` makes it two.)
PARAMETER_BLOCK = 8  # doubles in 64 bytes
EXAMPLE_BLOCK = 16  # doubles in one pass of a vectorised loop


class MeanSquaredError:
    """MSE(θ) = ‖r(θ)‖²/N with the residuals rᵢ = f(xᵢ; θ) − yᵢ, for R parameter vectors θ at once.

    Parameters are padded with zeros from P to `columns` and residuals from N to a multiple of 16, see above;
    gradient and Jacobian are zero there.

    Args:
        sizes: the widths of all layers; one output.
        unit: the hidden units.
        X: inputs [N, D], float64.
        y: targets [N, 1], float64.
        decay: λ [R] of the weight decay λ‖θ‖² that `value_and_gradient` adds for each run; None for none.
    """

    def __init__(
        self, sizes: Sequence[int], unit: "Unit", X: Tensor, y: Tensor, decay: Tensor | None = None
    ) -> None:
        self.decay = decay
        self.sizes, self.unit, self.N = tuple(sizes), unit, len(X)
        self.P = parameter_count(sizes)
        self.columns = self.P + -self.P % PARAMETER_BLOCK
        missing = -self.N % EXAMPLE_BLOCK
        self.x = pad(X.mT, (0, missing))[None]  # [1, D, N + missing]
        self.minus_y = pad(-y.mT, (0, missing))[None]  # [1, 1, N + missing]
        self.real = pad(torch.ones_like(y.mT), (0, missing))[None]  # 0 for the padding

    def pad(self, params: Tensor) -> Tensor:
        """[R, P] → [R, columns]."""
        return pad(params, (0, self.columns - self.P))

    def value(self, params: Tensor) -> Tensor:
        """MSE of each network: [R, columns] → [R]."""
        return self._forward(params)[2].square().sum(dim=(1, 2)) / self.N

    def value_and_gradient(self, params: Tensor, run: Tensor) -> tuple[Tensor, Tensor]:
        """MSE, with its weight decay, and its gradient, of the runs `run` [R]: → [R], [R, columns]."""
        layers, outputs, r = self._forward(params)
        deltas = layer_deltas(layers, outputs, r * (2 / self.N), self.unit.slope)
        value, gradient = r.square().sum(dim=(1, 2)) / self.N, self._gradient(outputs, deltas)
        if self.decay is not None:
            decay = self.decay[run]
            value += decay * params.square().sum(dim=1)
            gradient += 2 * decay[:, None] * params
        return value, gradient

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """r and (∂r/∂θ)ᵀ: [R, columns] → [R, N padded], [R, columns, N padded]."""
        layers, outputs, r = self._forward(params)
        deltas = layer_deltas(layers, outputs, self.real.expand_as(r), self.unit.slope)
        Jt = params.new_empty(*params.shape, r.shape[2])
        output_jacobian(outputs, deltas, out=Jt)
        Jt[:, self.P :] = 0.0
        return r.squeeze(1), Jt

    def residuals_and_kernel(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """r, Jᵀr and JJᵀ, J = ∂r/∂θ: [R, columns] → [R, N padded], [R, columns], [R, N padded, N padded]."""
        layers, outputs, r = self._forward(params)
        deltas = layer_deltas(layers, outputs, self.real, self.unit.slope)
        kernel = tangent_kernel(outputs, deltas).expand(len(params), -1, -1)
        kernel = kernel.contiguous()  # without hidden layers it is the same for all: each run gets its own
        return r.squeeze(1), self._gradient(outputs, [delta * r for delta in deltas]), kernel

    def transposed_jacobian_times(self, params: Tensor, u: Tensor) -> Tensor:
        """Jᵀu: [R, columns], [R, N padded] → [R, columns]."""
        layers, outputs, _ = self._forward(params)
        deltas = layer_deltas(layers, outputs, u[:, None] * self.real, self.unit.slope)
        return self._gradient(outputs, deltas)

    def _forward(self, params: Tensor) -> tuple[list[tuple[Tensor, Tensor]], list[Tensor], Tensor]:
        layers = unpack(params, self.sizes)
        outputs = layer_outputs(self.x, layers, self.unit.phi)
        return layers, outputs, torch.addcmul(self.minus_y, outputs[-1], self.real)

    def _gradient(self, outputs: list[Tensor], deltas: list[Tensor]) -> Tensor:
        """∂/∂θ, zeros up to the last column: [R, columns]."""
        gradients = loss_gradient(outputs, deltas)
        if self.columns > self.P:
            gradients.append(gradients[0].new_zeros(len(gradients[0]), self.columns - self.P))
        return torch.cat(gradients, dim=1)
