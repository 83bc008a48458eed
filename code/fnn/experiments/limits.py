"""Experiments of task 2b on the best network with two units, which no run reaches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.restarts import Restarts
from fnn.limit_models import LimitModel, limit_models

NEAR = 0.01  # relative excess loss up to which a run counts as under way to the limit


@dataclass(frozen=True)
class LimitStudy:
    """The limit model of two merged units, and the runs on their way to it."""

    limit: LimitModel
    V: Tensor  # [R'] half the difference of the two output weights, of the runs near the limit
    excess: Tensor  # [R'] observed L − L*
    runs: int  # all runs of the study

    @property
    def share(self) -> float:
        """Percentage of all runs that are on their way to the limit."""
        return 100 * len(self.V) / self.runs

    @property
    def deviation(self) -> float:
        """Largest relative deviation of an excess from its prediction k/(4V²)."""
        predicted = self.limit.excess(self.V)
        return float(((self.excess - predicted) / predicted).abs().max())


def limit_study(data: Dataset, study: Restarts) -> LimitStudy:
    """Compare the runs of [1, 2, 1] with the lowest limit model, which is computed without them."""
    limit = limit_models(data)[0]
    W1, v = study.record.params[:, :2], study.record.params[:, 4:6]
    v = torch.where(W1 < 0, -v, v)  # as if every unit had w > 0
    excess = study.record.train_mse - limit.loss
    near = (excess / limit.loss).abs() < NEAR
    return LimitStudy(limit, ((v[:, 0] - v[:, 1]) / 2).abs()[near], excess[near], len(study.record))


def initial_centre_probability(low: float, high: float) -> float:
    """The chance that a unit drawn by the course's law for one input has its centre −b/w in [low, high].

    Both w and b are standard normal, so that the centre follows the standard Cauchy distribution.
    """
    return (math.atan(high) - math.atan(low)) / math.pi
