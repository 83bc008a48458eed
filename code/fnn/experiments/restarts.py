"""Experiments of task 2b: one architecture from many initial points, and where the runs end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fnn.data import Dataset
from fnn.experiments.widths import train_widths
from fnn.landscape.curvature import splitting_matrices
from fnn.landscape.endings import Ending, endings
from fnn.landscape.minima import Minimum, distinct_minima
from fnn.models import MLP
from fnn.prose.tables import Table, number
from fnn.training import Record, train_restarts


@dataclass(frozen=True)
class Restarts:
    """Runs of one architecture, how each ended, and the distinct minima among them, by train MSE."""

    record: Record
    endings: tuple[Ending, ...]
    minima: list[Minimum]

    @property
    def best_train(self) -> float:
        """Lowest train MSE of all runs."""
        return float(self.record.train_mse[self.record.best])

    @property
    def best_test(self) -> float:
        """Test MSE of the run with the lowest train MSE."""
        return float(self.record.test_mse[self.record.best])

    @property
    def best(self) -> Minimum:
        """The minimum with the lowest train MSE; the best run alone where no run converged."""
        if self.minima:
            return self.minima[0]
        run = self.record.best
        return Minimum(self.best_train, self.best_test, self.endings[run], run, (run,))

    @property
    def rival(self) -> Minimum:
        """The most frequent minimum other than the best; the best where there is no other."""
        return max(self.minima[1:], key=lambda minimum: minimum.count, default=self.best)

    def model(self, minimum: Minimum) -> MLP:
        """The network of the best run of a minimum, float64."""
        return self.record.model(minimum.run, torch.float64)

    def share(self, minimum: Minimum) -> float:
        """Percentage of the runs that ended in this minimum."""
        return 100 * minimum.count / len(self.record)

    def share_ending(self, *kinds: str) -> float:
        """Percentage of the runs that ended in one of these ways."""
        return 100 * sum(ending in kinds for ending in self.endings) / len(self.record)

    def endings_at(self, loss: float) -> set[Ending]:
        """How the runs ended whose train MSE is this one, to a relative accuracy of 10⁻⁵."""
        same = ((self.record.train_mse - loss).abs() <= 1e-5 * loss).tolist()
        return {ending for ending, chosen in zip(self.endings, same, strict=True) if chosen}

    def ending_of_best(self) -> Ending:
        """How the run with the lowest train MSE ended."""
        return self.endings[self.record.best]


def restart_studies(data: Dataset, widths: Sequence[int], init: str = "course") -> list[Restarts]:
    """Train [1, m, 1] for each width m from the plan's number of initial points, side by side."""
    records = train_widths(data, widths, init=init).values()
    return [Restarts(record, endings(record, data), distinct_minima(record, data)) for record in records]


@dataclass(frozen=True)
class ReferenceCheck:
    """The first runs of a study again, by SciPy's BFGS from the same initial points."""

    runs: int
    agreement: float  # percentage that ends at the same train MSE, to a relative accuracy of 10⁻⁴


def check_against_scipy(data: Dataset, study: Restarts, runs: int = 20) -> ReferenceCheck:
    """Train the first runs of a study by the course's own optimiser."""
    runs = min(runs, len(study.record))
    hidden_sizes = study.record.settings.sizes[1:-1]
    shards = min(2, runs)  # so that both cores of a small machine work
    reference = train_restarts(hidden_sizes, runs, method="scipy-bfgs", data=data, shards=shards).train_mse
    same = (study.record.train_mse[:runs] - reference).abs() <= 1e-4 * reference
    return ReferenceCheck(runs, 100 * float(same.double().mean()))


def splitting_eigenvalues(study: Restarts, minimum: Minimum, data: Dataset) -> list[float]:
    """Eigenvalues of the splitting matrices of all units of a minimum; see `curvature`."""
    matrices = splitting_matrices(study.record.params[[minimum.run]], data)
    return [float(value) for value in torch.linalg.eigvalsh(matrices).flatten()]


def minima_table(studies: dict[int, Restarts], most: int = 8) -> Table:
    """The most frequent distinct minima of each width: losses, share of the runs, how they ended."""
    rows = []
    for width, study in studies.items():
        frequent = sorted(study.minima, key=lambda minimum: -minimum.count)[:most]
        for minimum in sorted(frequent, key=lambda minimum: minimum.train_mse):
            losses = [number(minimum.train_mse, 6), number(minimum.test_mse, 6)]
            rows.append([str(width), *losses, number(study.share(minimum), 1), minimum.ending.value])
    return Table(["Units", "Train MSE", "Test MSE", "Runs (%)", "Ending"], rows, align="rrrrl")


def initial_centres(data: Dataset) -> tuple[float, float]:
    """The chances that a unit drawn by the course's law is centred in the left or right half of the data."""
    low, high = data.x_range
    middle = (low + high) / 2
    return centre_probability(low, middle), centre_probability(middle, high)


def centre_probability(low: float, high: float) -> float:
    """The chance that a unit drawn by the course's law for one input has its centre −b/w in [low, high].

    Both w and b are standard normal, so that the centre follows the standard Cauchy distribution.
    """
    return (math.atan(high) - math.atan(low)) / math.pi
