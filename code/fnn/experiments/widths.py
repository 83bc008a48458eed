"""Experiments of task 2c: the width of the hidden layer, and the spikes of wide networks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.models import MLP
from fnn.optimizers.objective import parameter_count
from fnn.prose.tables import Table, number
from fnn.training import Record, Training, train_all, train_restarts

WIDTHS = (1, 2, 3, 10, 50, 100)


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

    @property
    def interpolating_width(self) -> int:
        """The smallest width with at least as many parameters, 3m + 1, as there are training points."""
        return math.ceil((len(self.data.X_train) - 1) / 3)

    def best_model(self, width: int) -> MLP:
        """The network of the run with the lowest train MSE, float64."""
        record = self.records[width]
        return record.model(record.best, torch.float64)

    def share_unfinished(self, *widths: int) -> float:
        """Percentage of the runs of these widths that the iteration limit ended."""
        stops = [stop for width in widths for stop in self.records[width].stop]
        return 100 * stops.count("iterations") / len(stops)

    def best_train(self, width: int) -> float:
        """Lowest train MSE of all runs."""
        record = self.records[width]
        return float(record.train_mse[record.best])

    def best_test(self, width: int) -> float:
        """Test MSE of the run with the lowest train MSE."""
        record = self.records[width]
        return float(record.test_mse[record.best])

    def median_test(self, width: int) -> float:
        """Median test MSE over all runs."""
        return float(self.records[width].test_mse.median())

    def floor(self, width: int) -> tuple[float, float]:
        """Expected train and test MSE σ²(1 ∓ p/N) of a well-specified model of p parameters.

        See Hastie, Tibshirani and Friedman 2009, section 7.4. NaN where the noise is not known.
        """
        variance = math.nan if self.data.noise_std is None else self.data.noise_std**2
        ratio = self.parameters(width) / len(self.data.X_train)
        return variance * (1 - ratio), variance * (1 + ratio)

    def table(self) -> Table:
        """Train and test MSE per width: of the run that fits the training data best, and the medians."""
        rows = []
        for width, record in self.records.items():
            medians = float(record.train_mse.median()), self.median_test(width)
            values = [self.best_train(width), self.best_test(width), *medians]
            counts = [str(width), str(self.parameters(width)), str(len(record))]
            rows.append([*counts, *(number(value, 5) for value in values)])
        header = ["Units", "Parameters", "Runs", "Best train", "its test", "Median train", "Median test"]
        return Table(header, rows, align="rrrrrrr", widths=(2, 3, 2, 3, 3, 4, 4))


def width_study(data: Dataset, widths: Sequence[int] = WIDTHS) -> WidthStudy:
    """Train every width from the plan's number of initial points."""
    return WidthStudy(data, train_widths(data, widths))


def train_widths(
    data: Dataset, widths: Sequence[int], phi: str = "sigmoid", init: str = "course"
) -> dict[int, Record]:
    """A record for each width, by BFGS from the plan's number of initial points."""
    trainings = [Training([m], PLAN.restarts(m), phi=phi, data=data, init=init) for m in widths]
    return dict(zip(widths, train_all(trainings), strict=True))


def linear_baseline(data: Dataset) -> Record:
    """The network without a hidden layer: the least-squares line."""
    return train_restarts([], 1, data=data)


def turning_points(model: MLP, data: Dataset, points: int = 2001) -> int:
    """How often the prediction changes between rising and falling within the range of the data."""
    x = torch.linspace(*data.x_range, points, dtype=torch.float64).unsqueeze(1)
    with torch.no_grad():
        return _changes_of_direction(model(x)[:, 0])


def swings(data: Dataset, bandwidth: float = 0.05, points: int = 401) -> int:
    """Monotone stretches of the training data, smoothed by local lines; `bandwidth` in units of their range.

    A local line rather than a local mean, so that the ends of the range do not bend (Hastie, Tibshirani and
    Friedman 2009, section 6.1).
    """
    low, high = data.x_range
    X, y = data.X_train.double(), data.y_train.double()
    x = torch.linspace(low, high, points, dtype=torch.float64)
    offsets = X[:, 0] - x[:, None]  # [G, N]
    root_weights = torch.exp(-((offsets / (bandwidth * (high - low))) ** 2) / 4)
    design = torch.stack([torch.ones_like(offsets), offsets], dim=2) * root_weights[:, :, None]  # [G, N, 2]
    lines = torch.linalg.lstsq(design, root_weights[:, :, None] * y, driver="gelsd").solution  # [G, 2, 1]
    return 1 + _changes_of_direction(lines[:, 0, 0])


def _changes_of_direction(values: Tensor) -> int:
    steps = values.diff()
    rising = steps[steps.abs() > 1e-9 * steps.abs().max()] > 0
    return int((rising[1:] != rising[:-1]).sum())


@dataclass(frozen=True)
class Spike:
    """Where a fit strays farthest from the straight line between two neighbouring training points."""

    left: float  # the training inputs on both sides
    right: float
    x: Tensor  # [G] from a few gaps left to a few gaps right of the spike
    prediction: Tensor  # [G]
    height: float  # largest distance from the straight line
    steepest: float  # largest |w| of a hidden unit
    test_mse: float
    smoothed_test_mse: (
        float  # of the prediction with straight lines between its values at the training points
    )


def find_spike(model: MLP, data: Dataset, points_per_gap: int = 400, gaps_shown: int = 3) -> Spike:
    """Search every gap between neighbouring training inputs on a fine grid."""
    knots = torch.unique(data.X_train[:, 0].double())  # [K] sorted
    fractions = torch.linspace(0, 1, points_per_gap, dtype=torch.float64)
    x = knots[:-1, None] + fractions * knots.diff()[:, None]  # [K−1, G]
    with torch.no_grad():
        prediction = model(x.reshape(-1, 1)).reshape(x.shape)
        at_knots = model(knots.unsqueeze(1))[:, 0]
        test = model(data.X_test.double())
    straight = at_knots[:-1, None] + fractions * at_knots.diff()[:, None]
    gap, _ = divmod(int((prediction - straight).abs().argmax()), points_per_gap)
    shown = slice(max(0, gap - gaps_shown), gap + gaps_shown + 1)
    y_test = data.y_test.double()
    return Spike(
        float(knots[gap]),
        float(knots[gap + 1]),
        x[shown].flatten(),
        prediction[shown].flatten(),
        float((prediction - straight).abs().max()),
        float(model.layers()[0][0].detach().abs().max()),
        float((test - y_test).square().mean()),
        float((_interpolate(knots, at_knots, data.X_test.double()) - y_test).square().mean()),
    )


def _interpolate(knots: Tensor, values: Tensor, x: Tensor) -> Tensor:
    """Piecewise linear interpolation, continued beyond the outermost knots; knots, values [K], x [N, 1]."""
    right = torch.searchsorted(knots, x).clamp(1, len(knots) - 1)
    left = right - 1
    fraction = (x - knots[left]) / (knots[right] - knots[left])
    return values[left] + fraction * (values[right] - values[left])
