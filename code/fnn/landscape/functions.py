"""The functions of many trained networks at once, and how flat the loss is where their runs ended."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from fnn.data import Dataset
from fnn.feedforward import feedforward
from fnn.optimizers.objective import unpack
from fnn.training import Record
from fnn.units import UNITS

BLOCK = 10_000_000  # hidden outputs in memory at once
SMALL_GRADIENT = 1e-4  # of the train MSE, scaled as `has_small_gradient` says


def outputs(params: Tensor, sizes: Sequence[int], unit: str, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Hidden outputs [R, N, units] of each layer, and the networks' outputs [R, N], at x [N, D]."""
    layers = [(W, b.mT) for W, b in unpack(params, sizes)]
    *hidden, output = feedforward(x, layers, UNITS[unit].phi)
    return hidden, output.squeeze(2)


def output_weights(params: Tensor, sizes: Sequence[int]) -> Tensor:
    """The weights of the last layer, [R, P] → [R, m]."""
    return unpack(params, sizes)[-1][0].squeeze(2)


def blocks(runs: Sequence[int], record: Record, inputs: int) -> Iterator[list[int]]:
    """The runs in blocks of which the hidden outputs at so many inputs fit in memory."""
    size = max(1, BLOCK // (inputs * max(record.settings.sizes)))
    for start in range(0, len(runs), size):
        yield list(runs[start : start + size])


def has_small_gradient(record: Record, data: Dataset) -> Tensor:
    """Whether the max-norm of the gradient is small for the network's weights and the targets' scale, [R].

    It is divided by the largest output weight and the targets' deviation. The gradient with respect to a
    unit's weights grows with its output weight, and so does its rounding error: where output weights diverge,
    the bare gradient never gets small in double precision. Neither divisor is taken below 1.
    """
    v = output_weights(record.params, record.settings.sizes)
    deviation = data.y_train.double().std().clamp(min=1)
    small: Tensor = record.gradient_norm / v.abs().amax(dim=1).clamp(min=1) / deviation <= SMALL_GRADIENT
    return small
