"""What training runs ended in: one form for equivalent networks, kinds of endings, distinct minima.

Section 2b of the report explains the kinds of endings. All of it is double precision and deterministic.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.feedforward import feedforward
from fnn.landscape.curvature import hessian, is_positive, split_parameters
from fnn.training import Record
from fnn.units import UNITS

GRID_POINTS = 2000  # of the grid on which functions are compared
SMALL_GRADIENT = 1e-4  # of the train MSE, scaled as `_scaled_gradient` says
SAME_LOSS = 1e-5  # relative distance of the train MSEs of runs that ended in the same minimum
SAME_LIMIT = 1e-3  # the same for runs on their way to a limit: merged or line-like
SAME_FUNCTION = 0.1  # RMS distance of their functions, in standard deviations of the targets
LINE_LIKE = 0.05  # RMS distance to the least-squares line, in RMS residuals of that line
FLAT = 0.04  # slope, relative to the unit's steepest, up to which the unit counts as flat
STEP_INPUTS = 2  # most training inputs at which a step is not flat
SAME_UNIT = 0.1  # largest distance on the data of the outputs of units about to merge
BLOCK = 10_000_000  # hidden outputs in memory at once
CANCELLED = 0.1  # range of the sum of merging units' contributions, relative to the largest of them


class Ending(StrEnum):
    """Where a run went."""

    ATTAINED = "attained"  # a minimum at finite weights
    MERGED = "merged"  # units become equal while their output weights diverge and cancel
    SATURATED = "saturated"  # a unit is flat on the data, or a step that could as well be sharper: a plateau
    LINE_LIKE = "line-like"  # the function is nearly the least-squares line
    UNCONVERGED = "unconverged"  # none of these: the gradient is not small, or the loss still bends down


ENDINGS = tuple(Ending)  # a tensor holds an ending as its place in this tuple


@dataclass(frozen=True)
class Minimum:
    """Runs that ended with the same loss and the same function."""

    train_mse: float  # the lowest among the runs
    test_mse: float  # of that run
    ending: Ending  # the most frequent among the runs
    run: int  # the index of the run with the lowest train MSE
    runs: tuple[int, ...]  # indices of all, by train MSE

    @property
    def count(self) -> int:
        return len(self.runs)


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
    if unit in ("sigmoid", "tanh"):
        sign = torch.where(w < 0, -1.0, 1.0).to(params.dtype)
        if unit == "sigmoid":
            c = c + torch.where(w < 0, v, 0).sum(dim=1, keepdim=True)
        w, b, v = sign * w, sign * b, sign * v
    elif unit == "relu":
        scale = torch.where(w == 0, 1, w.abs())
        w, b, v = w / scale, b / scale, v * scale
    else:
        raise ValueError(f"unit={unit!r}: the symmetries of sigmoid, tanh and relu are known")
    centre = torch.where(w == 0, torch.inf, -b / w)
    order = centre.argsort(dim=1, stable=True)
    return torch.cat([part.gather(1, order) for part in (w, b, v)] + [c], dim=1)


def endings(record: Record, data: Dataset) -> tuple[Ending, ...]:
    """How each run of the record ended; of several endings, the first of line-like, merged, saturated.

    A run that has attained a minimum has a small gradient and, with one input and one hidden layer, a Hessian
    that is positive definite beyond rounding (semidefinite for ReLU, whose weights can be scaled against each
    other). Merging is looked for in networks with one hidden layer, saturation in all hidden layers.
    A network without hidden layers *is* the line, and attains it.
    """
    codes = [
        _ending_codes(record, rows, data) for rows in _blocks(range(len(record)), record, len(data.X_train))
    ]
    return tuple(ENDINGS[code] for code in torch.cat(codes).tolist())


def _ending_codes(record: Record, rows: list[int], data: Dataset) -> Tensor:
    """Endings of the runs `rows` as places in `ENDINGS`, [B]."""
    X, y = data.X_train.double(), data.y_train.double()
    params, sizes, unit = record.params[rows], record.settings.sizes, UNITS[record.settings.unit]
    hidden, outputs = _outputs(params, sizes, unit.name, X)
    finite = outputs.isfinite().all(dim=1) & params.isfinite().all(dim=1)
    small = finite & (_scaled_gradient(record, data)[rows] <= SMALL_GRADIENT)

    attained = small.clone()
    if len(sizes) == 3 and sizes[0] == 1 and small.any():
        H = hessian(params[small], data, unit.name)
        attained[small] = is_positive(H, semidefinite=unit.name == "relu")

    flat, step = torch.zeros_like(small), torch.zeros_like(small)
    steepest = 0.25 if unit.name == "sigmoid" else 1.0
    for a in hidden:
        sloping = (unit.slope(a) > FLAT * steepest).sum(dim=1)  # [B, units], the number of training inputs
        flat |= (sloping == 0).any(dim=1)
        step |= (sloping <= STEP_INPUTS).any(dim=1)

    line = _least_squares_line(X, y)
    scatter = (y[:, 0] - line).square().mean()
    near_line = (outputs - line).square().mean(dim=1) <= LINE_LIKE**2 * scatter

    codes = torch.full((len(rows),), ENDINGS.index(Ending.UNCONVERGED))
    # From the weakest claim to the strongest.
    for holds, ending in [
        (step & small, Ending.SATURATED),
        (attained, Ending.ATTAINED),
        (flat, Ending.SATURATED),
        (_merging(hidden[0], params, sizes) if len(hidden) == 1 else flat & False, Ending.MERGED),
        (near_line if hidden else flat & False, Ending.LINE_LIKE),
    ]:
        codes[finite & holds] = ENDINGS.index(ending)
    return codes


def distinct_minima(record: Record, data: Dataset) -> list[Minimum]:
    """The distinct minima among the runs that have a small gradient, lowest train MSE first.

    Runs belong together if their train MSEs agree (each within a relative `SAME_LOSS` of the next; within
    `SAME_LIMIT` where they are merged or line-like, on the way to a limit that none reaches) and so do their
    functions, in root mean square on a grid over the range of the data: a step may stand anywhere between
    two inputs.
    """
    kinds = endings(record, data)
    small = _scaled_gradient(record, data) <= SMALL_GRADIENT
    by_loss = record.train_mse.argsort(stable=True).tolist()
    runs = [run for run in by_loss if small[run] and record.train_mse[run].isfinite()]
    losses = record.train_mse.tolist()
    tolerance = SAME_FUNCTION * float(data.y_train.double().std())

    groups: list[list[int]] = []
    near: list[tuple[list[int], Tensor]] = []  # groups that may grow, with the function of their first run
    for run, function in zip(runs, _functions(record, runs, data), strict=True):
        near = [(group, first) for group, first in near if _apart(losses, group, run) <= SAME_LIMIT]
        for group, first in near:
            approaching = kinds[run] == kinds[group[-1]] in (Ending.MERGED, Ending.LINE_LIKE)
            same_loss = approaching or _apart(losses, group, run) <= SAME_LOSS
            if same_loss and float((function - first).square().mean().sqrt()) <= tolerance:
                group.append(run)
                break
        else:
            groups.append([run])
            near.append((groups[-1], function))
    return [
        Minimum(
            train_mse=float(record.train_mse[group[0]]),
            test_mse=float(record.test_mse[group[0]]),
            ending=Counter(kinds[run] for run in group).most_common(1)[0][0],
            run=group[0],
            runs=tuple(group),
        )
        for group in groups
    ]


def _layers(params: Tensor, sizes: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
    """[R, P] as what `feedforward` takes: weight [R, fan_in, fan_out] and bias [R, 1, fan_out] by layer."""
    layers, start = [], 0
    for fan_in, fan_out in pairwise(sizes):
        middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        layers.append((params[:, start:middle].reshape(-1, fan_in, fan_out), params[:, None, middle:stop]))
        start = stop
    return layers


def _outputs(params: Tensor, sizes: Sequence[int], unit: str, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Hidden outputs [R, N, units] of each layer, and the networks' outputs [R, N], at x [N, D]."""
    *hidden, output = feedforward(x, _layers(params, sizes), UNITS[unit].phi)
    return hidden, output.squeeze(2)


