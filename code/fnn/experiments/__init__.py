"""The experiments that the sections ask for, a file a task: each takes the data and returns a record."""

from fnn.experiments.plan import PLAN
from fnn.experiments.settings import runs_table, settings_table
from fnn.experiments.task_1 import HandedOut, check_network, close, compare_batched, logistic_probe
from fnn.experiments.task_2a import bends, conjecture, swings, turning_points
from fnn.experiments.task_2b import (
    centred,
    check_against_scipy,
    initial_centres,
    limit_study,
    minima_table,
    restart_studies,
    splitting_eigenvalues,
)
from fnn.experiments.task_2c import (
    find_spike,
    interpolating_width,
    straight_lines,
    width_study,
    worst_point,
    worst_run,
)
from fnn.experiments.task_2d import (
    ablate,
    attained_models,
    best_and_median,
    canonical_model,
    hard_steps,
    separation,
)
from fnn.experiments.task_2e import (
    agreement,
    architectures_table,
    compare_architectures,
    compare_methods,
    idle_units,
    poor_ends,
    relu_study,
    relu_table,
)
from fnn.experiments.task_3 import backprop_example, backward_table
from fnn.landscape.functions import SMALL_GRADIENT
from fnn.landscape.minima import APPROACHING_LOSS, SAME_LOSS
from fnn.optimizers import PRESETS

__all__ = [
    "APPROACHING_LOSS",
    "LIMITS",
    "PLAN",
    "SAME_LOSS",
    "SMALL_GRADIENT",
    "HandedOut",
    "ablate",
    "agreement",
    "architectures_table",
    "attained_models",
    "backprop_example",
    "backward_table",
    "bends",
    "best_and_median",
    "canonical_model",
    "centred",
    "check_against_scipy",
    "check_network",
    "close",
    "compare_architectures",
    "compare_batched",
    "compare_methods",
    "conjecture",
    "find_spike",
    "hard_steps",
    "idle_units",
    "initial_centres",
    "interpolating_width",
    "limit_study",
    "logistic_probe",
    "minima_table",
    "poor_ends",
    "relu_study",
    "relu_table",
    "restart_studies",
    "runs_table",
    "separation",
    "settings_table",
    "splitting_eigenvalues",
    "straight_lines",
    "swings",
    "turning_points",
    "width_study",
    "worst_point",
    "worst_run",
]

LIMITS = PRESETS[PLAN.limits]  # when a training of the report ends
