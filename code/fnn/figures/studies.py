"""Figures of many runs: where they ended, how that depends on the width, how the optimisers got there."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fnn.data import Dataset
from fnn.experiments.common import predict
from fnn.experiments.task_2a import Conjecture
from fnn.experiments.task_2b import LimitStudy, Restarts
from fnn.experiments.task_2c import Widths, WidthStudy
from fnn.experiments.task_2e import MethodRun, ReluStudy
from fnn.figures.fits import conjecture_panels, crosses, grid, hidden_outputs, y_limits
from fnn.figures.style import (
    BLUE,
    ENDING_STYLES,
    INK,
    ORANGE,
    PALETTE,
    SKY,
    UNIT_DASHES,
    VERMILION,
    figure,
    panel_letters,
    units_title,
)
from fnn.models import MLP

MOST_CURVES = 5  # distinct minima drawn per width


def draw_restarts(data: Dataset, studies: Mapping[int, Restarts]) -> Figure:
    """Above, the most frequent end results of each width; below, the losses of all runs (task 2b)."""
    fig = figure(3.0)
    axes = fig.subplots(2, len(studies), sharey="row")
    x = grid(data)
    for (upper, lower), (width, study) in zip(axes.T, studies.items(), strict=True):
        crosses(upper, data)
        frequent = sorted(study.minima, key=lambda minimum: -minimum.count)[:MOST_CURVES]
        for minimum in sorted(frequent, key=lambda minimum: -minimum.train_mse):
            best = minimum is study.best
            style = ENDING_STYLES[minimum.ending]
            upper.plot(
                x, predict(study.model(minimum), x), color=style["color"], linestyle=style["dash"],
                linewidth=2.0 if best else 0.9, zorder=3 if best else 2,
            )  # fmt: skip
        upper.set_title(units_title(width))
        _sorted_losses(lower, study)
    y_limits(axes[0, 0], data)
    axes[0, 0].set_ylabel("target $y$")
    axes[1, 0].set_ylabel("train MSE")
    handles: dict[str, Artist] = {}
    for ax in axes[1]:
        handles |= {str(handle.get_label()): handle for handle in ax.get_lines()}
    fig.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=len(handles), markerscale=1.5
    )
    panel_letters([*axes[0], *axes[1]])
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
            marks = {"color": style["color"], "marker": style["marker"]}
            ax.plot(places, values, linestyle="", markersize=2.6, markeredgewidth=0.7, **marks, label=ending)
    first = share[order.index(0)], float(losses[0])
    ax.plot(*first, "o", color=INK, markersize=8, markerfacecolor="none", label="first run")
    ax.set(yscale="log", xlabel="runs, by loss (%)")


def draw_limit(data: Dataset, study: LimitStudy, model: MLP) -> Figure:
    """The limit model beside the best run, and the excess loss of networks on their way to it (task 2b)."""
    fig = figure(1.95)
    fits, excess = fig.subplots(1, 2)
    x = grid(data)
    crosses(fits, data)
    step, wave = study.parts(x[:, 0])
    fits.plot(x, step, color=INK, linestyle=(0, (1, 1)), label="step")
    fits.plot(x, wave, color=BLUE, linestyle=(0, (5, 1.5)), label="wave")
    offset = study.limit.c if study.limit else 0.0
    fits.plot(x, step + wave + offset, color=VERMILION, linewidth=2.2, label="$g$")
    fits.plot(x, predict(model, x), color=INK, linewidth=0.8, label="best run")
    fits.set_ylabel("target $y$")
    fits.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), borderpad=0, handlelength=1.4)
    if study.limit:  # data without a limit have none
        excess.plot(
            study.V, study.predicted(study.V), color=INK, linewidth=0.8, label=r"predicted, $\kappa/(4V^2)$"
        )
        excess.plot(study.V, study.excess, ".", color=BLUE, markersize=4.5, label="minimised at fixed $V$")
        excess.plot(
            study.run_V, study.run_excess, "^", color=VERMILION, markersize=4, markeredgewidth=0, label="runs"
        )
        excess.set(xscale="log", yscale="log")
        excess.legend(loc="lower left", borderpad=0, borderaxespad=0.2, labelspacing=0.15, handlelength=1.2)
    excess.set(xlabel="$V$, half the difference of the output weights", ylabel="excess loss $E - E^*$")
    panel_letters([fits, excess])
    return fig


def draw_widths(study: Widths) -> Figure:
    """Train and test MSE of every run at every width, and test MSE with weight decay (task 2c)."""
    fig = figure(2.0)
    axes = fig.subplots(1, 3, sharey=True)
    data = study.course.data
    parts = (
        ("train", study.course, BLUE),
        ("test", study.course, VERMILION),
        ("test", study.decayed, VERMILION),
    )
    for ax, (part, widths, colour) in zip(axes, parts, strict=True):
        for position, (width, record) in enumerate(widths.records.items()):
            losses = record.train_mse if part == "train" else record.test_mse
            generator = torch.Generator().manual_seed(width)
            place = position + 0.6 * (torch.rand(len(losses), generator=generator) - 0.5)
            ax.plot(place, losses, ".", color=colour, markersize=3.5, markeredgewidth=0, alpha=0.6)
            best = float(losses[record.best])
            ax.plot([position - 0.4, position + 0.4], [best, best], color=INK, linewidth=1.6)
        noise = data.noise_mse(part)
        if noise is not None:
            ax.axhline(noise, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        ax.set_xticks(range(len(widths.records)), [str(width) for width in widths.records])
        ax.set(yscale="log", xlabel="hidden units")
        ax.set_title(f"{part} MSE" + (", weight decay" if widths is study.decayed else ""))
    axes[0].set_ylabel("mean squared error")
    panel_letters(axes)
    return fig


def draw_methods(runs: Sequence[MethodRun], loss: float) -> Figure:
    """Share of the runs below a train MSE against evaluations and against arithmetic (task 2e)."""
    fig = figure(1.85)
    axes = fig.subplots(1, 2, sharey=True)
    for run, colour, dash in zip(runs, (VERMILION, BLUE, ORANGE, SKY), ("-", "--", "-.", ":"), strict=True):
        for ax, effort in zip(axes, (run.evaluations, run.operations), strict=True):
            ax.plot(effort, run.reached(loss), color=colour, linestyle=dash, linewidth=1.6, label=run.name)
    axes[0].set(xscale="log", xlabel="evaluations of the loss", ylabel=f"runs below {loss:g} (%)")
    axes[1].set(xscale="log", xlabel="floating-point operations per run")
    panel_letters(axes)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(runs))
    return fig


def draw_relu(
    data: Dataset, study: ReluStudy, logistic: WidthStudy, conjectures: Sequence[Conjecture]
) -> Figure:
    """Tasks a) to d) once more with ReLU units: conjectures and best fits, runs, widths, hidden outputs."""
    fig = figure(3.25)
    rows = fig.add_gridspec(2, 1)
    above, below = rows[0].subgridspec(1, 4), rows[1].subgridspec(1, 3)
    first = fig.add_subplot(above[0])
    fits = [first, *(fig.add_subplot(above[i], sharey=first) for i in (1, 2, 3))]
    losses, by_width, hidden = (fig.add_subplot(below[i]) for i in range(3))
    for ax in fits[1:]:
        ax.tick_params(labelleft=False)
    conjecture_panels(
        fits, data, conjectures, {c.units: study.uniform.best_model(c.units) for c in conjectures}
    )

    laws = ((study.course, "course's law", VERMILION, "-"), (study.uniform, "uniform", BLUE, "--"))
    for widths, label, colour, dash in laws:
        ordered = widths[2].train_mse.sort().values
        losses.plot(torch.linspace(0, 100, len(ordered)), ordered, color=colour, linestyle=dash, label=label)
    losses.set(xlabel="runs with 2 units, by loss (%)", ylabel="train MSE")
    losses.margins(y=0.25)
    losses.legend(loc="lower right", borderpad=0)

    both = [width for width in study.uniform.records if width in logistic.records]
    curves = ((study.uniform, "ReLU", VERMILION, "^-"), (logistic, "logistic", BLUE, "o--"))
    for widths, label, colour, marker in curves:
        medians = [widths.median_test(width) for width in both]
        by_width.plot(range(len(both)), medians, marker, color=colour, markersize=4, label=label)
    by_width.set_xticks(range(len(both)), [str(width) for width in both])
    by_width.set(yscale="log", xlabel="hidden units", ylabel="median test MSE")
    by_width.margins(y=0.35)
    by_width.legend(loc="upper left", borderpad=0)

    x = grid(data)
    model = study.uniform.best_model(10)
    z, v = hidden_outputs(model, x)
    for unit in range(len(v)):
        style = {"color": PALETTE[unit % len(PALETTE)], "linestyle": UNIT_DASHES[unit % len(UNIT_DASHES)]}
        hidden.plot(x, z[:, unit] * v[unit], linewidth=0.9, **style)
    hidden.plot(x, predict(model, x), color=INK, linewidth=1.8)
    hidden.set(xlabel="input $x$", ylabel="output × weight")
    panel_letters([*fits, losses, by_width, hidden])
    return fig
