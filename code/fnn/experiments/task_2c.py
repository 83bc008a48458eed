"""Experiments of task 2c: the width of the hidden layer, the spikes of wide networks, and a remedy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import Share, bfgs_training, mse, predict, share
from fnn.experiments.plan import LIMITS, PLAN
from fnn.models import MLP
from fnn.optimizers import Stop
from fnn.optimizers.network import parameter_count
from fnn.training import Record, Training, train_all

WIDTHS = (1, 2, 3, 10, 50, 100)
DECAYS = (1e-7, 1e-6, 1e-5, 1e-4)  # λ, of which validation chooses
HELD_OUT = 4  # every fourth training point validates
STRAY = 0.5  # standard deviations of the targets from which on a prediction counts as astray


@dataclass(frozen=True)
class WidthStudy:
    """Trained networks [1, m, 1] for each width m, all on the same data."""

    data: Dataset
    records: dict[int, Record]

    def __getitem__(self, width: int) -> Record:
        return self.records[width]

    def parameters(self, width: int) -> int:
        """The number of parameters p of a network of this width."""
        return parameter_count(self.records[width].training.sizes)

    def best_model(self, width: int) -> MLP:
        """The network of the run with the lowest train MSE, float64."""
        record = self.records[width]
        return record.model(record.best, torch.float64)

    def tested_below(self, width: int, loss: float) -> Share:
        """The runs with a test MSE below `loss`."""
        return share(self.records[width].test_mse < loss)

    def converged(self, width: int) -> Share:
        """The runs whose gradient got small."""
        return Share(self.records[width].stop.count(Stop.GRADIENT), len(self.records[width]))

    def expected(self, width: int) -> tuple[float, float]:
        """Expected train and test MSE σ²(1 ∓ p/N) of a well-specified model of p < N parameters.

        See Hastie, Tibshirani and Friedman 2009, section 7.4. NaN where the noise is not known, or p ≥ N.
        """
        ratio = self.parameters(width) / len(self.data.X_train)
        if self.data.noise_std is None or ratio >= 1:
            return math.nan, math.nan
        return self.data.noise_std**2 * (1 - ratio), self.data.noise_std**2 * (1 + ratio)


@dataclass(frozen=True)
class Widths:
    """The study of task 2c: three ways to train the same widths."""

    normal: WidthStudy  # initial points by the normal law, no decay
    uniform: WidthStudy  # centres drawn uniformly over the data
    decayed: WidthStudy  # by the normal law, with the weight decay below
    decay: float  # λ


def width_study(data: Dataset, decay: float, widths: Sequence[int] = WIDTHS) -> Widths:
    """Train every width by the normal law, from uniform centres, and with weight decay, side by side."""
    few = PLAN.contrast
    records = iter(
        train_all(
            [bfgs_training(data, m) for m in widths]
            + [bfgs_training(data, m, init="nguyen-widrow", runs=few) for m in widths]
            + [bfgs_training(data, m, runs=few, decay=decay) for m in widths]
        )
    )
    normal, uniform, decayed = (
        WidthStudy(data, {width: next(records) for width in widths}) for _ in ("normal", "uniform", "decayed")
    )
    return Widths(normal, uniform, decayed, decay)


def validate_decays(data: Dataset, width: int = 10, decays: Sequence[float] = DECAYS) -> dict[float, float]:
    """For each λ the median validation MSE of networks trained without every fourth training point.

    No test point is looked at: the held-out points take their place.
    """
    held = torch.arange(len(data.X_train)) % HELD_OUT == HELD_OUT // 2
    part = replace(
        data,
        name=f"{data.name}, three quarters",
        X_train=data.X_train[~held], y_train=data.y_train[~held],
        X_test=data.X_train[held], y_test=data.y_train[held],
    )  # fmt: skip
    records = train_all([bfgs_training(part, width, runs=PLAN.contrast, decay=decay) for decay in decays])
    return {decay: record.median_test for decay, record in zip(decays, records, strict=True)}


def with_zero_in_the_middle(data: Dataset, width: int) -> WidthStudy:
    """Train [1, width, 1] by the normal law on the data with the middle of the range of x moved to zero."""
    middle = sum(data.x_range) / 2
    moved = replace(
        data, name=f"{data.name}, zero in the middle", X_train=data.X_train - middle,
        X_test=data.X_test - middle, signal=None,
    )  # fmt: skip
    records = train_all([bfgs_training(moved, width, runs=max(PLAN.contrast // 2, 1))])
    return WidthStudy(moved, {width: records[0]})


def by_levenberg_marquardt(data: Dataset, width: int) -> Record:
    """Train [1, width, 1] by Levenberg–Marquardt from the first initial points of the normal law."""
    [record] = train_all([Training([width], PLAN.contrast, "lm", data=data, limits=LIMITS)])
    return record


@dataclass(frozen=True)
class Gaps:
    """How far a fit strays from the straight lines between its values at neighbouring training inputs."""

    knots: Tensor  # [K] the training inputs, ascending
    astray: Tensor  # [K−1] bool: further than STRAY standard deviations of the targets
    straightened_test_mse: float  # with these straight lines in place of the fit


def stray(model: MLP, data: Dataset, points_per_gap: int = 400) -> Gaps:
    """Search every gap between neighbouring training inputs on a fine grid."""
    knots = torch.unique(data.X_train[:, 0].double())
    fractions = (torch.arange(points_per_gap, dtype=torch.float64) + 0.5) / points_per_gap
    x = knots[:-1, None] + fractions * knots.diff()[:, None]  # [K−1, G]
    prediction = predict(model, x.reshape(-1, 1)).reshape(x.shape)
    at_knots = predict(model, knots.unsqueeze(1))
    straight = at_knots[:-1, None] + fractions * at_knots.diff()[:, None]
    distance = (prediction - straight).abs().amax(dim=1)
    return Gaps(
        knots,
        distance > STRAY * data.y_train.double().std(),
        mse(_interpolate(knots, at_knots, data.X_test[:, 0].double()), data.y_test[:, 0]),
    )


def astray_by_part(study: WidthStudy, widths: Sequence[int], parts: int = 4) -> list[Share]:
    """Of the gaps in which runs of these widths stray, how many lie in each equal part of the range."""
    counts = torch.zeros(parts, dtype=torch.int64)
    for record in (study[width] for width in widths):
        for run in range(len(record)):
            gaps = stray(record.model(run, torch.float64), study.data)
            low, high = gaps.knots[0], gaps.knots[-1]
            place = (gaps.knots[:-1] + gaps.knots.diff() / 2 - low) / (high - low) * parts
            counts += place[gaps.astray].long().bincount(minlength=parts)
    total = int(counts.sum())
    return [Share(count, total) for count in counts.tolist()]


def _interpolate(knots: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Piecewise linear interpolation, continued beyond the outermost knots; knots, values [K], x [N]."""
    right = torch.searchsorted(knots, x).clamp(1, len(knots) - 1)
    left = right - 1
    fraction = (x - knots[left]) / (knots[right] - knots[left])
    return values[left] + fraction * (values[right] - values[left])
