"""Experiments of task 2e: other optimisers, other units, more layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.experiments.widths import WIDTHS, WidthStudy
from fnn.objective import parameter_count
from fnn.tables import Table, number
from fnn.training import Record, train_restarts

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


def compare_methods(data: Dataset, width: int) -> list[MethodRun]:
    """Train [1, width, 1] by each optimiser from the same initial points on the same data."""
    runs = []
    for method, name in METHODS.items():
        record = train_restarts([width], PLAN.variants, method=method, data=data)
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


def methods_table(runs: Sequence[MethodRun], close: float = 0.01) -> Table:
    """Per optimiser: best and median train MSE, share of runs within 1 % of the best of all, cost."""
    best = min(float(run.record.train_mse.min()) for run in runs)
    rows = []
    for run in runs:
        losses = run.record.train_mse
        share = 100 * float((losses <= (1 + close) * best).double().mean())
        counts = run.record.function_evaluations.double()
        cells = [
            number(losses.min(), 6),
            number(losses.median(), 6),
            number(share, 0),
            number(counts.median(), 0),
        ]
        rows.append([run.name, *cells])
    return Table(["Optimiser", "Best", "Median", "Near the best (%)", "Evaluations"], rows, align="lrrrr")


@dataclass(frozen=True)
class Variant:
    """Runs of one architecture with one kind of unit."""

    hidden_sizes: tuple[int, ...]
    unit: str
    record: Record

    @property
    def parameters(self) -> int:
        return parameter_count(self.record.settings.sizes)


def compare_architectures(data: Dataset) -> list[Variant]:
    """Train each of `ARCHITECTURES` with logistic, tanh and ReLU units by BFGS."""
    return [
        Variant(sizes, unit, train_restarts(sizes, PLAN.variants, phi=unit, data=data))
        for sizes in ARCHITECTURES
        for unit in UNIT_NAMES
    ]


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
    return Table(header, rows, align="llrrrrr")


def relu_width_study(data: Dataset, widths: Sequence[int] = WIDTHS) -> WidthStudy:
    """The width study of task 2c with ReLU units."""
    records = {
        width: train_restarts([width], PLAN.restarts(width), phi="relu", data=data) for width in widths
    }
    return WidthStudy(data, records)
