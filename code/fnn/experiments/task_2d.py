"""Experiments of task 2d: what a hidden unit is worth, alone and together with others."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import hidden_outputs, mse, predict
from fnn.experiments.task_2b import Restarts
from fnn.landscape.canonical import canonical
from fnn.landscape.endings import Ending
from fnn.landscape.minima import Minimum
from fnn.models import MLP
from fnn.training import Record


@dataclass(frozen=True)
class Ablation:
    """Train MSE of a trained network with some of its m hidden units taken out; no orientation matters."""

    intact: float
    frozen: Tensor  # [m] each unit in turn held at its mean over the training data, nothing else changed
    refitted: Tensor  # [m] without it, the other output weights and the bias refitted by least squares
    dispensable: int  # units of which each alone can go, at less than twice the error once refitted
    correlation_gap: float  # 1 − the largest correlation of two hidden outputs on the training data
    cancellation: float  # mean over the training data of Σ|v_k z_k − mean| / mean of |Σ(v_k z_k − mean)|


def canonical_model(record: Record, run: int | None = None) -> MLP:
    """A run, by default the best, its units turned to rise with x and sorted by centre: the same function."""
    sizes, unit = record.training.sizes, record.training.phi
    params = canonical(record.params[[record.best if run is None else run]], sizes, unit)
    return replace(record, params=params).model(0, torch.float64).requires_grad_(False)


def median_model(record: Record) -> MLP:
    """The run with the median train MSE, the lower of two, likewise."""
    return canonical_model(record, int(record.train_mse.argsort(stable=True)[(len(record) - 1) // 2]))


def most_frequent_attained(study: Restarts) -> Minimum | None:
    """The most frequent minimum at finite weights other than the best."""
    attained = [minimum for minimum in study.minima[1:] if minimum.ending == Ending.ATTAINED]
    return max(attained, key=lambda minimum: minimum.count, default=None)


def separation(model: MLP, data: Dataset) -> float:
    """The largest distance between the outputs of two hidden units on the training data."""
    z, _ = hidden_outputs(model, data.X_train)
    return float((z.amax(dim=1) - z.amin(dim=1)).max())


def ablate(model: MLP, data: Dataset) -> Ablation:
    """Take units of a network [1, m, 1] out, one at a time; float64."""
    y = data.y_train.double()
    Z, v = hidden_outputs(model, data.X_train)  # [N, m], [m]
    output = predict(model, data.X_train).unsqueeze(1)
    contributions = Z * v
    centred = contributions - contributions.mean(dim=0)
    intact, units = mse(output, y), range(Z.shape[1])
    refitted = torch.tensor([_refitted(Z, y, unit) for unit in units])
    return Ablation(
        intact,
        torch.tensor([mse(output - centred[:, [unit]], y) for unit in units]),
        refitted,
        int((refitted < 2 * intact).sum()),
        1 - float((torch.corrcoef(Z.T) - torch.eye(len(units))).abs().max()),
        float(centred.abs().sum(dim=1).mean() / centred.sum(dim=1).abs().mean()),
    )


def _refitted(Z: Tensor, y: Tensor, gone: int) -> float:
    """Train MSE of the best output weights and bias without the unit `gone`; Z [N, m], y [N, 1]."""
    design = torch.cat([Z[:, :gone], Z[:, gone + 1 :], torch.ones_like(y)], dim=1)
    return mse(design @ torch.linalg.lstsq(design, y, driver="gelsd").solution, y)
