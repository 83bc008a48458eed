"""Experiments of task 2e: other optimisers, other units, more layers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import median, share, training
from fnn.experiments.plan import PLAN
from fnn.experiments.task_2c import WidthStudy
from fnn.optimizers.objective import parameter_count
from fnn.prose.numbers import Share, number
from fnn.prose.tables import Table
from fnn.training import Record, Training, train_all

METHODS = {"lm": "Levenberg–Marquardt", "bfgs": "BFGS", "rprop": "Rprop", "adam": "Adam"}
# Hidden layers of about equal numbers of parameters, one, two and three deep.
ARCHITECTURES: tuple[tuple[int, ...], ...] = ((10,), (4, 4), (3, 3, 3))
NEAR_BEST = 1.01  # times the best train MSE: up to there a run has come near it
UNIT_NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "ReLU"}


@dataclass(frozen=True)
class MethodRun:
    """How one optimiser went about the runs of one architecture."""

    name: str
    record: Record
    evaluations: Tensor  # [T] of the train MSE with its gradient or Jacobian
    operations: Tensor  # [T] floating-point operations up to there, estimated

    def reached(self, loss: float) -> Tensor:
        """Percentage of the runs at or below a train MSE after so many evaluations, [T]."""
        return 100 * (self.record.trace <= loss).double().mean(dim=0)

    def evaluations_to(self, loss: float, percent: float) -> float:
        """Evaluations after which this part of the runs is at or below the train MSE; infinite if never."""
        reached = (self.reached(loss) >= percent).nonzero()
        return float(self.evaluations[reached[0, 0]]) if len(reached) else torch.inf

    def near(self, loss: float) -> Share:
        """The runs that end near this train MSE."""
        return share(self.record.train_mse <= NEAR_BEST * loss)


def poor_ends(runs: Sequence[MethodRun], best: float) -> Counter[tuple[str, str]]:
    """How many runs that did not come near the best train MSE ended for each reason: (method, stop)."""
    return Counter(
        (run.record.settings.method, stop)
        for run in runs
        for stop, loss in zip(run.record.stop, run.record.train_mse.tolist(), strict=True)
        if loss > NEAR_BEST * best
    )


def agreement(one: Record, other: Record) -> Share:
    """The runs from one initial point that end at one train MSE, to a relative accuracy of 10⁻³."""
    return share((one.train_mse - other.train_mse).abs() <= 1e-3 * other.train_mse)


def compare_methods(data: Dataset, width: int) -> list[MethodRun]:
    """Train [1, width, 1] by each optimiser from the same initial points on the same data."""
    records = train_all(
        [Training([width], PLAN.variants, method, data=data, limits=PLAN.limits) for method in METHODS]
    )
    runs = []
    for (method, name), record in zip(METHODS.items(), records, strict=True):
        evaluations = torch.tensor(record.trace_evaluations, dtype=torch.float64)
        operations = evaluations * operations_per_evaluation(method, width, len(data.X_train))
        runs.append(MethodRun(name, record, evaluations, operations))
    return runs


def operations_per_evaluation(method: str, width: int, examples: int) -> float:
    """Floating-point operations of one step with one evaluation, to leading order.

    With m units, P = 3m + 1 parameters and N examples: the forward pass takes about 8mN operations and the
    backward pass as many (section 3b of the report). BFGS adds about 6P² for its update and direction
    (Nocedal and Wright 2006, eq. 6.17), Levenberg–Marquardt 3mN for the Jacobian in place of the gradient,
    NP² for the normal equations and P³/3 for their Cholesky factor, first-order methods about 10P.
    """
    m, P, N = width, parameter_count([1, width, 1]), examples
    extra = {"bfgs": 6 * P**2, "lm": 3 * m * N + N * P**2 + P**3 / 3}
    return 16 * m * N + extra.get(method, 10 * P)


@dataclass(frozen=True)
class Variant:
    """Runs of one architecture with one kind of unit."""

    hidden_sizes: tuple[int, ...]
    unit: str
    record: Record

    @property
    def parameters(self) -> int:
        return parameter_count(self.record.settings.sizes)

    @property
    def depth(self) -> int:
        return len(self.hidden_sizes)

    @property
    def median_train(self) -> float:
        return median(self.record.train_mse)

    def dead_layers(self, data: Dataset) -> Tensor:
        """Which runs have a hidden layer whose ReLU units are all inactive on the training data, [R] bool."""
        models = [self.record.model(run, torch.float64) for run in range(len(self.record))]
        with torch.no_grad():
            hidden = [model.layer_outputs(data.X_train.double())[:-1] for model in models]
        return torch.tensor([any(bool((z == 0).all()) for z in layers) for layers in hidden])


def compare_architectures(data: Dataset) -> list[Variant]:
    """Train each of `ARCHITECTURES` with logistic, tanh and ReLU units by Levenberg–Marquardt.

    First-layer centres start uniform over the data, so that ReLU units have kinks where the data are.
    """
    variants = [(sizes, unit) for sizes in ARCHITECTURES for unit in UNIT_NAMES]
    records = train_all(
        [
            Training(sizes, PLAN.variants, "lm", unit, data=data, init="nguyen-widrow", limits=PLAN.limits)
            for sizes, unit in variants
        ]
    )
    return [Variant(*variant, record) for variant, record in zip(variants, records, strict=True)]


def architectures_table(variants: Sequence[Variant]) -> Table:
    """Train and test MSE of each architecture and unit: the run with the lowest train MSE, and medians."""
    rows = []
    for variant in variants:
        record = variant.record
        best = record.best
        losses = [
            float(record.train_mse[best]),
            float(record.test_mse[best]),
            median(record.train_mse),
            median(record.test_mse),
        ]
        layers = "–".join(map(str, variant.hidden_sizes))
        cells = [number(loss) for loss in losses]
        rows.append([layers, UNIT_NAMES[variant.unit], str(variant.parameters), *cells])
    header = ["Hidden layers", "Units", "Parameters", "Best train", "its test", "Median train", "Median test"]
    return Table(header, rows, align="llrrrrr", widths=(4, 3, 3, 3, 3, 4, 4))


RELU_WIDTHS = (1, 2, 3, 4, 10, 50, 100)
COURSE_WIDTHS = (2, 10)  # by the course's law too


@dataclass(frozen=True)
class ReluStudy:
    """ReLU networks of every width, from two laws of the initial kinks."""

    course: WidthStudy
    uniform: WidthStudy  # kinks uniform over the data


@dataclass(frozen=True)
class Idle:
    """Hidden ReLU units of all runs that bend nothing, in per cent of all hidden units."""

    dead: float  # inactive on all training data
    straight: float  # active on all training data


def relu_study(data: Dataset, widths: Sequence[int] = RELU_WIDTHS) -> ReluStudy:
    """Train [1, m, 1] with ReLU units for each width m from uniform kinks, for some by the course's law."""
    kinds = [("course", m) for m in COURSE_WIDTHS] + [("nguyen-widrow", m) for m in widths]
    records = iter(train_all([training(data, m, "relu", law) for law, m in kinds]))
    course = WidthStudy(data, {width: next(records) for width in COURSE_WIDTHS})
    return ReluStudy(course, WidthStudy(data, {width: next(records) for width in widths}))


def idle_units(study: WidthStudy, width: int) -> Idle:
    """Count the ReLU units whose kink lies off the training data at the end of training."""
    params, x = study[width].params, study.data.X_train.double()[:, 0]
    w, b = params[:, :width, None], params[:, width : 2 * width, None]
    active = w * x + b > 0  # [R, m, N]
    dead, straight = (~active.any(dim=2), active.all(dim=2))
    return Idle(100 * float(dead.double().mean()), 100 * float(straight.double().mean()))


def relu_table(relu: ReluStudy, logistic: WidthStudy) -> Table:
    """Losses of ReLU networks by width, beside the median of logistic ones from the same law."""
    rows = []
    for width in relu.uniform.records:
        median_logistic = str(number(logistic.median_test(width))) if width in logistic.records else "–"
        runs = str(len(relu.uniform[width]))
        rows.append([str(width), runs, *relu.uniform.losses(width), median_logistic])
    header = ["Units", "Runs", "Best train", "its test", "Median train", "Median test", "logistic"]
    return Table(header, rows, align="rrrrrrr", widths=(2, 2, 3, 3, 4, 4, 4))
