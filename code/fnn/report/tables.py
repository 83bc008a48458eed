"""Tables as the documents show them: one function a table, which takes records and trains nothing."""

import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import scipy
import torch

from fnn import optimizers, training
from fnn.data import Dataset
from fnn.experiments.plan import LIMITS
from fnn.experiments.task_2b import Restarts
from fnn.experiments.task_2c import Widths, WidthStudy
from fnn.experiments.task_2e import GOOD, evaluations_to, near, poor_ends
from fnn.experiments.task_3 import BackpropExample
from fnn.optimizers import Stop
from fnn.optimizers.network import parameter_count
from fnn.report.claims import book
from fnn.report.numbers import decimals, number, series, thousands
from fnn.training import Record

ALIGNMENT = {"l": ":---", "r": "---:", "c": ":---:"}
UNITS = {"sigmoid": "logistic", "relu": "ReLU"}
METHOD_NAMES = {
    "lm": "Levenberg–Marquardt", "bfgs": "BFGS", "rprop": "Rprop", "adam": "Adam",
    "scipy-bfgs": "SciPy’s BFGS",
}  # fmt: skip
LAWS = {"course": "normal", "nguyen-widrow": "uniform"}
LOSSES = ["Best: train", "Best: test", "Median: train", "Median: test"]


