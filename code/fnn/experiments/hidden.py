"""Experiments of task 2d: what a single hidden unit is worth."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.landscape.canonical import canonical
from fnn.models import MLP
from fnn.training import Record


@dataclass(frozen=True)
class Ablation:
    """Train MSE of a trained network with one of its m hidden units taken out, for each unit in turn."""

    intact: float
    deleted: Tensor  # [m] the unit's output weight set to zero, nothing else changed
    refitted: Tensor  # [m] then the remaining output weights and the bias refitted by least squares
    largest_correlation: float  # between the outputs of two hidden units on the training data
    cancellation: float  # mean over the training data of Σ|v_k z_k − mean| / |Σ(v_k z_k − mean)|


def canonical_model(record: Record) -> MLP:
    """The best run with its units turned to rise with x and sorted by centre: the same function, float64."""
    sizes, unit = record.settings.sizes, record.settings.unit
    params = canonical(record.params[[record.best]], sizes, unit)
    return replace(record, params=params).model(0, torch.float64)


def ablate(model: MLP, data: Dataset) -> Ablation:
    """Take out each hidden unit of a network [1, m, 1] in turn; float64."""
    X, y = data.X_train.double(), data.y_train.double()
    with torch.no_grad():
        Z, output = model.layer_outputs(X)  # [N, m], [N, 1]
    _, (W2, _) = model.layers()
    contributions = Z * W2.detach()[:, 0]  # [N, m]
    deleted, refitted = [], []
    for unit in range(Z.shape[1]):
        deleted.append(_mse(output - contributions[:, [unit]], y))
        kept = [other for other in range(Z.shape[1]) if other != unit]
        design = torch.cat([Z[:, kept], torch.ones_like(y)], dim=1)
        refitted.append(_mse(design @ torch.linalg.lstsq(design, y, driver="gelsd").solution, y))
    centred = contributions - contributions.mean(dim=0)
    return Ablation(
        _mse(output, y),
        torch.tensor(deleted),
        torch.tensor(refitted),
        float((torch.corrcoef(Z.T) - torch.eye(Z.shape[1])).abs().max()),
        float(centred.abs().sum(dim=1).mean() / centred.sum(dim=1).abs().mean()),
    )


def _mse(prediction: Tensor, y: Tensor) -> float:
    return float((prediction - y).square().mean())
