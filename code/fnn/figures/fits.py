"""Figures of functions of x: conjectures, predictions, hidden outputs."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import predict
from fnn.experiments.task_2a import Conjecture
from fnn.experiments.task_2c import Spike, WidthStudy
from fnn.figures.style import (
    BLUE,
    FAINT,
    INK,
    PALETTE,
    UNIT_DASHES,
    VERMILION,
    WIDTH_STYLES,
    figure,
    panel_letters,
    units_title,
)
from fnn.models import MLP

GRID_POINTS = 1000


def grid(data: Dataset) -> Tensor:
    """Evenly spaced inputs over the range of the data, [GRID_POINTS, 1], float64."""
    return torch.linspace(*data.x_range, GRID_POINTS, dtype=torch.float64).unsqueeze(1)


def crosses(ax: Axes, data: Dataset, part: str = "train") -> None:
    """The data as crosses; `part` is train or test."""
    X, y = (data.X_train, data.y_train) if part == "train" else (data.X_test, data.y_test)
    ax.plot(X[:, 0], y[:, 0], "x", color=FAINT, markersize=3, markeredgewidth=0.6, zorder=1)
    ax.set_xlabel("input $x$")


def y_limits(ax: Axes, data: Dataset) -> None:
    """Limits that hold the targets; what a fit does beyond them is cut off."""
    y = torch.cat([data.y_train, data.y_test])
    low, high = float(y.min()), float(y.max())
    ax.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))


def draw_conjectures(
    data: Dataset, conjectures: Sequence[Conjecture], runs: Mapping[int, MLP], height: float = 1.85
) -> Figure:
    """What was conjectured for each number of units, and what its run computes (tasks 2a, 2b and 2e)."""
    fig = figure(height)
    axes = fig.subplots(1, len(conjectures), sharey=True)
    conjecture_panels(list(axes), data, conjectures, runs)
    handles = axes[0].get_lines()[1:]
    fig.legend(handles, ["conjecture", "first run"], loc="outside lower center", ncols=2)
    panel_letters(list(axes))
    return fig


def conjecture_panels(
    axes: Sequence[Axes], data: Dataset, conjectures: Sequence[Conjecture], runs: Mapping[int, MLP]
) -> None:
    """A panel for each conjecture: training data, the conjecture dashed, the run solid."""
    x = grid(data)
    for ax, conjecture in zip(axes, conjectures, strict=True):
        crosses(ax, data)
        ax.plot(x, predict(conjecture.model, x), color=BLUE, linewidth=1.3, linestyle=(0, (4, 2)), zorder=3)
        ax.plot(x, predict(runs[conjecture.units], x), color=VERMILION, linewidth=1.3)
        ax.set_title(units_title(conjecture.units))
    axes[0].set_ylabel("target $y$")
    y_limits(axes[0], data)


def draw_predictions(study: WidthStudy, spike: Spike) -> Figure:
    """Test data and the prediction of each width, and a part of it where a wide network spikes (task 2c)."""
    data, models = study.data, {width: study.best_model(width) for width in study.records}
    fig = figure(2.35)
    whole, part = fig.subplots(1, 2, width_ratios=(3, 1.25))
    for ax, x in ((whole, grid(data)), (part, spike.x.unsqueeze(1))):
        for width, model in models.items():
            ax.plot(x, predict(model, x), **WIDTH_STYLES.get(width, {}), label=units_title(width))
    crosses(whole, data, "test")
    y_limits(whole, data)
    inside = (data.X_train >= spike.x.min()) & (data.X_train <= spike.x.max())
    part.plot(data.X_train[inside], data.y_train[inside], "x", color=INK, markersize=4, zorder=4)
    part.set_xlabel("input $x$")
    part.set_xlim(float(spike.x.min()), float(spike.x.max()))
    whole.set_ylabel("target $y$")
    fig.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=len(models))
    panel_letters([whole, part])
    return fig


def draw_embedding(data: Dataset, best: MLP, others: Mapping[str, MLP]) -> Figure:
    """Two units: the curves (z₁, z₂) of several runs, and how the best adds up on a linear axis (task 2d)."""
    fig = figure(2.05)
    plane, raw, sums = fig.subplots(1, 3)
    x = grid(data)
    styles = zip(("-", (0, (5, 1.5)), (0, (1, 1))), (BLUE, VERMILION, INK), strict=True)
    for (label, model), (dash, colour) in zip({"best": best, **others}.items(), styles, strict=False):
        z, _ = hidden_outputs(model, x)
        plane.plot(z[:, 0], z[:, 1], color=colour, linestyle=dash, label=label)
        plane.plot(z[0, 0], z[0, 1], "o", color=colour, markersize=3.5)
    plane.set(xlabel="hidden output $z_1$", ylabel="hidden output $z_2$")
    plane.legend(loc="upper left", handlelength=2.2, borderpad=0)
    z, v = hidden_outputs(best, x)
    raw.plot(x, z[:, 0], color=BLUE, label="$z_1$")
    raw.plot(x, z[:, 1], color=VERMILION, linestyle=(0, (3, 3)), label="$z_2$")
    raw.set(xlabel="input $x$", ylabel="hidden output")
    raw.legend()
    common = v.sum() / 2 * z.sum(dim=1)
    difference = (v[0] - v[1]) / 2 * (z[:, 0] - z[:, 1])
    crosses(sums, data)
    sums.plot(x, common, color=INK, linestyle=(0, (1, 1)), label=r"$\frac{a}{2}(z_1 + z_2)$")
    sums.plot(x, difference, color=VERMILION, linestyle=(0, (5, 1.5)), label="$V(z_1 - z_2)$")
    sums.plot(x, predict(best, x), color=BLUE, linewidth=1.8, label="output")
    sums.set(ylabel="part of the output")
    low, high = sums.get_ylim()
    sums.set_ylim(low, high + 0.85 * (high - low))
    sums.legend(loc="upper center", ncols=1, borderpad=0, labelspacing=0.25)
    panel_letters([plane, raw, sums])
    return fig


def draw_hidden_outputs(data: Dataset, models: Mapping[str, MLP], height: float = 3.05) -> Figure:
    """Hidden outputs of several networks: as they are, and times their output weight (tasks 2d and 2e)."""
    fig = figure(height)
    axes = fig.subplots(2, len(models), sharex=True, squeeze=False)
    x = grid(data)
    for (upper, lower), (title, model) in zip(axes.T, models.items(), strict=True):
        z, v = hidden_outputs(model, x)
        for unit in range(len(v)):
            style = {"color": PALETTE[unit % len(PALETTE)], "linestyle": UNIT_DASHES[unit % len(UNIT_DASHES)]}
            upper.plot(x, z[:, unit], linewidth=1.0, **style)
            lower.plot(x, z[:, unit] * v[unit], linewidth=1.0, **style)
            level = 0.35 + 0.15 * unit if len(v) <= 3 else 0.14 + 0.72 * (unit % 5) / 4
            _number_unit(upper, x[:, 0], z[:, unit], unit + 1, level)
        lower.plot(x, predict(model, x), color=INK, linewidth=1.8)
        upper.set_title(title)
        lower.set_xlabel("input $x$")
    axes[0][0].set_ylabel("hidden output")
    axes[1][0].set_ylabel("hidden output × weight")
    panel_letters([*axes[0], *axes[1]])
    return fig


def _number_unit(ax: Axes, x: Tensor, z: Tensor, rank: int, level: float) -> None:
    """Write a unit's number on its curve, where it is nearest to this part of its range on the data."""
    height = float(z.min()) + level * float(z.max() - z.min())
    place = int((z - height).abs().argmin())
    ax.text(
        float(x[place]), float(z[place]), str(rank), fontsize=8.6, ha="center", va="center", color=INK,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def hidden_outputs(model: MLP, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs of the hidden units of [1, m, 1] at x [G, 1], [G, m], and their output weights [m]."""
    with torch.no_grad():
        z, _ = model.layer_outputs(x)
    return z, model.layers()[1][0].detach()[:, 0]
