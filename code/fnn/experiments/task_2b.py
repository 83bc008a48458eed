"""Experiments of task 2b: one architecture from many initial points, where the runs end, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import share, train_widths
from fnn.experiments.plan import PLAN
from fnn.landscape.curvature import splitting_matrices
from fnn.landscape.endings import Ending, endings
from fnn.landscape.limit_models import STARTS_PER_AXIS, LimitModel, limit_models
from fnn.landscape.minima import Minimum, distinct_minima
from fnn.models import MLP
from fnn.prose.numbers import Share, decimals
from fnn.prose.tables import Table
from fnn.training import Record, train_restarts

NEAR = 0.01  # relative excess loss up to which a run counts as under way to the limit
DECADES = torch.logspace(0.8, 4.4, 19, dtype=torch.float64)  # half differences V of the output weights


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

    @property
    def first_model(self) -> MLP:
        """The network of the first run, float64."""
        return self.record.model(0, torch.float64)

    def model(self, minimum: Minimum) -> MLP:
        """The network of the best run of a minimum, float64."""
        return self.record.model(minimum.run, torch.float64)

    def share(self, minimum: Minimum) -> Share:
        """How many of the runs ended in this minimum."""
        return Share(minimum.count, len(self.record))

    def share_at(self, loss: float) -> Share:
        """How many of the runs have this train MSE, to a relative accuracy of 10⁻⁵."""
        return share((self.record.train_mse - loss).abs() <= 1e-5 * loss)

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


def centred(data: Dataset) -> Dataset:
    """The same data with the mean of the training inputs subtracted from every input."""
    mean = data.X_train.mean()
    return replace(data, X_train=data.X_train - mean, X_test=data.X_test - mean)


@dataclass(frozen=True)
class ReferenceCheck:
    """The first runs of a study again, by SciPy's BFGS from the same initial points."""

    agreement: Share  # of runs that end at the same train MSE, to a relative accuracy of 10⁻⁴


def check_against_scipy(data: Dataset, study: Restarts, runs: int = PLAN.reference) -> ReferenceCheck:
    """Train the first runs of a study by the course's own optimiser."""
    runs = min(runs, len(study.record))
    hidden_sizes = study.record.settings.sizes[1:-1]
    shards = min(2, runs)  # so that both cores of a small machine work
    reference = train_restarts(
        hidden_sizes, runs, method="scipy-bfgs", data=data, limits=PLAN.limits, shards=shards
    ).train_mse
    same = (study.record.train_mse[:runs] - reference).abs() <= 1e-4 * reference
    return ReferenceCheck(share(same))


def splitting_eigenvalues(study: Restarts, minimum: Minimum, data: Dataset) -> list[float]:
    """Eigenvalues of the splitting matrices of all units of a minimum; see `curvature`."""
    matrices = splitting_matrices(study.record.params[[minimum.run]], data)
    return [float(value) for value in torch.linalg.eigvalsh(matrices).flatten()]


def minima_table(studies: dict[int, Restarts], most: int = 6) -> Table:
    """The most frequent distinct minima of each width: losses, share of the runs, how they ended."""
    rows = []
    for width, study in studies.items():
        frequent = sorted(study.minima, key=lambda minimum: -minimum.count)[:most]
        for minimum in sorted(frequent, key=lambda minimum: minimum.train_mse):
            losses = [decimals(minimum.train_mse, 6), decimals(minimum.test_mse, 6)]
            rows.append(
                [str(width), *losses, decimals(study.share(minimum).percent, 1), minimum.ending.value]
            )
    return Table(["Units", "Train MSE", "Test MSE", "Runs (%)", "Ending"], rows, align="rrrrl")


@dataclass(frozen=True)
class LimitStudy:
    """The lowest limit model of two merged units, networks at fixed V, and the runs on their way to it.

    V is half the difference of the two output weights once both units rise. All but `starts` and `under_way`
    are NaN or empty where the data have no limit model that is a strict local minimum.
    """

    limit: LimitModel | None
    starts: int  # of the search for limit models
    V: Tensor  # [G] at which the loss was minimised over all other parameters
    excess: Tensor  # [G] its minimum, less L*
    run_V: Tensor  # [R'] of the runs near the limit
    run_excess: Tensor  # [R'] observed L − L*
    under_way: Share  # of all runs

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
        chosen = least <= V
        relative = (excess[chosen] / self.predicted(V[chosen]) - 1).abs()
        return float(relative.max()) if len(relative) else math.nan

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The step aσ(z) and the wave (αx + β)σ′(z) of the limit model at x [G]."""
        if self.limit is None:
            return torch.full_like(x, math.nan), torch.full_like(x, math.nan)
        s = torch.sigmoid(self.limit.w * x + self.limit.b)
        return self.limit.a * s, (self.limit.alpha * x + self.limit.beta) * s * (1 - s)


def limit_study(data: Dataset, study: Restarts) -> LimitStudy:
    """Runs of [1, 2, 1] and networks at fixed V, beside the lowest limit model, computed without them."""
    starts, runs = STARTS_PER_AXIS**2, len(study.record)
    limit = next(iter(limit_models(data)), None)
    none = torch.empty(0, dtype=torch.float64)
    if limit is None:
        return LimitStudy(None, starts, none, none, none, none, Share(0, runs))
    excess = losses_at(limit, data, DECADES) - limit.loss
    w, v = study.record.params[:, :2], study.record.params[:, 4:6]
    v = torch.where(w < 0, -v, v)  # as if every unit had w > 0
    run_excess = study.record.train_mse - limit.loss
    near = (run_excess / limit.loss).abs() < NEAR
    run_V = ((v[:, 0] - v[:, 1]) / 2).abs()
    return LimitStudy(limit, starts, DECADES, excess, run_V[near], run_excess[near], share(near))


def losses_at(limit: LimitModel, data: Dataset, V: Tensor, steps: int = 50) -> Tensor:
    """Lowest train MSE of [1, 2, 1] near the limit with output weights a/2 ± V; V [G] ascending → [G].

    By Newton's method over w, b, α, β, a and c, from the limit model for the largest V, then from there to
    the next smaller; a step is halved until the loss falls.
    """
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    theta = limit.parameters
    losses = []
    for half_difference in V.flip(0).tolist():

        def loss(theta: Tensor, half_difference: float = half_difference) -> Tensor:
            w, b, a, alpha, beta, c = theta
            z, shift = w * x + b, (alpha * x + beta) / (2 * half_difference)
            upper, lower = torch.sigmoid(z + shift), torch.sigmoid(z - shift)
            f = a / 2 * (upper + lower) + half_difference * (upper - lower) + c
            mean_square: Tensor = (f - y).square().mean()
            return mean_square

        value = loss(theta)
        for _ in range(steps):
            theta.requires_grad_()
            (gradient,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
            H = torch.stack([torch.autograd.grad(entry, theta, retain_graph=True)[0] for entry in gradient])
            theta = theta.detach()
            step = torch.linalg.solve_ex(H, gradient.detach()).result
            trials = [theta - step / 2**halving for halving in range(20)]
            trial = next((trial for trial in trials if loss(trial) < value), None)
            if trial is None:
                break
            theta, value = trial, loss(trial)
        losses.append(float(value))
    return torch.tensor(losses, dtype=torch.float64).flip(0)


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
