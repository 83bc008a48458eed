"""Training: many networks of one architecture from many initial points, and the record of how it went."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import Any

import scipy
import torch
from torch import Tensor

from fnn.data import Dataset, load_d1
from fnn.models import MLP
from fnn.optimizers import (
    AUTOGRAD,
    LEAST_SQUARES,
    METHODS,
    PRESETS,
    STOPS,
    Limits,
    Result,
    trace_grid,
    trace_limit,
)
from fnn.optimizers.initial_points import LAWS, initial_points
from fnn.optimizers.objective import AutogradMeanSquaredError, MeanSquaredError, parameter_count, unpack
from fnn.runs import store
from fnn.runs.allocator import keep_freed_memory
from fnn.runs.sharding import Job, automatic_shards, compute_shards, split
from fnn.units import UNITS, find_unit

SEED = int(os.environ.get("SEED", "24"))  # of every study that names no other
# Seconds of a run next to those of BFGS, where they differ much; for the order and the estimate of time left.
METHOD_COST = {"lm": 0.3, "adam": 5.0, "rprop": 5.0, "scipy-bfgs": 20.0, "torch-lbfgs": 1000.0}
SOURCES = store.sources(__name__)  # as they are imported: the files may change while this process runs


@dataclass(frozen=True)
class Settings:
    """Everything but the data that determines a training run."""

    sizes: tuple[int, ...]  # widths of all layers, input and output included
    unit: str  # of the hidden layers, a key of UNITS
    method: str  # a key of METHODS
    seed: int
    init: str  # a key of LAWS
    limits: Limits
    device: str  # where the tensors live: "cpu", "cuda", …
    decay: float = 0.0  # λ of the weight decay λ‖θ‖² that is added to the train MSE


@dataclass(frozen=True)
class Record:
    """How R training runs went. Losses are mean squared errors in double precision."""

    settings: Settings
    params: Tensor  # [R, P] float64, layer by layer, weight before bias
    train_mse: Tensor  # [R]
    test_mse: Tensor  # [R]
    gradient_norm: Tensor  # [R] max-norm of the gradient of the train MSE at the end
    stop_codes: Tensor  # [R] indices into STOPS
    iterations: Tensor  # [R] accepted steps
    function_evaluations: Tensor  # [R]
    gradient_evaluations: Tensor  # [R]
    jacobian_evaluations: Tensor  # [R]
    trace: Tensor  # [R, T] train MSE after trace_evaluations[t] evaluations
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
        least_squares = self.settings.method in LEAST_SQUARES
        return trace_grid(trace_limit(self.settings.limits, least_squares=least_squares))

    @cached_property
    def best(self) -> int:
        """The index of the run with the lowest train MSE; a run without one never is."""
        return int(self.train_mse.nan_to_num(torch.inf).argmin())

    def model(self, i: int, dtype: torch.dtype = torch.float32) -> MLP:
        """The network of run i, in the course's single precision unless asked otherwise."""
        mlp = MLP(self.settings.sizes, UNITS[self.settings.unit].phi).to(dtype)
        with torch.no_grad():
            for (W, b), (W_i, b_i) in zip(
                mlp.layers(), unpack(self.params[[i]], self.settings.sizes), strict=True
            ):
                W.copy_(W_i[0])
                b.copy_(b_i[0, :, 0])
        return mlp

    @property
    def best_model(self) -> MLP:
        """The network of the best run, in single precision."""
        return self.model(self.best)


def train1(
    hidden_sizes: Sequence[int],
    nreps: int = 10,
    phi: str | Callable[[Tensor], Tensor] = torch.sigmoid,
    method: str = "bfgs",
    seed: int = SEED,
) -> MLP:
    """The best, by train MSE, of `nreps` networks [1, *hidden_sizes, 1] trained on D1; arguments as below."""
    return train_restarts(hidden_sizes, nreps, method, phi, seed).best_model


