"""Experiments of task 2b: one architecture from many initial points, where the runs end, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import Share, bfgs_training, same_losses
from fnn.experiments.plan import PLAN
from fnn.landscape.endings import Ending, endings
from fnn.landscape.limit_models import STARTS_PER_AXIS, LimitModel, limit_models, loss_at
from fnn.landscape.minima import Minimum, distinct_minima
from fnn.landscape.networks import Networks
from fnn.models import MLP
from fnn.training import Record, train_all, train_restarts

FIXED_V = torch.logspace(0.8, 4.4, 19, dtype=torch.float64)  # half differences V of the output weights
MOST = 5  # distinct minima that figure, table and text tell of each width
NEAR = 0.01  # relative excess loss up to which a run counts as under way to the limit


@dataclass(frozen=True)
class Restarts:
    """Runs of one architecture, how each ended, and the distinct minima among them, by train MSE."""

    record: Record
    endings: tuple[Ending, ...]
    minima: list[Minimum]

    @property
    def ending_of_best(self) -> Ending:
        """How the run with the lowest train MSE ended."""
        return self.endings[self.record.best]

    @property
    def best(self) -> Minimum:
        """The minimum with the lowest train MSE; the best run alone where no run converged."""
        if self.minima:
            return self.minima[0]
        best = self.record.best
        return Minimum(self.record.best_train, self.record.best_test, self.ending_of_best, best, (best,))

    @property
    def rival(self) -> Minimum:
        """The most frequent minimum other than the best; the best where there is no other."""
        return max(self.minima[1:], key=lambda minimum: minimum.count, default=self.best)

    def frequent(self) -> list[Minimum]:
        """The `MOST` most frequent minima, by train MSE."""
        chosen = sorted(self.minima, key=lambda minimum: -minimum.count)[:MOST]
        return sorted(chosen, key=lambda minimum: minimum.train_mse)

    def model(self, minimum: Minimum) -> MLP:
        """The network of the best run of a minimum, float64."""
        return self.record.model(minimum.run, torch.float64)

    def share(self, minimum: Minimum) -> Share:
        """How many of the runs ended in this minimum."""
        return Share(minimum.count, len(self.record))


def study(record: Record, data: Dataset) -> Restarts:
    """How the runs of a record ended."""
    sizes, unit = record.training.sizes, record.training.phi
    x, y = data.X_train.double(), data.y_train.double()
    networks = Networks(record.params, sizes, unit)
    kinds = endings(networks, record.gradient_norm, x, y)
    small = networks.have_small_gradient(record.gradient_norm, y)
    return Restarts(
        record, kinds, distinct_minima(networks, record.train_mse, record.test_mse, kinds, small, x, y)
    )


def restart_studies(data: Dataset, widths: Sequence[int], init: str = "course") -> list[Restarts]:
    """Train [1, m, 1] for each width m from the plan's number of initial points, side by side."""
    return [study(record, data) for record in train_all([bfgs_training(data, m, init=init) for m in widths])]


def check_against_scipy(data: Dataset, study: Restarts) -> Share:
    """Train the first runs of a study by SciPy's BFGS: how many end at the same train MSE."""
    runs = min(PLAN.reference, len(study.record))
    reference = train_restarts(
        study.record.training.sizes[1:-1], runs, method="scipy-bfgs", data=data, limits=PLAN.limits,
        shards=min(2, runs),  # so that both cores of a small machine work
    ).train_mse  # fmt: skip
    return same_losses(study.record.train_mse[:runs], reference)


def initial_centres(data: Dataset, parts: int = 2) -> list[float]:
    """The chances that a unit of the normal law is centred in each of so many equal parts of the range.

    Both w and b are standard normal, so that the centre −b/w follows the standard Cauchy distribution.
    """
    edges = torch.linspace(*data.x_range, parts + 1, dtype=torch.float64)
    return (edges.atan().diff() / math.pi).tolist()


@dataclass(frozen=True)
class LimitStudy:
    """The lowest limit model of two merged units, and the runs on their way to it.

    V is half the difference of the two output weights once both units rise. Without a limit model that is a
    strict local minimum, loss and slope are NaN, and no run is under way.
    """

    limit: LimitModel | None
    starts: int  # of the search for limit models
    excess: Tensor  # [19] least L − L* where V is held at each of FIXED_V
    run_V: Tensor  # [R'] of the runs near the limit
    run_excess: Tensor  # [R'] observed L − L*

    @property
    def loss(self) -> float:
        """L*."""
        return self.limit.loss if self.limit else math.nan

    @property
    def k(self) -> float:
        """dL/dT at the limit, T = ε²."""
        return self.limit.k if self.limit else math.nan

    @property
    def eigenvalues(self) -> tuple[float, ...]:
        """Of the Hessian of the loss over the limit model's parameters, ascending."""
        return self.limit.hessian_eigenvalues if self.limit else (math.nan,)

    def predicted(self, V: Tensor) -> Tensor:
        """k/(4V²)."""
        return self.k / (4 * V**2)

    def deviation(self, V: Tensor, excess: Tensor, least: float = 0.0) -> float:
        """Largest relative deviation of an excess from k/(4V²) where V ≥ `least`; NaN where there is none."""
        relative = (excess / self.predicted(V) - 1).abs()[least <= V]
        return float(relative.max()) if len(relative) else math.nan


def limit_study(data: Dataset, study: Restarts) -> LimitStudy:
    """Runs of [1, 2, 1] and networks at fixed V, beside the lowest limit model, computed without them."""
    starts = STARTS_PER_AXIS**2
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    limit = next(iter(limit_models(x, y)), None)
    if limit is None:
        none = torch.empty(0, dtype=torch.float64)
        return LimitStudy(None, starts, torch.full_like(FIXED_V, math.nan), none, none)
    fixed = torch.tensor([loss_at(limit, x, y, V) for V in FIXED_V.tolist()], dtype=torch.float64)
    w, v = study.record.params[:, :2], study.record.params[:, 4:6]
    v = torch.where(w < 0, -v, v)  # as if every unit had w > 0
    run_V, run_excess = ((v[:, 0] - v[:, 1]) / 2).abs(), study.record.train_mse - limit.loss
    near = (run_excess / limit.loss).abs() < NEAR
    return LimitStudy(limit, starts, fixed - limit.loss, run_V[near], run_excess[near])
