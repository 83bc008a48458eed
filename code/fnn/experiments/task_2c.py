"""Experiments of task 2c: the width of the hidden layer, the spikes of wide networks, and a remedy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import median, mse, predict, share, training
from fnn.experiments.plan import PLAN
from fnn.models import MLP
from fnn.optimizers.objective import parameter_count
from fnn.prose.numbers import Share, number
from fnn.prose.tables import Table
from fnn.training import Record, train_all

WIDTHS = (1, 2, 3, 10, 50, 100)
DECAYS = (1e-7, 1e-6, 1e-5)  # λ; the middle one for all widths, the others for ten units
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
        return parameter_count(self.records[width].settings.sizes)

    def best_model(self, width: int) -> MLP:
        """The network of the run with the lowest train MSE, float64."""
        record = self.records[width]
        return record.model(record.best, torch.float64)

    def best_train(self, width: int) -> float:
        """Lowest train MSE of all runs."""
        record = self.records[width]
        return float(record.train_mse[record.best])

    def best_test(self, width: int) -> float:
        """Test MSE of the run with the lowest train MSE."""
        record = self.records[width]
        return float(record.test_mse[record.best])

    def median_train(self, width: int) -> float:
        """Median train MSE over all runs."""
        return median(self.records[width].train_mse)

    def median_test(self, width: int) -> float:
        """Median test MSE over all runs."""
        return median(self.records[width].test_mse)

    def tested_below(self, width: int, loss: float) -> Share:
        """The runs with a test MSE below `loss`."""
        return share(self.records[width].test_mse < loss)

    def unfinished(self, *widths: int) -> Share:
        """The runs of these widths that the iteration limit ended."""
        stops = [stop for width in widths for stop in self.records[width].stop]
        return Share(stops.count("iterations"), len(stops))

    def expected(self, width: int) -> tuple[float, float]:
        """Expected train and test MSE σ²(1 ∓ p/N) of a well-specified model of p < N parameters.

        See Hastie, Tibshirani and Friedman 2009, section 7.4. NaN where the noise is not known, or p ≥ N.
        """
        ratio = self.parameters(width) / len(self.data.X_train)
        if self.data.noise_std is None or ratio >= 1:
            return math.nan, math.nan
        return self.data.noise_std**2 * (1 - ratio), self.data.noise_std**2 * (1 + ratio)

    def losses(self, width: int) -> list[str]:
        """The train and test MSE of the run that fits the training data best, and the medians, as cells."""
        medians = self.median_train(width), self.median_test(width)
        return [number(value) for value in (self.best_train(width), self.best_test(width), *medians)]

    def table(self) -> Table:
        """Train and test MSE per width: of the run that fits the training data best, and the medians."""
        rows = [
            [str(width), str(self.parameters(width)), str(len(record)), *self.losses(width)]
            for width, record in self.records.items()
        ]
        header = ["Units", "Parameters", "Runs", "Best train", "its test", "Median train", "Median test"]
        return Table(header, rows, align="rrrrrrr", widths=(2, 3, 2, 3, 3, 4, 4))


@dataclass(frozen=True)
class Widths:
    """The study of task 2c: the course's way, and two others at the same widths."""

    course: WidthStudy  # centres drawn by the course's law, no decay
    uniform: WidthStudy  # centres drawn uniformly over the data
    decayed: WidthStudy  # by the course's law, with the middle one of DECAYS
    decays: dict[float, Record]  # ten units with each of DECAYS

    @property
    def decay(self) -> float:
        """λ of `decayed`."""
        return DECAYS[1]

    @property
    def prior_std(self) -> float | None:
        """s of the prior N(0, s²) on parameters that λ = σ²/(Ns²) stands for; None for unknown noise."""
        noise = self.course.data.noise_std
        return None if noise is None else noise / math.sqrt(self.decay * len(self.course.data.X_train))


def width_study(data: Dataset, widths: Sequence[int] = WIDTHS, decayed_width: int = 10) -> Widths:
    """Train every width by the course's law, from uniform centres, and with weight decay, side by side."""
    few = PLAN.contrast
    records = iter(
        train_all(
            [training(data, m) for m in widths]
            + [training(data, m, init="nguyen-widrow", runs=few) for m in widths]
            + [training(data, m, runs=few, decay=DECAYS[1]) for m in widths]
            + [training(data, decayed_width, runs=few, decay=decay) for decay in (DECAYS[0], DECAYS[2])]
        )
    )
    course, uniform, decayed = (
        WidthStudy(data, {width: next(records) for width in widths}) for _ in ("course", "uniform", "decayed")
    )
    weaker, stronger = records
    at_width = (weaker, decayed[decayed_width], stronger)
    return Widths(course, uniform, decayed, dict(zip(DECAYS, at_width, strict=True)))