def train_restarts(
    hidden_sizes: Sequence[int],
    restarts: int,
    method: str = "bfgs",
    phi: str | Callable[[Tensor], Tensor] = torch.sigmoid,
    seed: int = SEED,
    data: Dataset | None = None,
    init: str = "course",
    limits: Limits | str = "full",
    device: str = "cpu",
    shards: int | None = None,
    decay: float = 0.0,
) -> Record:
    """Train networks from `restarts` initial points on all training data at once, or read how that went.

    Runs are trained and kept in the model store shard by shard, see `fnn.runs.sharding`; what determines the
    record is part of the key.

    Args:
        hidden_sizes: widths of the hidden layers; none of them makes a linear model.
        restarts: the number R of runs. Run i starts at the same point whatever R and the method are.
        method: a key of `METHODS`.
        phi: the hidden units, a key of `UNITS` or its function.
        seed: of the initial points.
        data: D1 unless given.
        init: the law of the initial points, a key of `LAWS`.
        limits: when to stop, or the name of a preset.
        device: where to compute.
        shards: in how many parts; by default as many as the restarts and the parameters suggest.
        decay: λ of the weight decay: MSE + λ‖θ‖² is minimised. The record's losses are MSEs, without it.

    Raises:
        ValueError: on an argument that is not one of these, by name.
    """
    training = Training(hidden_sizes, restarts, method, phi, seed, data, init, limits, device, shards, decay)
    return train_all([training])[0]


@dataclass(frozen=True)
class Training:
    """One call of `train_restarts`, by its arguments, which are described there."""

    hidden_sizes: Sequence[int]
    restarts: int
    method: str = "bfgs"
    phi: str | Callable[[Tensor], Tensor] = torch.sigmoid
    seed: int = SEED
    data: Dataset | None = None
    init: str = "course"
    limits: Limits | str = "full"
    device: str = "cpu"
    shards: int | None = None
    decay: float = 0.0


def train_all(trainings: Sequence[Training]) -> list[Record]:
    """The records of several trainings, whose shards are trained side by side.

    Raises:
        ValueError: as `train_restarts` does, before anything is trained.
    """
    prepared = [_prepare(training) for training in trainings]
    parallel = all(settings.device == "cpu" for settings, _ in prepared)
    computed = compute_shards(
        [job for _, job in prepared], _task([settings for settings, _ in prepared]), parallel=parallel
    )
    records = []
    for (settings, _), (parts, seconds) in zip(prepared, computed, strict=True):
        tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        records.append(Record(settings, **tensors, seconds=seconds))
    return records


def _prepare(training: Training) -> tuple[Settings, Job]:
    """Settings, checked, and the work to do."""
    data = training.data or load_d1()
    settings = make_settings(
        training.hidden_sizes, training.method, training.phi, training.seed,
        data, training.init, training.limits, training.device, training.decay,
    )  # fmt: skip
    if training.restarts < 1:
        raise ValueError(f"restarts={training.restarts}: at least one is needed")
    parameters, shards = parameter_count(settings.sizes), training.shards
    if shards is None:
        shards = automatic_shards(training.restarts, parameters, settings.device)
    job = Job(
        partial(run_shard, settings, data),
        split(training.restarts, shards),
        record_key(settings, data),
        cost=METHOD_COST.get(settings.method, 1.0) * parameters**1.5,
    )
    return settings, job


def _task(settings: Sequence[Settings]) -> str:
    """What the progress of these trainings is called."""
    if len(settings) > 1:
        return f"{len(settings)} kinds of network, runs"
    return f"{settings[0].method}, layers of {', '.join(map(str, settings[0].sizes))}"


def record_key(settings: Settings, data: Dataset) -> dict[str, Any]:
    """Everything that determines a record, apart from the run indices, as the model store wants it.

    The name of the data is not among it: it changes nothing.
    """
    return {
        "settings": asdict(settings),
        "data": store.tensor_digest(data.X_train, data.y_train, data.X_test, data.y_test),
        "sources": SOURCES,
        "dtype": str(torch.float64),
        "torch": torch.__version__,
        "scipy": scipy.__version__,
    }


