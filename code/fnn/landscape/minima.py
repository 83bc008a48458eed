"""The distinct minima that the runs of a record ended in. Double precision, deterministic."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.landscape.endings import Ending
from fnn.landscape.networks import Networks

GRID_POINTS = 2000  # of the grid on which functions are compared
SAME_LOSS = 1e-5  # relative distance of the train MSEs of runs that ended in the same minimum
APPROACHING_LOSS = 1e-3  # the same for runs on their way to a limit: merged or line-like
SAME_FUNCTION = 0.1  # RMS distance of their functions, in standard deviations of the targets


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


def distinct_minima(
    networks: Networks,
    train_mse: Tensor,
    test_mse: Tensor,
    kinds: Sequence[Ending],
    settled: Tensor,
    x: Tensor,
    y: Tensor,
) -> list[Minimum]:
    """The distinct minima among the runs that have settled, lowest train MSE first.

    Runs belong together if their train MSEs agree (each within a relative `SAME_LOSS` of the next; within
    `APPROACHING_LOSS` where they are merged or line-like, on the way to a limit that none reaches) and so do
    their functions, in root mean square on a grid over the range of the inputs: a step may stand anywhere
    between two inputs.

    Args:
        networks: R networks where their runs ended.
        train_mse: of each, [R]; test_mse likewise.
        kinds: how each ended, as `endings` says.
        settled: [R] bool, the runs whose gradient is small.
        x: training inputs [N, 1], float64.
        y: training targets [N, 1], float64.
    """
    by_loss = train_mse.argsort(stable=True).tolist()
    runs = [run for run in by_loss if settled[run] and train_mse[run].isfinite()]
    losses = train_mse.tolist()
    tolerance = SAME_FUNCTION * float(y.std())
    grid = torch.linspace(float(x.min()), float(x.max()), GRID_POINTS, dtype=torch.float64)[:, None]

    groups: list[list[int]] = []
    near: list[tuple[list[int], Tensor]] = []  # groups that may grow, with the function of their first run
    for run, function in zip(runs, _functions(networks, runs, grid), strict=True):
        near = [(group, first) for group, first in near if _apart(losses, group, run) <= APPROACHING_LOSS]
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
            train_mse=losses[group[0]],
            test_mse=float(test_mse[group[0]]),
            ending=Counter(kinds[run] for run in group).most_common(1)[0][0],
            run=group[0],
            runs=tuple(group),
        )
        for group in groups
    ]


def _functions(networks: Networks, runs: Sequence[int], grid: Tensor) -> Iterator[Tensor]:
    """Each run's function on the grid [G, 1], [G], in the order of `runs`."""
    for rows in networks.blocks(len(grid), runs):
        yield from networks[rows].outputs(grid)[1]


def _apart(losses: list[float], group: list[int], run: int) -> float:
    """How far a run's loss is above that of the group's last one, relative to it."""
    return 1 - losses[group[-1]] / losses[run] if losses[run] else 0.0