@dataclass(frozen=True)
class Table:
    """Header and rows of cells, each cell Markdown text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str  # one of l, r, c per column
    widths: Sequence[int] = ()  # relative column widths; () lets every column take what it needs

    def __post_init__(self) -> None:
        columns = len(self.header)
        if len(self.align) != columns or any(len(row) != columns for row in self.rows):
            raise ValueError(
                f"every row and the alignment {self.align!r} must have {columns} columns as the header has"
            )

    def _repr_markdown_(self) -> str:
        rules = [ALIGNMENT[side] for side in self.align]
        if self.widths:  # Pandoc reads relative widths from the lengths of the dashes
            rules = [
                rule.replace("---", "-" * (10 * width))
                for rule, width in zip(rules, self.widths, strict=True)
            ]
        lines = chain([self.header, rules], self.rows)
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def minima(studies: Mapping[int, Restarts]) -> Table:
    """The most frequent minima of each width: losses, share of the runs, how they ended (task 2b)."""
    rows = [
        [
            str(width), decimals(minimum.train_mse, 6), decimals(minimum.test_mse, 6),
            decimals(study.share(minimum).percent, 1), minimum.ending.value,
        ]
        for width, study in studies.items()
        for minimum in study.frequent()
    ]  # fmt: skip
    return Table(
        ["Units", "Train MSE", "Test MSE", "Runs (%)", "Ending"], rows, align="rrrrl", widths=(2, 3, 3, 3, 4)
    )


def _losses(record: Record) -> list[str]:
    """The train and test MSE of the run that fits the training data best, and the medians."""
    losses = record.best_train, record.best_test, record.median_train, record.median_test
    return [number(loss) for loss in losses]


def widths(study: Widths) -> Table:
    """Losses by width, and medians of the test MSE for the two other ways to train (task 2c)."""
    rows = []
    for width, record in study.normal.records.items():
        others = [  # narrow networks end at so different losses that a median of few runs says nothing
            number(other[width].median_test) if width >= 10 else "–"
            for other in (study.uniform, study.decayed)
        ]
        rows.append([str(width), str(study.normal.parameters(width)), *_losses(record), *others])
    header = ["Units", "Parameters", *LOSSES, "Uniform: test", "Decay: test"]
    return Table(header, rows, align="rrrrrrrr", widths=(2, 4, 3, 3, 3, 3, 3, 3))


def methods(records: Mapping[str, Record], part: float = 0.25) -> Table:
    """How soon a part of the runs is good, how many come near the best, why the others ended (task 2e)."""
    rows = []
    best = min(record.best_train for record in records.values())
    for method, record in records.items():
        evaluations = evaluations_to(record, GOOD, part)
        good, poor = near(record, best), poor_ends(record, best)
        stopped = [poor[Stop.GRADIENT], poor[Stop.NO_PROGRESS] + poor[Stop.DIVERGED], poor[Stop.ITERATIONS]]
        soon = thousands(int(evaluations)) if math.isfinite(evaluations) else "never"
        rows.append([METHOD_NAMES.get(method, method), soon, str(good.count), *map(str, stopped)])
    header = ["Optimiser", "Evaluations", "Near the best", "Converged", "No progress", "Cut off"]
    return Table(header, rows, align="lrrrrr", widths=(5, 3, 3, 3, 3, 3))


def architectures(records: Iterable[Record]) -> Table:
    """Losses of each architecture and unit (task 2e)."""
    rows = []
    for record in records:
        sizes, unit = record.training.sizes, record.training.phi
        layers, parameters = "–".join(map(str, sizes[1:-1])), str(parameter_count(sizes))
        rows.append([layers, UNITS.get(unit, unit), parameters, *_losses(record)])
    header = ["Hidden layers", "Units", "Parameters", *LOSSES]
    return Table(header, rows, align="llrrrrr", widths=(4, 3, 3, 3, 3, 4, 4))


def relu(study: WidthStudy) -> Table:
    """Losses of ReLU networks by width (task 2e)."""
    rows = [[str(width), str(len(record)), *_losses(record)] for width, record in study.records.items()]
    return Table(["Units", "Runs", *LOSSES], rows, align="rrrrrr", widths=(2, 2, 3, 3, 3, 3))


# Symbol, formula, shape for Z hidden units, and the rule it comes from, in the order of computation.
BACKWARD_ROWS = {
    "l": ("l", "1", "", "start"),
    "y": (r"\mathbf{y}", r"2(\mathbf{y} - \hat{\mathbf{y}})\,\delta_l", "1", "loss"),
    "y_hat": (r"\hat{\mathbf{y}}", r"-2(\mathbf{y} - \hat{\mathbf{y}})\,\delta_l", "1", "loss"),
    "b2": (r"\mathbf{b}_2", r"\delta_{\hat{\mathbf{y}}}", "1", "addition"),
    "z4": (r"\mathbf{z}_4", r"\delta_{\hat{\mathbf{y}}}", "1", "addition"),
    "W2": (r"\mathbf{W}_2", r"\mathbf{z}_3\, \delta_{\mathbf{z}_4}^\top", r"{Z} \times 1", "product"),
    "z3": (r"\mathbf{z}_3", r"\mathbf{W}_2\, \delta_{\mathbf{z}_4}", "{Z}", "product"),
    "z2": (
        r"\mathbf{z}_2",
        r"\delta_{\mathbf{z}_3} \odot \mathbf{z}_3 \odot (\mathbf{1} - \mathbf{z}_3)",
        "{Z}",
        "logistic",
    ),
    "b1": (r"\mathbf{b}_1", r"\delta_{\mathbf{z}_2}", "{Z}", "addition"),
    "z1": (r"\mathbf{z}_1", r"\delta_{\mathbf{z}_2}", "{Z}", "addition"),
    "W1": (r"\mathbf{W}_1", r"\mathbf{x}\, \delta_{\mathbf{z}_1}^\top", r"1 \times {Z}", "product"),
    "x": (r"\mathbf{x}", r"\mathbf{W}_1\, \delta_{\mathbf{z}_1}", "1", "product"),
}


def backward(example: BackpropExample) -> Table:
    """All twelve derivatives: formula, shape, rule, value at the example, squared error (task 3b)."""
    rows = []
    for name, (symbol, formula, shape, rule) in BACKWARD_ROWS.items():
        delta = getattr(example.backward, name)
        size = shape.replace("{Z}", str(example.hidden_units))
        space = rf"$\mathbb{{R}}^{{{size}}}$" if size else r"$\mathbb{R}$"
        value = number(delta.norm() if delta.numel() > 1 else delta.sum(), 4)
        error = number(example.squared_errors[name], 2)
        rows.append([rf"$\delta_{{{symbol}}}$", f"${formula}$", space, rule, value, error])
    header = ["Quantity", "Formula", "Space", "Rule", "Value", "Error"]
    return Table(header, rows, align="llllrr", widths=(2, 5, 2, 3, 3, 3))


def settings(data: Dataset) -> Table:
    """Data, stopping rule, seed, precision and versions."""
    progress = f"falls by less than {number(LIMITS.progress, 1)} of itself in {LIMITS.patience} evaluations"
    most = f"{thousands(LIMITS.iterations)} iterations"
    steps = f"{METHOD_NAMES['lm']}: {thousands(LIMITS.least_squares_iterations)} trial steps"
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__}, SciPy {scipy.__version__}"
    rows = [
        ["Data", f"{data.name}: {len(data.X_train)} training and {len(data.X_test)} test points"],
        ["Seed", f"{training.SEED}; run $i$ has a generator seeded with initialisation, sizes, seed and $i$"],
        ["Converged", f"largest partial derivative at most {number(LIMITS.gradient, 1)}"],
        ["No progress", f"BFGS, {METHOD_NAMES['lm']}: no step lowers the loss, or it {progress}"],
        ["Cut off", f"after {most}; {steps}"],
        ["Precision", "64 bits"],
        ["Versions", versions],
        ["Processor", f"{platform.machine()}; from ten units on, where a run ends depends on its rounding"],
    ]
    return Table(["Setting", "Value"], rows, align="ll", widths=(2, 7))


def runs() -> Table:
    """What this build has trained so far: data, unit, optimiser, law, decay; layers with their runs."""
    groups: dict[tuple[str, ...], dict[tuple[int, ...], int]] = {}
    for record in training.trained:
        chosen = record.training
        kind = (
            chosen.data.name, UNITS.get(chosen.phi, chosen.phi), _optimiser(chosen),
            LAWS.get(chosen.init, chosen.init), number(chosen.decay, 1) if chosen.decay else "none",
        )  # fmt: skip
        layers, counts = chosen.sizes[1:-1], groups.setdefault(kind, {})
        counts[layers] = max(counts.get(layers, 0), len(record))
    decays: dict[tuple[str, ...], list[str]] = {}  # of the groups that differ in nothing else
    for (*kind_of_all, decay), counts in groups.items():
        named = {"–\N{WORD JOINER}".join(map(str, key)) or "none": counts[key] for key in sorted(counts)}
        networks = ", ".join(f"{layers}\N{NO-BREAK SPACE}({runs})" for layers, runs in named.items())
        decays.setdefault((*kind_of_all, networks), []).append(decay)
    rows = [[*kind, series(values), networks] for (*kind, networks), values in decays.items()]
    header = ["Data", "Units", "Optimiser", "Start", "λ", "Hidden layers (runs of each)"]
    return Table(header, rows, align="llllll", widths=(4, 3, 6, 3, 4, 10))


def _optimiser(chosen: training.Training) -> str:
    """The method, with the options that are not its usual ones."""
    usual = optimizers.METHODS[chosen.method].options({})
    own = [f"{name} {value}" for name, value in chosen.options.items() if value != usual[name]]
    name = METHOD_NAMES.get(chosen.method, chosen.method)
    return f"{name} ({', '.join(own)})" if own else name


def claims() -> Table:
    """Words and measured values of every claim that was checked so far."""
    rows = [
        [each.section, each.sentence + ("" if each.holds else " **(false)**"), each.values]
        for each in book.values()
    ]
    return Table(["Section", "Claim", "Measured"], rows, align="lll", widths=(1, 5, 5))