def _functions(record: Record, runs: Sequence[int], data: Dataset) -> Iterator[Tensor]:
    """Each run's function on the grid, [GRID_POINTS], in the order of `runs`."""
    low, high = data.x_range
    grid = torch.linspace(low, high, GRID_POINTS, dtype=torch.float64)[:, None]
    for rows in _blocks(runs, record, GRID_POINTS):
        yield from _outputs(record.params[rows], record.settings.sizes, record.settings.unit, grid)[1]


def _blocks(runs: Sequence[int], record: Record, inputs: int) -> Iterator[list[int]]:
    """The runs in blocks of which the hidden outputs at so many inputs fit in memory."""
    size = max(1, BLOCK // (inputs * max(record.settings.sizes)))
    for start in range(0, len(runs), size):
        yield list(runs[start : start + size])


def _apart(losses: list[float], group: list[int], run: int) -> float:
    """How far a run's loss is above that of the group's last one, relative to it."""
    return 1 - losses[group[-1]] / losses[run] if losses[run] else 0.0


def _scaled_gradient(record: Record, data: Dataset) -> Tensor:
    """The gradient's max-norm over the largest output weight and over the targets' deviation, [R].

    The gradient with respect to a unit's weights grows with its output weight, and so does its rounding
    error: where output weights diverge, the bare gradient never gets small in double precision.
    Neither divisor is taken below 1.
    """
    v, _ = _layers(record.params, record.settings.sizes)[-1]
    deviation = data.y_train.double().std().clamp(min=1)
    return record.gradient_norm / v.abs().amax(dim=(1, 2)).clamp(min=1) / deviation


def _least_squares_line(X: Tensor, y: Tensor) -> Tensor:
    """Values at X [N, D] of the linear model fitted to y [N, 1]; [N]."""
    design = torch.cat([X, torch.ones_like(X[:, :1])], dim=1)
    line: Tensor = design @ torch.linalg.lstsq(design, y).solution
    return line.squeeze(1)


def _merging(a: Tensor, params: Tensor, sizes: Sequence[int]) -> Tensor:
    """Whether units with nearly the same output cancel; a [R, N, m], params [R, P] → [R].

    A unit and its mirror image, a and 1 − a or a and −a, count as the same: outputs are compared from their
    value at the first training input and in the direction in which they leave it.
    """
    v, _ = _layers(params, sizes)[-1]  # [R, m, 1]
    a = a - a[:, :1]  # a constant of the network takes up the difference
    sign = torch.where(a.sum(dim=1) < 0, -1.0, 1.0).to(a.dtype)  # [R, m]
    a = a * sign[:, None]
    contribution = a * (v.squeeze(2) * sign)[:, None]  # [R, N, m]
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
