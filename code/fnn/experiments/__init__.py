"""The named experiments that the sections ask for: each takes the data and returns a record."""

from fnn.experiments.by_hand import (
    backprop_example,
    backward_table,
    check_network,
    close,
    compare_batched,
    logistic_probe,
)
from fnn.experiments.hidden import ablate
from fnn.experiments.restarts import minima_table, restart_study
from fnn.experiments.variants import (
    architectures_table,
    compare_architectures,
    compare_methods,
    methods_table,
    relu_width_study,
)
from fnn.experiments.widths import find_spike, linear_baseline, turning_points, width_study

__all__ = [
    "ablate",
    "architectures_table",
    "backprop_example",
    "backward_table",
    "check_network",
    "close",
    "compare_architectures",
    "compare_batched",
    "compare_methods",
    "find_spike",
    "linear_baseline",
    "logistic_probe",
    "methods_table",
    "minima_table",
    "relu_width_study",
    "restart_study",
    "turning_points",
    "width_study",
]