@dataclass(frozen=True)
class Spike:
    """Where a fit strays farthest from the straight line between two neighbouring training points."""

    left: float  # the training inputs on both sides
    right: float
    x: Tensor  # [G] from a few gaps left to a few gaps right of the spike
    prediction: Tensor  # [G]
    height: float  # largest distance from the straight line
    steepest: float  # largest |w| of a hidden unit
    gaps_astray: int  # gaps in which the fit strays more than STRAY standard deviations of the targets
    range_astray: float  # the share of the range of the training inputs on which it does, in per cent
    test_mse: float
    smoothed_test_mse: float  # with straight lines between the predictions at the training points
    smoothed_train_mse: float


def find_spike(model: MLP, data: Dataset, points_per_gap: int = 400, gaps_shown: int = 3) -> Spike:
    """Search every gap between neighbouring training inputs on a fine grid."""
    knots = torch.unique(data.X_train[:, 0].double())  # [K] sorted
    fractions = (torch.arange(points_per_gap, dtype=torch.float64) + 0.5) / points_per_gap
    x = knots[:-1, None] + fractions * knots.diff()[:, None]  # [K−1, G]
    prediction = predict(model, x.reshape(-1, 1)).reshape(x.shape)
    at_knots = predict(model, knots.unsqueeze(1))
    straight = at_knots[:-1, None] + fractions * at_knots.diff()[:, None]
    distance = (prediction - straight).abs()
    astray = distance > STRAY * data.y_train.double().std()
    gap, _ = divmod(int(distance.argmax()), points_per_gap)
    shown = slice(max(0, gap - gaps_shown), gap + gaps_shown + 1)
    return Spike(
        left=float(knots[gap]),
        right=float(knots[gap + 1]),
        x=x[shown].flatten(),
        prediction=prediction[shown].flatten(),
        height=float(distance.max()),
        steepest=float(model.layers()[0][0].detach().abs().max()),
        gaps_astray=int(astray.any(dim=1).sum()),
        range_astray=100 * float((astray.double().mean(dim=1) * knots.diff()).sum() / (knots[-1] - knots[0])),
        test_mse=mse(predict(model, data.X_test), data.y_test[:, 0]),
        smoothed_test_mse=mse(_interpolate(knots, at_knots, data.X_test[:, 0].double()), data.y_test[:, 0]),
        smoothed_train_mse=mse(
            _interpolate(knots, at_knots, data.X_train[:, 0].double()), data.y_train[:, 0]
        ),
    )


def _interpolate(knots: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Piecewise linear interpolation, continued beyond the outermost knots; knots, values [K], x [N]."""
    right = torch.searchsorted(knots, x).clamp(1, len(knots) - 1)
    left = right - 1
    fraction = (x - knots[left]) / (knots[right] - knots[left])
    return values[left] + fraction * (values[right] - values[left])


@dataclass(frozen=True)
class WorstPoint:
    """The test point that a network misses most."""

    x: float
    error: float  # prediction less target
    share: float  # of the sum of squared test errors, in per cent
    other_mse: float  # test MSE of all other points


def worst_point(model: MLP, data: Dataset) -> WorstPoint:
    """Where the test error of a network comes from."""
    errors = predict(model, data.X_test) - data.y_test[:, 0].double()
    squares = errors.square()
    worst = int(squares.argmax())
    total, largest = float(squares.sum()), float(squares[worst])
    others = torch.cat([squares[:worst], squares[worst + 1 :]])
    return WorstPoint(
        float(data.X_test[worst, 0]), float(errors[worst]), 100 * largest / total, float(others.mean())
    )


def worst_run(study: WidthStudy) -> tuple[int, MLP]:
    """The width and the network, float64, of the run with the largest test MSE of all widths."""
    width = max(study.records, key=lambda width: float(study.records[width].test_mse.max()))
    record = study.records[width]
    return width, record.model(int(record.test_mse.argmax()), torch.float64)


def interpolating_width(data: Dataset) -> int:
    """The smallest width with at least as many parameters, 3m + 1, as there are training points."""
    return math.ceil((len(data.X_train) - 1) / 3)


def straight_lines(data: Dataset) -> float:
    """Test MSE of straight lines through the raw training points, which no training can overfit more."""
    knots, order = data.X_train[:, 0].double().sort()
    return mse(
        _interpolate(knots, data.y_train[order, 0].double(), data.X_test[:, 0].double()), data.y_test[:, 0]
    )
