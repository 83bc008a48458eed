"""What determines the results, as tables: the runs of every study, and the rules that all share."""

import platform
from collections.abc import Sequence

import scipy
import torch

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.experiments.task_2c import DECAYS, WIDTHS
from fnn.experiments.task_2e import ARCHITECTURES, COURSE_WIDTHS, METHODS, RELU_WIDTHS, UNIT_NAMES
from fnn.optimizers import PRESETS
from fnn.prose.numbers import number, series, thousands
from fnn.prose.tables import Table
from fnn.training import SEED

LAW, UNIFORM = "course", "uniform"


def settings_table(data: Dataset) -> Table:
    """Data, stopping rule, seed, precision and versions."""
    limits = PRESETS[PLAN.limits]
    progress = (
        f"the loss falls by less than {number(limits.progress, 1)} of itself in {limits.patience} evaluations"
    )
    most = thousands(limits.iterations)
    rows = [
        ["Data", f"{data.name}: {len(data.X_train)} training and {len(data.X_test)} test points"],
        [
            "Seed",
            f"{SEED}; run $i$ draws its initial point from a generator seeded with law, sizes, seed and $i$",
        ],
        ["Converged", f"largest partial derivative at most {number(limits.gradient, 1)}"],
        ["No progress", f"no step lowers the loss, or {progress}"],
        [
            "Limit",
            f"{most} iterations; {METHODS['lm']}: {thousands(limits.least_squares_iterations)} trial steps",
        ],
        ["Precision", "64 bits"],
        [
            "Versions",
            f"Python {platform.python_version()}, PyTorch {torch.__version__}, SciPy {scipy.__version__}",
        ],
        ["Processor", f"{platform.machine()}; digits of late training depend on it"],
    ]
    return Table(["Setting", "Value"], rows, align="ll", widths=(2, 7))


def runs_table(scipy_runs: int) -> Table:
    """Networks, optimiser, initial law and number of runs of every study."""
    every, architectures = _each(WIDTHS), ", ".join("–".join(map(str, sizes)) for sizes in ARCHITECTURES)
    plan = [PLAN.restarts(m) for m in WIDTHS]
    rows = [
        ["2a–2d", f"logistic, {every} units", "BFGS", LAW, _each(plan)],
        ["2b", "logistic, 1 unit", "BFGS", UNIFORM, str(PLAN.narrow)],
        ["2b", "logistic, 1 unit, input centred", "BFGS", LAW, str(PLAN.narrow)],
        ["2b", "logistic, 2 units", "SciPy's BFGS", LAW, str(scipy_runs)],
        ["2c, 2e", f"logistic, {every} units", "BFGS", UNIFORM, str(PLAN.contrast)],
        ["2c", f"logistic, {every} units, weight decay", "BFGS", LAW, str(PLAN.contrast)],
        [
            "2c",
            f"logistic, 10 units, weight decays {_each([number(d, 1) for d in DECAYS])}",
            "BFGS",
            LAW,
            str(PLAN.contrast),
        ],
        ["2e", "logistic, 3 units", ", ".join(METHODS.values()), LAW, str(PLAN.variants)],
        [
            "2e",
            f"{', '.join(UNIT_NAMES.values())}, {architectures}",
            METHODS["lm"],
            UNIFORM,
            str(PLAN.variants),
        ],
        [
            "2e",
            f"ReLU, {_each(RELU_WIDTHS)} units",
            "BFGS",
            UNIFORM,
            _each([PLAN.restarts(m) for m in RELU_WIDTHS]),
        ],
        [
            "2e",
            f"ReLU, {_each(COURSE_WIDTHS)} units",
            "BFGS",
            LAW,
            _each([PLAN.restarts(m) for m in COURSE_WIDTHS]),
        ],
        ["3", "logistic, 50 units", METHODS["lm"], LAW, "1"],
    ]
    return Table(
        ["Task", "Networks", "Optimiser", "Initial law", "Runs each"],
        rows,
        align="lllll",
        widths=(2, 8, 5, 2, 6),
    )


def _each(values: Sequence[object]) -> str:
    return series([str(value) for value in values])
