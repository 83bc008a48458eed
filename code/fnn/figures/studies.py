"""Figures of many runs: where they ended, how that depends on the width, how the optimisers got there."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fnn.data import Dataset
from fnn.experiments.limits import LimitStudy
from fnn.experiments.restarts import Restarts
from fnn.experiments.variants import MethodRun, ReluStudy
from fnn.experiments.widths import Spike, WidthStudy
from fnn.figures.fits import crosses, grid, predict, y_limits
from fnn.figures.style import (
    BLUE,
    ENDING_STYLES,
    INK,
    ORANGE,
    PALETTE,
    SKY,
    VERMILION,
    WIDTH_STYLES,
    figure,
    panel_letters,
)
from fnn.models import MLP

MOST_CURVES = 5  # distinct minima drawn per width
HIGHEST = 100.0  # losses above are drawn there


def draw_restarts(data: Dataset, studies: Mapping[int, Restarts]) -> Figure:
    """Above, the most frequent end results of each width; below, the losses of all runs (task 2b)."""
    fig = figure(3.4)
    axes = fig.subplots(2, len(studies), sharey="row")
    x = grid(data)
    for (upper, lower), (width, study) in zip(axes.T, studies.items(), strict=True):
        crosses(upper, data)
        frequent = sorted(study.minima, key=lambda minimum: -minimum.count)[:MOST_CURVES]
        for minimum in sorted(frequent, key=lambda minimum: -minimum.train_mse):
            best = minimum is study.best
            curve = predict(study.record.model(minimum.run, torch.float64), x)
            colour = ENDING_STYLES[minimum.ending]["color"]
            upper.plot(x, curve, color=colour, linewidth=1.8 if best else 0.8, zorder=3 if best else 2)
        upper.set_title(f"{width} unit" + ("s" if width > 1 else ""))
        _sorted_losses(lower, study)
        if upper is not axes[0, 0]:
            upper.set_ylabel("")
    y_limits(axes[0, 0], data)
    axes[1, 0].set_ylabel("train MSE")
    handles: dict[str, Artist] = {}
    for ax in axes[1]:
        handles |= {str(handle.get_label()): handle for handle in ax.get_lines()}
    fig.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=len(handles), markerscale=1.6
    )
    return fig


def _sorted_losses(ax: Axes, study: Restarts) -> None:
    losses = study.record.train_mse
    order = losses.argsort().tolist()
    share = torch.linspace(0, 100, len(order)).tolist()
    for ending, style in ENDING_STYLES.items():
        ranks = [rank for rank, run in enumerate(order) if study.endings[run] == ending]
        if ranks:
            values = [float(losses[order[rank]]) for rank in ranks]
            places = [share[rank] for rank in ranks]
            ax.plot(places, values, linestyle="", markersize=2.4, markeredgewidth=0.7, **style, label=ending)
    ax.set(yscale="log", xlabel="runs, by loss (%)")


def draw_limit(data: Dataset, study: LimitStudy, model: MLP) -> Figure:
    """The limit model beside the best run, and the excess loss of all runs on their way to it (task 2b)."""
    fig = figure(2.1)
    fits, excess = fig.subplots(1, 2)
    x = grid(data)
    crosses(fits, data)
    fits.plot(x, study.limit(x[:, 0]), color=VERMILION, linewidth=2.2, label="limit model")
    fits.plot(x, predict(model, x), color=INK, linewidth=0.9, linestyle=(0, (4, 2)), label="best run")
    y_limits(fits, data)
    fits.legend(loc="lower center", bbox_to_anchor=(0.55, 1.0), ncols=2)
    V = torch.cat([study.V, study.early_V]).sort().values
    excess.plot(V, study.limit.excess(V), color=INK, linewidth=0.8, label="predicted, $k/(4V^2)$")
    excess.plot(study.early_V, study.early_excess, ".", color=SKY, markersize=3, label="runs stopped early")
    excess.plot(
        study.V, study.excess, "^", color=VERMILION, markersize=3, markeredgewidth=0, alpha=0.6, label="runs"
    )
    excess.set(xlabel="$V$, half the difference of the output weights", ylabel="excess loss $L - L^*$")
    if (torch.cat([study.excess, study.early_excess]) > 0).any():  # data without a limit have none
        excess.set(xscale="log", yscale="log")
    excess.legend()
    panel_letters([fits, excess])
    return fig


def draw_width_study(study: WidthStudy, spike: Spike) -> Figure:
    """Train and test MSE of every run at every width, and the largest spike of a wide network (task 2c)."""
    fig = figure(2.3)
    train, test, zoom = fig.subplots(1, 3, width_ratios=(3, 3, 2.4))
    test.sharey(train)
    for part, ax, colour in (("train", train, BLUE), ("test", test, VERMILION)):
        for position, (width, record) in enumerate(study.records.items()):
            losses = record.train_mse if part == "train" else record.test_mse
            generator = torch.Generator().manual_seed(width)
            place = position + 0.6 * (torch.rand(len(losses), generator=generator) - 0.5)
            ax.plot(
                place,
                losses.clamp(max=HIGHEST),
                ".",
                color=colour,
                markersize=3.5,
                markeredgewidth=0,
                alpha=0.6,
            )
            best = min(float(losses[record.best]), HIGHEST)
            floor = study.floor(width)[0 if part == "train" else 1]
            ax.plot([position - 0.4, position + 0.4], [best, best], color=INK, linewidth=1.4)
            if floor > 0:
                ax.plot([position - 0.4, position + 0.4], [floor, floor], color=ORANGE, linewidth=1.2)
        ax.set_xticks(range(len(study.records)), [str(width) for width in study.records])
        ax.set(yscale="log", xlabel="hidden units", ylabel=f"{part} MSE")
    zoom.plot(spike.x, spike.prediction, color=VERMILION, linewidth=0.8)
    shown = (study.data.X_train >= spike.x.min()) & (study.data.X_train <= spike.x.max())
    zoom.plot(study.data.X_train[shown], study.data.y_train[shown], "x", color=INK, markersize=3.5)
    zoom.set(xlabel="input $x$", ylabel="prediction")
    panel_letters([train, test, zoom])
    return fig


def draw_methods(runs: Sequence[MethodRun]) -> Figure:
    """Median train MSE of each optimiser against evaluations and against arithmetic (task 2e)."""
    fig = figure(2.2)
    axes = fig.subplots(1, 2, sharey=True)
    for run, colour, dash in zip(runs, (VERMILION, BLUE, ORANGE, SKY), ("-", "--", "-.", ":"), strict=True):
        axes[0].plot(run.evaluations, run.median(), color=colour, linestyle=dash, label=run.name)
        axes[1].plot(run.operations, run.median(), color=colour, linestyle=dash)
    axes[0].set(xscale="log", yscale="log", xlabel="evaluations of the loss", ylabel="median train MSE")
    axes[1].set(xscale="log", xlabel="floating-point operations per run")
    panel_letters(axes)
    fig.legend(loc="outside upper center", ncols=len(runs))
    return fig


def draw_relu(data: Dataset, study: ReluStudy) -> Figure:
    """Tasks a) to d) once more with ReLU units: fits, losses of all runs, losses by width, hidden outputs."""
    fig = figure(3.3)
    axes = fig.subplots(2, 2)
    fits, losses, by_width, hidden = axes.flat
    x = grid(data)
    widths = study.widths
    crosses(fits, data)
    for width in (1, 2, 3, 10):
        curve = predict(widths[width].model(widths[width].best, torch.float64), x)
        fits.plot(x, curve, **WIDTH_STYLES[width], label=f"{width}")
    y_limits(fits, data)
    fits.legend(title="units", loc="upper left", bbox_to_anchor=(1.0, 1.05))
    for record, label, colour, dash in (
        (study.course, "initial law of 1b", VERMILION, "-"),
        (study.uniform, "centres uniform", BLUE, "--"),
    ):
        ordered = record.train_mse.sort().values
        losses.plot(torch.linspace(0, 100, len(ordered)), ordered, color=colour, linestyle=dash, label=label)
    losses.set(yscale="log", xlabel="runs, by loss (%)", ylabel="train MSE")
    losses.legend()
    places = range(len(widths.records))
    for values, label, colour, marker in (
        ([widths.best_train(width) for width in widths.records], "train", BLUE, "o"),
        ([widths.best_test(width) for width in widths.records], "test", VERMILION, "^"),
    ):
        by_width.plot(places, values, color=colour, marker=marker, markersize=4, label=label)
    by_width.set_xticks(places, [str(width) for width in widths.records])
    by_width.set(yscale="log", xlabel="hidden units", ylabel="MSE of the best run")
    by_width.legend()
    model = study.uniform.model(study.uniform.best, torch.float64).requires_grad_(False)
    raw, output = model.layer_outputs(x)
    _, (W2, _) = model.layers()
    for unit in range(raw.shape[1]):
        hidden.plot(x, raw[:, unit] * W2[unit, 0], color=PALETTE[unit % len(PALETTE)], linewidth=0.9)
    hidden.plot(x, output, color=INK, linewidth=1.6)
    hidden.set(xlabel="input $x$", ylabel="hidden output × weight")
    panel_letters(list(axes.flat))
    return fig
