"""Experiments of task 2e: other optimisers, other units, more layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.experiments.widths import WIDTHS, WidthStudy, train_widths
from fnn.optimizers.objective import parameter_count
from fnn.prose.tables import Table, number
from fnn.training import Record, Training, train_all

METHODS = {"lm": "Levenberg–Marquardt", "bfgs": "BFGS", "rprop": "Rprop", "adam": "Adam"}
# Hidden layers of about equal numbers of parameters, one, two and three deep.
ARCHITECTURES: tuple[tuple[int, ...], ...] = ((10,), (4, 4), (3, 3, 3))
UNIT_NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "ReLU"}


@dataclass(frozen=True)
class MethodRun:
    """How one optimiser went about the runs of one architecture."""

    name: str
    record: Record
    evaluations: Tensor  # [T] of the train MSE with its gradient or Jacobian
    operations: Tensor  # [T] floating-point operations up to there, estimated

    def median(self) -> Tensor:
        """Median train MSE over the runs, [T]."""
        return self.record.trace.median(dim=0).values

    def evaluations_to(self, loss: float, share: float) -> float:
        """Evaluations after which this share of the runs is at or below the train MSE; infinite if never."""
        reached = ((self.record.trace <= loss).double().mean(dim=0) >= share).nonzero()
        return float(self.evaluations[reached[0, 0]]) if len(reached) else torch.inf

    def share_near(self, loss: float) -> float:
        """Percentage of the runs that end within 1 % of this train MSE."""
        return 100 * float((self.record.train_mse <= 1.01 * loss).double().mean())


def compare_methods(data: Dataset, width: int) -> list[MethodRun]:
    """Train [1, width, 1] by each optimiser from the same initial points on the same data."""
    records = train_all([Training([width], PLAN.variants, method, data=data) for method in METHODS])
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
        return float(self.record.train_mse.median())


def compare_architectures(data: Dataset) -> list[Variant]:
    """Train each of `ARCHITECTURES` with logistic, tanh and ReLU units by Levenberg–Marquardt.

    First-layer centres start uniform over the data, so that ReLU units have kinks where the data are.
    """
    variants = [(sizes, unit) for sizes in ARCHITECTURES for unit in UNIT_NAMES]
    records = train_all(
        [
            Training(sizes, PLAN.variants, "lm", unit, data=data, init="nguyen-widrow")
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
            record.train_mse[best],
            record.test_mse[best],
            record.train_mse.median(),
            record.test_mse.median(),
        ]
        layers = "–".join(map(str, variant.hidden_sizes))
        cells = [number(loss, 4) for loss in losses]
        rows.append([layers, UNIT_NAMES[variant.unit], str(variant.parameters), *cells])
    header = ["Hidden layers", "Units", "Parameters", "Best train", "its test", "Median train", "Median test"]
    return Table(header, rows, align="llrrrrr", widths=(4, 3, 3, 3, 3, 4, 4))


@dataclass(frozen=True)
class ReluStudy:
    """ReLU networks of every width, and the effect of the initial kinks on one width."""

    widths: WidthStudy  # centres start uniform over the data
    course: Record  # the same network as `uniform`, from the course's initial law
    uniform: Record


def relu_study(data: Dataset, widths: Sequence[int] = WIDTHS, width: int = 10) -> ReluStudy:
    """Train [1, m, 1] with ReLU units for each width m, and for one width from the course's law too."""
    records = train_widths(data, widths, phi="relu", init="nguyen-widrow")
    course = train_widths(data, [width], phi="relu")[width]
    return ReluStudy(WidthStudy(data, records), course, records[width])
