"""Experiments of task 2e: other optimisers, other units, more layers."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fnn.data import Dataset
from fnn.experiments.common import Share, bfgs_training, share
from fnn.experiments.plan import LIMITS, PLAN
from fnn.experiments.task_2c import WidthStudy
from fnn.training import Record, Training, train_all

COMPARED = ("lm", "bfgs", "rprop", "adam")
# Hidden layers one, two and three deep: the first three with about as many parameters, the last with as many
# units a layer.
ARCHITECTURES: tuple[tuple[int, ...], ...] = ((10,), (4, 4), (3, 3, 3), (4,), (4, 4, 4))
UNITS = ("sigmoid", "tanh", "relu")
RELU_WIDTHS = (1, 2, 3, 4, 10, 50, 100)
NORMAL_WIDTHS = (2, 10)  # by the normal law too
LOGISTIC_WIDTHS = (10, 50, 100)  # with logistic units too
GOOD = 0.01  # train MSE that an optimiser is timed to
NEAR_BEST = 1.01  # times the best train MSE: up to there a run has come near it


def evaluations_to(record: Record, loss: float, part: float) -> float:
    """Evaluations after which this part of the runs is at or below the train MSE; infinite if never."""
    reached = (record.trace <= loss).double().mean(dim=0) >= part  # [T]
    places = reached.nonzero()
    return float(record.trace_evaluations[int(places[0, 0])]) if len(places) else math.inf


def near(record: Record, loss: float) -> Share:
    """The runs that end near this train MSE."""
    return share(record.train_mse <= NEAR_BEST * loss)


def poor_ends(record: Record, loss: float) -> Counter[str]:
    """Why the runs that do not end near this train MSE stopped."""
    poor = (record.train_mse > NEAR_BEST * loss).tolist()
    return Counter(stop for stop, chosen in zip(record.stop, poor, strict=True) if chosen)


def compare_methods(data: Dataset, width: int) -> dict[str, Record]:
    """Train [1, width, 1] by each optimiser from the same initial points on the same data."""
    records = train_all(
        [Training([width], PLAN.variants, method, data=data, limits=LIMITS) for method in COMPARED]
    )
    return dict(zip(COMPARED, records, strict=True))


def compare_architectures(data: Dataset) -> dict[tuple[tuple[int, ...], str], Record]:
    """Train each of `ARCHITECTURES` with logistic, tanh and ReLU units by Levenberg–Marquardt.

    First-layer centres start uniform over the data, so that ReLU units have kinks where the data are.
    """
    variants = [(sizes, unit) for sizes in ARCHITECTURES for unit in UNITS]
    records = train_all(
        [
            Training(sizes, PLAN.variants, "lm", unit, data=data, init="nguyen-widrow", limits=LIMITS)
            for sizes, unit in variants
        ]
    )
    return dict(zip(variants, records, strict=True))


@dataclass(frozen=True)
class ReluStudy:
    """ReLU networks of every width, from two laws of the initial kinks, and logistic ones beside them."""

    normal: WidthStudy
    uniform: WidthStudy  # kinks uniform over the data
    logistic: WidthStudy  # centres uniform over the data


def relu_study(data: Dataset, widths: Sequence[int] = RELU_WIDTHS) -> ReluStudy:
    """Train [1, m, 1] with ReLU units for each width m from uniform kinks, for some by the normal law."""
    kinds = [("course", m) for m in NORMAL_WIDTHS] + [("nguyen-widrow", m) for m in widths]
    logistic = [bfgs_training(data, m, init="nguyen-widrow", runs=PLAN.contrast) for m in LOGISTIC_WIDTHS]
    records = iter(train_all([bfgs_training(data, m, "relu", law) for law, m in kinds] + logistic))
    normal = WidthStudy(data, {width: next(records) for width in NORMAL_WIDTHS})
    uniform = WidthStudy(data, {width: next(records) for width in widths})
    beside = WidthStudy(data, {width: next(records) for width in LOGISTIC_WIDTHS})
    return ReluStudy(normal, uniform, beside)


def idle_units(study: WidthStudy, width: int) -> float:
    """Hidden ReLU units that are on, or off, on all training data, in per cent: they bend nothing."""
    params, x = study[width].params, study.data.X_train.double()[:, 0]
    w, b = params[:, :width, None], params[:, width : 2 * width, None]
    active = w * x + b > 0  # [R, m, N]
    return 100 * float((active.all(dim=2) | ~active.any(dim=2)).double().mean())
