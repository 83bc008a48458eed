"""Training: one network the plain way; many at once; and the record of how it went.

`train_one` is how the course trains a network, and all that there is to understand. `train1`,
`train_restarts` and `train_all` train many networks in the same way but in step, their passes and the steps
of their optimisers computed together (`fnn.optimizers`), on all cores (`fnn.runs`). Each ends where it would
end alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from fnn.data import Dataset, load_d1
from fnn.inputs.arguments import check_whole_number, require_known
from fnn.models import MLP
from fnn.optimizers import PRESETS, Limits, scipy_bfgs
from fnn.optimizers.initial_points import initial_points
from fnn.runs import pool
from fnn.runs.records import SEED, Record, Training
from fnn.units import Phi, find_unit

__all__ = ["SEED", "Record", "Training", "train1", "train_all", "train_one", "train_restarts", "trained"]

trained: list[Record] = []  # all records of this process, in order


def train_one(
    hidden_sizes: Sequence[int],
    run: int = 0,
    phi: str | Phi = torch.sigmoid,
    seed: int = SEED,
    data: Dataset | None = None,
) -> MLP:
    """Train one network the plain way: SciPy's BFGS on the MSE of all training data, autograd's gradient.

    It starts where run `run` of `train_restarts` starts and ends at the same loss, in double precision.

    Raises:
        TypeError, ValueError, DataError: as `train_restarts` does.
    """
    training = Training(hidden_sizes, 1, phi=find_unit(phi).name, seed=seed, data=data or load_d1())
    X, y = training.data.X_train, training.data.y_train  # [N, 1], float64
    mlp = MLP(training.sizes, phi).double()

    def loss_and_gradient(theta: Tensor) -> tuple[Tensor, Tensor]:
        """L(θ) = (1/N) Σᵢ (f(xᵢ; θ) − yᵢ)² and ∂L/∂θ [P], by backpropagation.

        θ has all weights and biases in a row, layer by layer. The gradient is the mean over the examples of
        the δ's that `backprop.py` derives by hand for one hidden layer.
        """
        vector_to_parameters(theta, mlp.parameters())
        loss = ((mlp(X) - y) ** 2).mean()
        gradients = torch.autograd.grad(loss, list(mlp.parameters()))
        return loss.detach(), parameters_to_vector(gradients)

    (start,) = initial_points(training.init, training.sizes, training.unit, X, seed, [run])
    found = scipy_bfgs.minimize_one(loss_and_gradient, start, training.limits)
    vector_to_parameters(found.params[0], mlp.parameters())
    return mlp


def train1(
    hidden_sizes: Sequence[int],
    nreps: int = 10,
    phi: str | Phi = torch.sigmoid,
    method: str = "bfgs",
    seed: int = SEED,
    options: Mapping[str, Any] | None = None,
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
        options: of the method, by name: `{"lr": 0.01}` for adam and rprop.

    Returns:
        A network in single precision: `train1([3])(data.X_test)` predicts for inputs [N, 1].

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if it has a value that it cannot have. Both name the argument and its value.
        DataError: if the files of the data cannot be used.
    """
    check_whole_number("nreps", nreps, at_least=1)
    return train_restarts(hidden_sizes, nreps, method, phi, seed, options=options).best_model


def train_restarts(
    hidden_sizes: Sequence[int],
    restarts: int,
    method: str = "bfgs",
    phi: str | Phi = torch.sigmoid,
    seed: int = SEED,
    data: Dataset | None = None,
    init: str = "course",
    limits: Limits | str = "full",
    shards: int | None = None,
    decay: float = 0.0,
    options: Mapping[str, Any] | None = None,
) -> Record:
    """Train networks from `restarts` initial points on all training data at once, or read how that went.

    The arguments are the fields of `Training`, which describes them; here `phi` may also be a function, such
    as torch.tanh, `limits` the name of a preset, full or quick, and `data` is D1 unless given.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if it has a value that it cannot have. Both name the argument and its value.
        DataError: if no data are given and the files of D1 cannot be used.
    """
    if isinstance(limits, str):
        require_known("limits", limits, PRESETS)
        limits = PRESETS[limits]
    training = Training(
        hidden_sizes, restarts, method, find_unit(phi).name, seed, load_d1() if data is None else data,
        init, limits, shards, decay, options or {},
    )  # fmt: skip
    return train_all([training])[0]


def train_all(trainings: Sequence[Training]) -> list[Record]:
    """The records of several trainings, whose shards are trained side by side.

    Each shard is kept in the model store under a key of all that determines it, see `fnn.runs`.
    """
    shards = [pool.Shard(training, runs) for training in trainings for runs in training.ranges]
    parts = iter(pool.train(shards))
    records = []
    for training in trainings:
        own = [next(parts) for _ in training.ranges]
        tensors = {name: torch.cat([part[name] for part in own]) for name in own[0] if name != "seconds"}
        records.append(Record(training, **tensors, seconds=sum(float(part["seconds"]) for part in own)))
    trained.extend(records)
    return records
