"""The named experiments that the sections ask for: each takes the data and returns a record."""

import torch

from fnn.experiments.by_hand import (
    backprop_example,
    backward_table,
    check_network,
    close,
    compare_batched,
    logistic_probe,
)
from fnn.experiments.hidden import ablate, canonical_model
from fnn.experiments.limits import limit_study
from fnn.experiments.restarts import (
    check_against_scipy,
    initial_centres,
    minima_table,
    restart_studies,
    splitting_eigenvalues,
)
from fnn.experiments.settings import settings_table
from fnn.experiments.variants import (
    architectures_table,
    compare_architectures,
    compare_methods,
    relu_study,
)
from fnn.experiments.widths import find_spike, linear_baseline, swings, turning_points, width_study

__all__ = [
    "ablate",
    "architectures_table",
    "backprop_example",
    "backward_table",
    "canonical_model",
    "check_against_scipy",
    "check_network",
    "close",
    "compare_architectures",
    "compare_batched",
    "compare_methods",
    "find_spike",
    "initial_centres",
    "limit_study",
    "linear_baseline",
    "logistic_probe",
    "minima_table",
    "relu_study",
    "restart_studies",
    "settings_table",
    "splitting_eigenvalues",
    "swings",
    "turning_points",
    "width_study",
]

# The tensors of the experiments are small: threads would cost twenty times what they save.
torch.set_num_threads(1)