def make_settings(
    hidden_sizes: Sequence[int],
    method: str,
    phi: str | Callable[[Tensor], Tensor],
    seed: int,
    data: Dataset,
    init: str,
    limits: Limits | str,
    device: str,
    decay: float = 0.0,
) -> Settings:
    """The settings that `train_restarts` describes, checked."""
    if any(not isinstance(size, int) or isinstance(size, bool) or size < 1 for size in hidden_sizes):
        raise ValueError(f"hidden_sizes={list(hidden_sizes)}: must be positive whole numbers")
    _require_known("method", method, METHODS)
    _require_known("init", init, LAWS)
    without = (*LEAST_SQUARES, *AUTOGRAD)
    if not 0 <= decay < math.inf or (decay and method in without):
        raise ValueError(f"decay={decay}: zero or positive, and zero for {', '.join(without)}")
    if isinstance(limits, str):
        _require_known("limits", limits, PRESETS)
        limits = PRESETS[limits]
    sizes = (data.X_train.shape[1], *hidden_sizes, data.y_train.shape[1])
    return Settings(sizes, find_unit(phi).name, method, seed, init, limits, device, decay)


def run_shard(settings: Settings, data: Dataset, indices: Sequence[int]) -> dict[str, Tensor]:
    """Train the runs `indices` as one batch: the fields of a `Record`, on the CPU, in that order.

    Pure: a run's result depends on the settings, the data and its index alone, bit for bit, whichever runs
    share its batch, in whatever order and number, on one kind of processor (it computes on one thread,
    whatever the number of cores). That holds for batches of all sizes with the libraries this was tested
    with; a library that chooses its kernels by the size of the batch could break it across sizes.
    """
    X, y, X_test, y_test = (
        part.to(settings.device, torch.float64)
        for part in (data.X_train, data.y_train, data.X_test, data.y_test)
    )
    unit = UNITS[settings.unit]
    keep_freed_memory()
    with _one_thread(), torch.no_grad():
        start = initial_points(settings.init, settings.sizes, unit.name, X.cpu(), settings.seed, indices)
        found = _minimize(settings, X, y, start.to(X.device))
        test = MeanSquaredError(settings.sizes, unit, X_test, y_test)
        test_mse = test.value(_in_company(test.pad(found.params)))[: len(start)]
        tensors = {
            "params": found.params,
            "train_mse": found.value,
            "test_mse": test_mse,
            "gradient_norm": found.gradient_norm,
            "stop_codes": found.stop,
            "iterations": found.iterations,
            "function_evaluations": found.function_evaluations,
            "gradient_evaluations": found.gradient_evaluations,
            "jacobian_evaluations": found.jacobian_evaluations,
            "trace": found.trace,
        }
    return {name: tensor.cpu() for name, tensor in tensors.items()}


def _minimize(settings: Settings, X: Tensor, y: Tensor, start: Tensor) -> Result:
    """Run the method from start [R, P]."""
    unit, minimize = UNITS[settings.unit], METHODS[settings.method]
    if settings.method in AUTOGRAD:
        objective: MeanSquaredError = AutogradMeanSquaredError(settings.sizes, unit, X, y, padded=False)
        return minimize(objective, start, settings.limits)
    if settings.method == "scipy-least-squares":
        return minimize(MeanSquaredError(settings.sizes, unit, X, y, padded=False), start, settings.limits)
    objective = MeanSquaredError(settings.sizes, unit, X, y, decay=settings.decay)
    found = minimize(objective, _in_company(objective.pad(start)), settings.limits)
    if settings.decay:
        found = found._replace(value=objective.value(found.params))
    found = Result(*(part[: len(start)] for part in found))
    return found._replace(params=found.params[:, : objective.P])


def _in_company(rows: Tensor) -> Tensor:
    """At least two rows: one alone would be computed differently, and could not be repeated bit for bit."""
    return torch.cat([rows, rows]) if len(rows) == 1 else rows


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _require_known(argument: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise ValueError(f"{argument}={name!r}: use one of {', '.join(names)}")
