"""Figures of functions of x: conjectures, predictions, hidden outputs."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fnn.data import Dataset
from fnn.experiments.common import hidden_outputs, predict
from fnn.experiments.task_2a import Conjecture
from fnn.experiments.task_2c import WidthStudy
from fnn.models import MLP
from fnn.report.figures.style import (
    BLUE,
    FAINT,
    INK,
    LINES,
    VERMILION,
    WIDTH_STYLES,
    figure,
    panel_letters,
    units_title,
)

CURVE_POINTS = 1000
CLOSE = 16  # gaps between training points that a close-up shows


def grid(data: Dataset) -> Tensor:
    """Evenly spaced inputs over the range of the data, [CURVE_POINTS, 1], float64."""
    return torch.linspace(*data.x_range, CURVE_POINTS, dtype=torch.float64).unsqueeze(1)


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
    data: Dataset, conjectures: Sequence[Conjecture], runs: Mapping[int, MLP], height: float = 1.75
) -> Figure:
    """What was conjectured for each number of units, and what its run computes (tasks 2a and 2b)."""
    fig = figure(height)
    axes = list(fig.subplots(1, len(conjectures), sharey=True))
    conjecture_panels(axes, data, conjectures, runs)
    fig.legend(axes[0].get_lines()[1:], ["conjecture", "first run"], loc="outside lower center", ncols=2)
    panel_letters(axes)
    return fig


def conjecture_panels(
    axes: Sequence[Axes], data: Dataset, conjectures: Sequence[Conjecture], runs: Mapping[int, MLP]
) -> None:
    """A panel for each conjecture: training data, the conjecture dashed, the run solid."""
    x = grid(data)
    for ax, conjecture in zip(axes, conjectures, strict=True):
        crosses(ax, data)
        ax.plot(x, predict(conjecture.model, x), color=BLUE, linewidth=1.4, linestyle=(0, (4, 2)), zorder=3)
        ax.plot(x, predict(runs[conjecture.units], x), color=VERMILION, linewidth=1.3)
        ax.set_title(units_title(conjecture.units))
    axes[0].set_ylabel("target $y$")
    y_limits(axes[0], data)


def draw_predictions(study: WidthStudy, close: Sequence[int] = (10, 50, 100)) -> Figure:
    """Test data and the prediction of each width, and some widths close up at the left end (task 2c)."""
    data, models = study.data, {width: study.best_model(width) for width in study.records}
    fig = figure(2.7)
    panels = fig.subplot_mosaic([["whole", str(width)] for width in close], width_ratios=(3, 1.2))
    whole = panels["whole"]
    for width, model in models.items():
        whole.plot(
            grid(data), predict(model, grid(data)), **WIDTH_STYLES.get(width, {}), label=units_title(width)
        )
    crosses(whole, data, "test")
    whole.set_ylabel("target $y$")
    y_limits(whole, data)
    knots, order = data.X_train[:, 0].double().sort()
    x = torch.linspace(float(knots[0]), float(knots[CLOSE]), CURVE_POINTS, dtype=torch.float64)
    for width in close:
        ax = panels[str(width)]
        ax.plot(x, predict(models[width], x[:, None]), color=INK, linewidth=0.9)
        shown = order[: CLOSE + 1]
        ax.plot(data.X_train[shown], data.y_train[shown], "x", color=FAINT, markersize=3.5, zorder=1)
        ax.set_title(units_title(width))
        ax.tick_params(labelbottom=width == close[-1])
    panels[str(close[-1])].set_xlabel("input $x$")
    fig.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=len(models))
    panel_letters([whole, *(panels[str(width)] for width in close)])
    return fig


def draw_two_units(data: Dataset, models: Mapping[str, MLP]) -> Figure:
    """Two units: the curve (z₁, z₂), the hidden outputs, and the outputs times their weights (task 2d)."""
    fig = figure(3.2)
    x = grid(data)
    rows = fig.subplots(len(models), 3)
    for (plane, raw, scaled), (title, model) in zip(rows, models.items(), strict=True):
        z, v = hidden_outputs(model, x)
        plane.plot(z[:, 0], z[:, 1], color=INK)
        plane.plot(z[0, 0], z[0, 1], "o", color=INK, markersize=4)
        plane.set(ylabel="output, unit 2", xlim=(-0.05, 1.05), ylim=(-0.05, 1.05))
        plane.set_title(title)
        for ax, curves, label in ((raw, z, "output"), (scaled, z * v, "output ×\nweight")):
            ax.plot(x, curves[:, 0], color=BLUE, label="unit 1")
            ax.plot(x, curves[:, 1], color=VERMILION, linestyle=(0, (4, 2)), label="unit 2")
            ax.set_ylabel(label)
        scaled.plot(x, predict(model, x), color=INK, linewidth=1.8, label="output of the network")
    for ax, name in zip(rows[-1], ("output, unit 1", "input $x$", "input $x$"), strict=True):
        ax.set_xlabel(name)
    fig.legend(*rows[0][2].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    panel_letters(rows.flatten().tolist())
    return fig


def draw_hidden_outputs(data: Dataset, models: Mapping[str, MLP], height: float = 2.6) -> Figure:
    """Hidden outputs of several networks: as they are, and times their output weight (tasks 2d and 2e).

    The latter less their means over the training data: a constant belongs to the bias of the output.
    """
    fig = figure(height)
    axes = fig.subplots(2, len(models), sharex=True, squeeze=False)
    x = grid(data)
    for (upper, lower), (title, model) in zip(axes.T, models.items(), strict=True):
        z, v = hidden_outputs(model, x)
        mean = (hidden_outputs(model, data.X_train)[0] * v).mean(dim=0)
        for unit in range(len(v)):
            style = LINES[unit % len(LINES)]
            upper.plot(x, z[:, unit], linewidth=1.1, **style)
            lower.plot(x, z[:, unit] * v[unit] - mean[unit], linewidth=1.1, **style)
        lower.plot(x, predict(model, x) - predict(model, data.X_train).mean(), color=INK, linewidth=2.0)
        upper.set_title(title)
        lower.set_xlabel("input $x$")
    axes[0][0].set_ylabel("hidden output")
    axes[1][0].set_ylabel("output × weight,\nminus mean")
    panel_letters([*axes[0], *axes[1]])
    return fig
