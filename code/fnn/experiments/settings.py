"""What determines the results, as a table."""

import platform

import scipy
import torch

from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.optimizers import PRESETS
from fnn.prose.tables import Table
from fnn.training import SEED


def settings_table(data: Dataset) -> Table:
    """Data, numbers of runs, stopping rule, seed, precision and versions."""
    limits = PRESETS["full"]
    runs = f"{PLAN.narrow} below 10 units, {PLAN.medium} from 10, {PLAN.wide} from 50, {PLAN.variants} in 2e"
    rows = [
        ["Data", f"{data.name}: {len(data.X_train)} training and {len(data.X_test)} test points"],
        ["Initial points per network", runs],
        [
            "Seed",
            f"{SEED}; run i draws its initial point from a generator seeded with a hash of seed, sizes and i",
        ],
        ["Largest partial derivative at convergence", f"{limits.gradient:g}"],
        [
            "No progress",
            f"loss falls by less than {limits.progress:g} of it in {limits.patience} evaluations",
        ],
        ["Iterations at most", f"{limits.iterations}; Levenberg–Marquardt {limits.least_squares_iterations}"],
        ["Precision of training", "64 bits"],
        [
            "Versions",
            f"Python {platform.python_version()}, PyTorch {torch.__version__}, SciPy {scipy.__version__}",
        ],
    ]
    return Table(["Setting", "Value"], rows, align="ll", widths=(2, 5))
