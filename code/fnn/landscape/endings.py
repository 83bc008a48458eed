"""The kinds of endings of training runs; section 2b of the report explains them."""

from enum import StrEnum

import torch
from torch import Tensor

from fnn.landscape.curvature import hessian, is_positive
from fnn.landscape.networks import Networks
from fnn.units import UNITS

LINE_LIKE = 0.05  # RMS distance to the least-squares line, in RMS residuals of that line
FLAT = 0.04  # slope, relative to the unit's steepest, up to which the unit counts as flat
STEP_INPUTS = 2  # most training inputs at which a step is not flat
SAME_UNIT = 0.1  # largest distance on the data of the outputs of units about to merge
CANCELLED = 0.1  # range of the sum of merging units' contributions, relative to the largest of them


class Ending(StrEnum):
    """Where a run went."""

    ATTAINED = "attained"  # a minimum at finite weights
    MERGED = "merged"  # units become equal while their output weights diverge and cancel
    SATURATED = "saturated"  # a unit is flat on the data, or a step that could as well be sharper: a plateau
    LINE_LIKE = "line-like"  # the function is nearly the least-squares line
    OTHER = "other"  # none of these: the gradient is not small, or the loss still bends down


ENDINGS = tuple(Ending)  # a tensor holds an ending as its place in this tuple


def endings(networks: Networks, gradient_norm: Tensor, x: Tensor, y: Tensor) -> tuple[Ending, ...]:
    """How each run ended; of several endings, the first of line-like, merged, saturated.

    A run that has attained a minimum has a small gradient and, with one input and one hidden layer, a Hessian
    that is positive definite beyond rounding (semidefinite for ReLU, whose weights can be scaled against each
    other). Merging is looked for in networks with one hidden layer, saturation in all hidden layers.
    A network without hidden layers *is* the line, and attains it.

    Args:
        networks: R networks where their runs ended.
        gradient_norm: the max-norm of the gradient of the train MSE there, [R].
        x: training inputs [N, D], float64.
        y: training targets [N, 1], float64.
    """
    codes = [_ending_codes(networks[rows], gradient_norm[rows], x, y) for rows in networks.blocks(len(x))]
    return tuple(ENDINGS[code] for code in torch.cat(codes).tolist())


def _ending_codes(networks: Networks, gradient_norm: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Endings of B networks as places in `ENDINGS`, [B]."""
    params, sizes, unit = networks.params, networks.sizes, UNITS[networks.unit]
    hidden, output = networks.outputs(x)
    finite = output.isfinite().all(dim=1) & params.isfinite().all(dim=1)
    small = finite & networks.have_small_gradient(gradient_norm, y)

    attained = small.clone()
    if len(sizes) == 3 and sizes[0] == 1 and small.any():
        H = hessian(params[small], x[:, 0], y[:, 0], unit.name)
        attained[small] = is_positive(H, semidefinite=unit.scalable)

    flat, step = torch.zeros_like(small), torch.zeros_like(small)
    for a in hidden:
        sloping = (unit.slope(a) > FLAT * unit.steepest).sum(dim=1)  # [B, units] training inputs
        flat |= (sloping == 0).any(dim=1)
        step |= (sloping <= STEP_INPUTS).any(dim=1)

    line = _least_squares_line(x, y)
    scatter = (y[:, 0] - line).square().mean()
    near_line = (output - line).square().mean(dim=1) <= LINE_LIKE**2 * scatter

    codes = torch.full((len(params),), ENDINGS.index(Ending.OTHER))
    # From the weakest claim to the strongest.
    for holds, ending in [
        (step & small, Ending.SATURATED),
        (attained, Ending.ATTAINED),
        (flat, Ending.SATURATED),
        (_merging(hidden[0], networks.output_weights) if len(hidden) == 1 else flat & False, Ending.MERGED),
        (near_line if hidden else flat & False, Ending.LINE_LIKE),
    ]:
        codes[finite & holds] = ENDINGS.index(ending)
    return codes


def _least_squares_line(X: Tensor, y: Tensor) -> Tensor:
    """Values at X [N, D] of the linear model fitted to y [N, 1]; [N]."""
    design = torch.cat([X, torch.ones_like(X[:, :1])], dim=1)
    line: Tensor = design @ torch.linalg.lstsq(design, y).solution
    return line.squeeze(1)


def _merging(a: Tensor, v: Tensor) -> Tensor:
    """Whether units with nearly the same output a [R, N, m] cancel, with output weights v [R, m]; [R].

    A unit and its mirror image, a and 1 − a or a and −a, count as the same: outputs are compared from their
    value at the first training input and in the direction in which they leave it.
    """
    a = a - a[:, :1]  # a constant of the network takes up the difference
    sign = torch.where(a.sum(dim=1) < 0, -1.0, 1.0).to(a.dtype)  # [R, m]
    a = a * sign[:, None]
    contribution = a * (v * sign)[:, None]  # [R, N, m]
    size = _range(contribution)  # [R, m]
    found = torch.zeros(len(a), dtype=torch.bool)
    for j in range(a.shape[2]):
        near = (a - a[:, :, [j]]).abs().amax(dim=1) <= SAME_UNIT  # [R, m]; j itself is
        total = (contribution * near[:, None]).sum(dim=2)  # [R, N]
        largest = (size * near).amax(dim=1)
        found |= (near.sum(dim=1) > 1) & (_range(total) <= CANCELLED * largest)
    return found


def _range(values: Tensor) -> Tensor:
    """Largest minus smallest over the examples, dimension 1."""
    spread: Tensor = values.amax(dim=1) - values.amin(dim=1)
    return spread
