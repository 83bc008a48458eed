"""Experiments of task 2b on the best network with two units, which no run reaches."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.experiments.restarts import Restarts
from fnn.landscape.limit_models import LimitModel, limit_models
from fnn.optimizers import Limits
from fnn.training import Record, Training, train_all

NEAR = 0.01  # relative excess loss up to which a run counts as under way to the limit
# What a study of data without a limit compares with: every comparison with it is false.
_NAN = math.nan
NO_LIMIT = LimitModel(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN, (), _NAN, (_NAN,), "sigmoid")
EARLY_STOPS = (1e-3, 1e-4, 1e-5)  # gradients at which further runs are stopped, to see them under way


@dataclass(frozen=True)
class LimitStudy:
    """The limit model of two merged units, and the runs on their way to it."""

    limit: LimitModel
    V: Tensor  # [R'] half the difference of the two output weights, of the runs near the limit
    excess: Tensor  # [R'] observed L − L*
    early_V: Tensor  # [R''] the same for runs stopped early
    early_excess: Tensor  # [R'']
    runs: int  # all runs of the study

    @property
    def share(self) -> float:
        """Percentage of all runs that are on their way to the limit."""
        return 100 * len(self.V) / self.runs

    @property
    def deviation(self) -> float:
        """Largest relative deviation of an excess from its prediction k/(4V²); NaN without runs."""
        predicted = self.limit.excess(self.V)
        deviations = ((self.excess - predicted) / predicted).abs()
        return float(deviations.max()) if len(deviations) else math.nan


def limit_study(data: Dataset, study: Restarts) -> LimitStudy:
    """Compare the runs of [1, 2, 1] with the lowest limit model, which is computed without them."""
    limit = next(iter(limit_models(data)), NO_LIMIT)
    stopped = train_all(
        [
            Training([2], PLAN.variants, data=data, limits=Limits(gradient=gradient))
            for gradient in EARLY_STOPS
        ]
    )
    early = [_under_way(limit, record) for record in stopped]
    early_V, early_excess = (torch.cat(parts) for parts in zip(*early, strict=True))
    return LimitStudy(limit, *_under_way(limit, study.record), early_V, early_excess, len(study.record))


def _under_way(limit: LimitModel, record: Record) -> tuple[Tensor, Tensor]:
    """V and excess loss of the runs of [1, 2, 1] near the limit."""
    w, v = record.params[:, :2], record.params[:, 4:6]
    v = torch.where(w < 0, -v, v)  # as if every unit had w > 0
    excess = record.train_mse - limit.loss
    near = (excess / limit.loss).abs() < NEAR
    return ((v[:, 0] - v[:, 1]) / 2).abs()[near], excess[near]
