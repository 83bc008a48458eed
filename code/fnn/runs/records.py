"""What to train, and how it went: one record each, from the arguments to the result."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from fnn.data import Dataset, load_d1
from fnn.inputs import environment
from fnn.inputs.arguments import check_sizes, check_whole_number, require_known
from fnn.models import MLP
from fnn.optimizers import METHODS, PRESETS, STOPS, Limits, trace_grid, trace_limit
from fnn.optimizers.initial_points import LAWS
from fnn.optimizers.network import parameter_count
from fnn.runs import store
from fnn.runs.sources import dependencies
from fnn.units import UNITS, Unit

SEED = environment.seed()  # of every study that names no other
MATRIX_ENTRIES = 2**17  # of the P × P matrices in a batch, a megabyte: they stay in a core's cache
FEWEST_RUNS, MOST_RUNS = 10, 512  # in a batch: below, they hardly share the costs of a step; above, no better


@dataclass(frozen=True)
class Training:
    """What to train: networks of one architecture, from many initial points; checked when it is made.

    Raises:
        TypeError: if a field is of the wrong kind.
        ValueError: if it has a value that it cannot have. Both name the field and its value.
    """

    hidden_sizes: Sequence[int]  # widths of the hidden layers; none of them makes a linear model
    restarts: int  # the number R of runs; run i starts at the same point whatever R and the method are
    method: str = "bfgs"  # a key of METHODS: bfgs, lm, adam, rprop or scipy-bfgs
    phi: str = "sigmoid"  # the hidden units, a key of UNITS: sigmoid, tanh, relu or identity
    seed: int = SEED  # of the initial points
    data: Dataset = field(default_factory=load_d1, compare=False)
    init: str = "course"  # the law of the initial points, a key of LAWS: course or nguyen-widrow
    limits: Limits = PRESETS["full"]  # when a run ends
    shards: int | None = None  # in how many parts; by default as many as restarts and parameters suggest
    decay: float = 0.0  # λ: MSE + λ‖θ‖² is minimised; the record's losses are MSEs, without it
    options: Mapping[str, Any] = field(default_factory=dict)  # of the method, such as {"lr": 0.01}

    def __post_init__(self) -> None:
        check_sizes("hidden_sizes", self.hidden_sizes, at_least=0)
        check_whole_number("restarts", self.restarts, at_least=1)
        check_whole_number("seed", self.seed)
        for name, known in (("method", METHODS), ("phi", UNITS), ("init", LAWS)):
            require_known(name, getattr(self, name), known)
        for name, kind in (("data", Dataset), ("limits", Limits)):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name}={getattr(self, name)!r}: give a {kind.__name__}")
        if self.shards is not None:
            check_whole_number("shards", self.shards, at_least=1)
            if self.shards > self.restarts:
                raise ValueError(f"shards={self.shards}: must be at most the restarts, {self.restarts}")
        if not isinstance(self.decay, int | float):
            raise TypeError(f"decay={self.decay!r}: must be a number")
        without = [name for name, method in METHODS.items() if method.jacobians]
        if not 0 <= self.decay < math.inf or (self.decay and self.method in without):
            raise ValueError(f"decay={self.decay}: zero or positive, and zero for {', '.join(without)}")
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))
        object.__setattr__(self, "data", self.data.double())
        object.__setattr__(self, "options", METHODS[self.method].options(self.options))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The widths of all layers, input and output included."""
        return (self.data.X_train.shape[1], *self.hidden_sizes, self.data.y_train.shape[1])

    @property
    def unit(self) -> Unit:
        """The hidden units."""
        return UNITS[self.phi]

    @property
    def most(self) -> int:
        """The most runs in a batch: memory is bounded by them, and not by all runs."""
        return max(FEWEST_RUNS, min(MOST_RUNS, MATRIX_ENTRIES // parameter_count(self.sizes) ** 2))

    @property
    def ranges(self) -> list[range]:
        """The run indices of each shard, in order; of nearly the same number."""
        shards = self.shards or -(-self.restarts // self.most)
        bounds = [self.restarts * i // shards for i in range(shards + 1)]
        return [range(start, stop) for start, stop in pairwise(bounds)]

    @property
    def cost(self) -> float:
        """What a run costs next to those of other trainings, roughly."""
        return METHODS[self.method].cost * math.pow(parameter_count(self.sizes), 1.5)

    @property
    def key(self) -> dict[str, Any]:
        """All that determines a run but its index, for the model store; the name of the data does not."""
        names = ("method", "phi", "seed", "init", "decay", "options", "sizes")
        return {
            **{name: getattr(self, name) for name in names},
            "limits": vars(self.limits),
            "data": store.tensor_digest(*self.data.tensors()),
            "code": CODE[self.method, self.phi],
        }


@dataclass(frozen=True)
class Record:
    """How R training runs went. Losses are mean squared errors in double precision."""

    training: Training
    params: Tensor  # [R, P] float64, layer by layer, weight before bias
    train_mse: Tensor  # [R]
    test_mse: Tensor  # [R]
    gradient_norm: Tensor  # [R] max-norm of the gradient of what was minimised, at the end
    stop_codes: Tensor  # [R] indices into STOPS
    iterations: Tensor  # [R] accepted steps
    function_evaluations: Tensor  # [R]
    gradient_evaluations: Tensor  # [R]
    jacobian_evaluations: Tensor  # [R]
    trace: Tensor  # [R, T] what was minimised, after trace_evaluations[t] evaluations
    seconds: float = field(compare=False)  # the training took on one core; not reproducible

    def __len__(self) -> int:
        return len(self.params)

    @property
    def stop(self) -> tuple[str, ...]:
        """Why each run ended: a value of `optimizers.Stop`."""
        return tuple(STOPS[code].value for code in self.stop_codes.tolist())

    @property
    def trace_evaluations(self) -> list[int]:
        """The numbers of evaluations that the columns of `trace` stand for."""
        jacobians = METHODS[self.training.method].jacobians
        return trace_grid(trace_limit(self.training.limits, least_squares=jacobians))

    @cached_property
    def best(self) -> int:
        """The index of the run with the lowest train MSE; a run without one never is."""
        return int(self.train_mse.nan_to_num(torch.inf).argmin())

    @property
    def best_train(self) -> float:
        """The lowest train MSE."""
        return float(self.train_mse[self.best])

    @property
    def best_test(self) -> float:
        """The test MSE of the run with the lowest train MSE."""
        return float(self.test_mse[self.best])

    @property
    def median_train(self) -> float:
        """The median train MSE, halfway between the two middle ones."""
        return float(self.train_mse.quantile(0.5))

    @property
    def median_test(self) -> float:
        """The median test MSE, likewise."""
        return float(self.test_mse.quantile(0.5))

    def model(self, i: int, dtype: torch.dtype = torch.float32) -> MLP:
        """The network of run i, in the course's single precision unless asked otherwise."""
        mlp = MLP(self.training.sizes, self.training.phi).to(dtype)
        vector_to_parameters(self.params[i].to(dtype, copy=True), mlp.parameters())
        return mlp

    @property
    def best_model(self) -> MLP:
        """The network of the best run, in single precision."""
        return self.model(self.best)


def _code(method: str, phi: str) -> dict[str, str]:
    """The code that the results of this method and unit depend on, and what runs it."""
    of_method = dependencies(["fnn.runs.train_batch", METHODS[method].minimize.__module__])
    processor = f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}"
    return of_method | dependencies([Unit.__module__], row=phi) | {"processor": processor}


# As it is imported: the files may change while this process runs.
CODE = {(method, phi): _code(method, phi) for method in METHODS for phi in UNITS}
