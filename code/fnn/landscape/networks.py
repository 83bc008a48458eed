"""Many trained networks of one architecture at once: their functions, and how flat the loss is there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from fnn.optimizers.network import layer_outputs, unpack
from fnn.units import UNITS

BLOCK = 10_000_000  # hidden outputs in memory at once
SMALL_GRADIENT = 1e-4  # of the train MSE, scaled as `have_small_gradient` says


@dataclass(frozen=True)
class Networks:
    """R networks of one architecture, by their parameters."""

    params: Tensor  # [R, P] float64, layer by layer, weight before bias
    sizes: tuple[int, ...]  # widths of all layers, input and output included
    unit: str  # of the hidden layers, a key of UNITS

    def __len__(self) -> int:
        return len(self.params)

    def __getitem__(self, rows: Sequence[int]) -> "Networks":
        return Networks(self.params[rows], self.sizes, self.unit)

    def outputs(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """Hidden outputs [R, N, units] of each layer, and the networks' outputs [R, N], at x [N, D]."""
        layers = unpack(self.params, self.sizes)
        _, *hidden, output = layer_outputs(x.mT[None], layers, UNITS[self.unit].phi)
        return [a.mT for a in hidden], output.squeeze(1)

    @property
    def output_weights(self) -> Tensor:
        """The weights of the last layer, [R, m]."""
        return unpack(self.params, self.sizes)[-1][0].squeeze(2)

    def blocks(self, inputs: int, runs: Sequence[int] | None = None) -> Iterator[list[int]]:
        """The runs, all by default, in blocks of which the hidden outputs at so many inputs fit in memory."""
        runs = range(len(self)) if runs is None else runs
        size = max(1, BLOCK // (inputs * max(self.sizes)))
        for start in range(0, len(runs), size):
            yield list(runs[start : start + size])

    def have_small_gradient(self, gradient_norm: Tensor, y: Tensor) -> Tensor:
        """Whether the max-norm [R] of the gradient is small for the weights and the targets' scale, [R].

        It is divided by the largest output weight and the targets' deviation. The gradient with respect to a
        unit's weights grows with its output weight, and so does its rounding error: where output weights
        diverge, the bare gradient never gets small in double precision. Neither divisor is taken below 1.
        """
        largest = self.output_weights.abs().amax(dim=1).clamp(min=1)
        small: Tensor = gradient_norm / largest / y.std().clamp(min=1) <= SMALL_GRADIENT
        return small
