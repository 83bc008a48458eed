"""Figures of functions of x: the data, predictions, hidden outputs."""

from collections.abc import Mapping

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fnn.data import Dataset
from fnn.figures.style import FAINT, INK, PALETTE, SKY, WIDTH_STYLES, figure, label_point
from fnn.models import MLP
from fnn.training import Record

GRID_POINTS = 1000


def grid(data: Dataset) -> Tensor:
    """Evenly spaced inputs over the range of the data, [GRID_POINTS, 1], float64."""
    return torch.linspace(*data.x_range, GRID_POINTS, dtype=torch.float64).unsqueeze(1)


def crosses(ax: Axes, data: Dataset, part: str = "train") -> None:
    """The data as crosses; `part` is train or test."""
    X, y = (data.X_train, data.y_train) if part == "train" else (data.X_test, data.y_test)
    ax.plot(X[:, 0], y[:, 0], "x", color=FAINT, markersize=3, markeredgewidth=0.6, zorder=1)
    ax.set(xlabel="input $x$", ylabel="target $y$")


def y_limits(ax: Axes, data: Dataset) -> None:
    """Limits that hold the targets; what a fit does beyond them is cut off."""
    y = torch.cat([data.y_train, data.y_test])
    low, high = float(y.min()), float(y.max())
    ax.set_ylim(low - 0.15 * (high - low), high + 0.15 * (high - low))


def draw_data(data: Dataset) -> Figure:
    """Training data as crosses, test data as dots (task 2a)."""
    fig = figure(1.75)
    ax = fig.subplots()
    ax.plot(data.X_test[:, 0], data.y_test[:, 0], ".", color=SKY, markersize=3, label="test")
    ax.plot(
        data.X_train[:, 0],
        data.y_train[:, 0],
        "x",
        color=INK,
        markersize=3.5,
        markeredgewidth=0.7,
        label="training",
    )
    ax.set(xlabel="input $x$ (dimensionless)", ylabel="target $y$ (dimensionless)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


def draw_predictions(data: Dataset, records: Mapping[int, Record]) -> Figure:
    """Test data and the prediction of the best run of each width (task 2c)."""
    fig = figure(2.5)
    ax = fig.subplots()
    crosses(ax, data, "test")
    x = grid(data)
    for width, record in records.items():
        label = f"{width} unit" + ("s" if width > 1 else "")
        prediction = predict(record.model(record.best, torch.float64), x)
        ax.plot(x, prediction, **WIDTH_STYLES.get(width, {}), label=label)
    y_limits(ax, data)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


def draw_hidden_outputs(data: Dataset, models: Mapping[int, MLP]) -> Figure:
    """Hidden outputs of a network of each width: as they are, and times their output weight (task 2d)."""
    fig = figure(3.1)
    axes = fig.subplots(2, len(models), sharex=True)
    x = grid(data)
    for column, (width, model) in enumerate(models.items()):
        with torch.no_grad():
            raw, output = model.layer_outputs(x)  # [G, m], [G, 1]
        (W1, b1), (W2, _) = ((W.detach(), b.detach()) for W, b in model.layers())
        scaled = raw * W2[:, 0]
        upper, lower = axes[0][column], axes[1][column]
        for rank, unit in enumerate((-b1 / W1[0]).argsort().tolist()):  # from left to right by centre
            colour, dash = PALETTE[rank % len(PALETTE)], (0, (4, 3)) if rank % 2 else "-"
            upper.plot(x, raw[:, unit], color=colour, linestyle=dash)
            lower.plot(x, scaled[:, unit], color=colour, linestyle=dash)
            if width <= len(PALETTE):
                middle = int((raw[:, unit] - (0.7 - 0.4 * (rank % 2))).abs().argmin())
                label_point(upper, float(x[middle]), float(raw[middle, unit]), str(rank + 1), colour)
        lower.plot(x, output, color=INK, linewidth=1.6)
        upper.set_title(f"{width} units")
        lower.set_xlabel("input $x$")
        lower.set_yscale("symlog", linthresh=1)
    axes[0][0].set_ylabel("hidden output")
    axes[1][0].set_ylabel("hidden output\n× output weight")
    return fig


def predict(model: MLP, x: Tensor) -> Tensor:
    """Output of a network with one output unit at x [G, 1]: [G]."""
    with torch.no_grad():
        output: Tensor = model(x)
    return output[:, 0]
