"""Experiments of task 2d: what a hidden unit is worth, alone and together with others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import mse
from fnn.experiments.task_2b import Restarts
from fnn.landscape.canonical import canonical
from fnn.landscape.endings import Ending
from fnn.models import MLP
from fnn.prose.numbers import number
from fnn.training import Record


@dataclass(frozen=True)
class Ablation:
    """Train MSE of a trained network with some of its m hidden units taken out; no orientation matters."""

    intact: float
    frozen: Tensor  # [m] each unit in turn held at its mean over the training data, nothing else changed
    refitted: Tensor  # [m] without it, the other output weights and the bias refitted by least squares
    dispensable: int  # units of which each alone can go, at less than twice the error once refitted
    without_these: float  # refitted without all of them at once
    removable: int  # the most units that can go together at less than twice the error
    correlation_gap: float  # 1 − the largest correlation of two hidden outputs on the training data
    cancellation: float  # mean over the training data of Σ|v_k z_k − mean| / mean of |Σ(v_k z_k − mean)|


def canonical_model(record: Record, run: int | None = None) -> MLP:
    """A run, by default the best, its units turned to rise with x and sorted by centre: the same function."""
    sizes, unit = record.settings.sizes, record.settings.unit
    params = canonical(record.params[[record.best if run is None else run]], sizes, unit)
    return replace(record, params=params).model(0, torch.float64).requires_grad_(False)


def median_run(record: Record) -> int:
    """The index of the run with the median train MSE, the lower of two."""
    return int(record.train_mse.argsort(stable=True)[(len(record) - 1) // 2])


def best_and_median(records: Mapping[int, Record]) -> dict[str, MLP]:
    """The networks of the best and the median run of each width, with their titles."""
    return {
        f"{width} units, {name}": canonical_model(record, run)
        for width, record in records.items()
        for name, run in (("best", record.best), ("median", median_run(record)))
    }


def attained_models(study: Restarts, most: int) -> dict[str, MLP]:
    """The most frequent minima at finite weights other than the best, with their losses as titles."""
    minima = [minimum for minimum in study.minima[1:] if minimum.ending == Ending.ATTAINED]
    frequent = sorted(minima, key=lambda minimum: -minimum.count)[:most]
    return {f"MSE {number(m.train_mse)}": canonical_model(study.record, m.run) for m in frequent}


def hard_steps(model: MLP, data: Dataset) -> int:
    """Logistic units that make more than half of their step between two neighbouring training points."""
    with torch.no_grad():
        z, _ = model.layer_outputs(torch.unique(data.X_train.double())[:, None])  # [K, m]
    return int((z.diff(dim=0).abs().max(dim=0).values > 0.5).sum())


def separation(model: MLP, data: Dataset) -> float:
    """The largest distance between the outputs of two hidden units on the training data."""
    with torch.no_grad():
        z, _ = model.layer_outputs(data.X_train.double())
    return float((z.max(dim=1).values - z.min(dim=1).values).max())


def ablate(model: MLP, data: Dataset) -> Ablation:
    """Take units of a network [1, m, 1] out, one at a time and, up to ten units, all subsets; float64."""
    X, y = data.X_train.double(), data.y_train.double()
    with torch.no_grad():
        Z, output = model.layer_outputs(X)  # [N, m], [N, 1]
    _, (W2, _) = model.layers()
    contributions = Z * W2.detach()[:, 0]  # [N, m]
    centred = contributions - contributions.mean(dim=0)
    intact, units = mse(output, y), range(Z.shape[1])
    refitted = torch.tensor([_refitted(Z, y, [unit]) for unit in units])
    dispensable = [unit for unit in units if refitted[unit] < 2 * intact]
    removable = 0
    for size in range(1, len(dispensable) + 1):  # a subset that can go is made of units that can
        if all(_refitted(Z, y, gone) >= 2 * intact for gone in combinations(dispensable, size)):
            break
        removable = size
    return Ablation(
        intact,
        torch.tensor([mse(output - centred[:, [unit]], y) for unit in units]),
        refitted,
        len(dispensable),
        _refitted(Z, y, dispensable),
        removable,
        1 - float((torch.corrcoef(Z.T) - torch.eye(len(units))).abs().max()),
        float(centred.abs().sum(dim=1).mean() / centred.sum(dim=1).abs().mean()),
    )


def _refitted(Z: Tensor, y: Tensor, gone: list[int] | tuple[int, ...]) -> float:
    """Train MSE of the best output weights and bias without the units `gone`; Z [N, m], y [N, 1]."""
    kept = [unit for unit in range(Z.shape[1]) if unit not in gone]
    design = torch.cat([Z[:, kept], torch.ones_like(y)], dim=1)
    return mse(design @ torch.linalg.lstsq(design, y, driver="gelsd").solution, y)
