"""Training: many networks of one architecture from many initial points, and the record of how it went."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from fnn.data import Dataset, load_d1
from fnn.inputs import environment
from fnn.inputs.arguments import check_whole_number, require_known
from fnn.models import MLP, find_unit
from fnn.optimizers import METHODS, PRESETS, STOPS, Limits, Method, trace_grid, trace_limit
from fnn.optimizers.initial_points import LAWS
from fnn.optimizers.objective import parameter_count, unpack
from fnn.optimizers.shard import Settings, run_shard
from fnn.runs import store
from fnn.runs.sharding import Job, automatic_shards, compute_shards, split
from fnn.runs.sources import dependencies
from fnn.units import UNITS

SEED = environment.seed()  # of every study that names no other


def method_key(method: Method) -> dict[str, Any]:
    """What determines the results of a method, for the model store: its function, and what that needs."""
    chosen = method.minimize
    function, *arguments = (chosen.func, *chosen.args) if isinstance(chosen, partial) else (chosen,)
    parts = (function, method.objective)
    names = [f"{part.__module__}.{part.__qualname__}" for part in parts] + arguments
    return {"method": names, **dependencies([run_shard.__module__, *(part.__module__ for part in parts)])}


# As they are imported: the files may change while this process runs.
METHOD_KEYS = {name: method_key(method) for name, method in METHODS.items()}


class OtherCodeError(RuntimeError):
    """A worker would compute with other code or libraries than the store's key says."""


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
        jacobians = METHODS[self.settings.method].jacobians
        return trace_grid(trace_limit(self.settings.limits, least_squares=jacobians))

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


# What this process has trained, or read from the store: name of the data ("" for D1 by default) and record.
trained: list[tuple[str, Record]] = []


def train1(
    hidden_sizes: Sequence[int],
    nreps: int = 10,
    phi: str | Callable[[Tensor], Tensor] = torch.sigmoid,
    method: str = "bfgs",
    seed: int = SEED,
) -> MLP:
    """Train `nreps` networks with one input and one output on D1; return the one with the lowest train MSE.

    `train1([3])` is the best of ten networks with three logistic hidden units. What was trained before is
    read from the model store.

    Args:
        hidden_sizes: widths of the hidden layers, in their order: `[3]` is one layer of three units, `[4, 3]`
            two layers, `[]` a linear model.
        nreps: how many networks are trained, each from an initial point of its own.
        phi: the hidden units: sigmoid, tanh, relu or identity, or torch's function of that name.
        method: bfgs, lm (Levenberg–Marquardt), adam, rprop or scipy-bfgs (SciPy's, one after another, slow).
        seed: of the initial points. The same arguments give the same network, bit for bit, on one kind of
            processor. By default the environment variable SEED, or 24.

    Returns:
        A network in single precision: `train1([3])(data.X_test)` predicts for inputs [N, 1].

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if it has a value that it cannot have. Both name the argument and its value.
        DataError: if the files of the data cannot be used.
    """
    check_whole_number("nreps", nreps, at_least=1)
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
        method: a key of `METHODS`: bfgs, lm, adam, rprop or scipy-bfgs.
        phi: the hidden units, a key of `UNITS` or its function: sigmoid, tanh, relu or identity.
        seed: of the initial points.
        data: D1 unless given.
        init: the law of the initial points, a key of `LAWS`: course or nguyen-widrow.
        limits: when to stop, or the name of a preset: full or quick.
        device: where to compute: cpu, cuda, …
        shards: in how many parts; by default as many as the restarts and the parameters suggest.
        decay: λ of the weight decay: MSE + λ‖θ‖² is minimised. The record's losses are MSEs, without it.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if it has a value that it cannot have. Both name the argument and its value.
        DataError: if no data are given and the files of D1 cannot be used.
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
        TypeError, ValueError, DataError: as `train_restarts` does, before anything is trained.
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
    names = ("" if training.data is None else training.data.name for training in trainings)
    trained.extend(zip(names, records, strict=True))
    return records


def _prepare(training: Training) -> tuple[Settings, Job]:
    """Settings, checked, and the work to do."""
    data = load_d1() if training.data is None else training.data
    if not isinstance(data, Dataset):
        raise TypeError(f"data={data!r}: give a Dataset, or None for D1")
    settings = make_settings(training, data)
    check_whole_number("restarts", training.restarts, at_least=1)
    parameters, shards = parameter_count(settings.sizes), training.shards
    if shards is None:
        shards = automatic_shards(training.restarts, parameters, settings.device)
    check_whole_number("shards", shards, at_least=1)
    job = Job(
        partial(_train_shard, METHOD_KEYS[settings.method], settings, data),
        split(training.restarts, shards),
        record_key(settings, data),
        cost=METHODS[settings.method].cost * parameters**1.5,
    )
    return settings, job


def _train_shard(
    key: dict[str, Any], settings: Settings, data: Dataset, indices: Sequence[int]
) -> dict[str, Tensor]:
    """`run_shard`, in whatever process; `key` says by which code and libraries.

    Raises:
        OtherCodeError: if this process has others. What it computed would be stored under a wrong key.
    """
    own = METHOD_KEYS.get(settings.method, {})
    if own != key:
        asked, found = ({**part["sources"], **part["libraries"]} if part else {} for part in (key, own))
        others = sorted(name for name in asked.keys() | found.keys() if asked.get(name) != found.get(name))
        raise OtherCodeError(
            f"a worker has another {', '.join(others) or settings.method} than the process that asks it: "
            "the file changed since that was started, or the worker's machine has another version; "
            "start this process anew, or install the same on both"
        )
    return run_shard(METHODS[settings.method], settings, data, indices)


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
        **METHOD_KEYS[settings.method],
    }


def make_settings(training: Training, data: Dataset) -> Settings:
    """The settings of a training on these data, checked; raises as `train_restarts` does."""
    hidden_sizes, limits, decay = training.hidden_sizes, training.limits, training.decay
    if isinstance(hidden_sizes, str) or not isinstance(hidden_sizes, Sequence):
        raise TypeError(f"hidden_sizes={hidden_sizes!r}: give a list of widths, such as [3] or [4, 3]")
    if any(not isinstance(size, int) or isinstance(size, bool) or size < 1 for size in hidden_sizes):
        raise ValueError(f"hidden_sizes={list(hidden_sizes)}: must be positive whole numbers")
    check_whole_number("seed", training.seed)
    require_known("method", training.method, METHODS)
    require_known("init", training.init, LAWS)
    without = [name for name, known in METHODS.items() if known.jacobians]
    if not isinstance(decay, int | float):
        raise TypeError(f"decay={decay!r}: must be a number")
    if not 0 <= decay < math.inf or (decay and training.method in without):
        raise ValueError(f"decay={decay}: zero or positive, and zero for {', '.join(without)}")
    if isinstance(limits, str):
        require_known("limits", limits, PRESETS)
        limits = PRESETS[limits]
    if not isinstance(limits, Limits):
        raise TypeError(f"limits={limits!r}: give Limits, or one of {', '.join(PRESETS)}")
    _require_device(training.device)
    sizes = (data.X_train.shape[1], *hidden_sizes, data.y_train.shape[1])
    return Settings(
        sizes, find_unit(training.phi).name, training.method, training.seed,
        training.init, limits, training.device, decay,
    )  # fmt: skip


def _require_device(device: str) -> None:
    try:
        torch.empty(0, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={device!r}: PyTorch cannot compute there ({reason}); use 'cpu'") from None
