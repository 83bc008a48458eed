"""Figures of many runs: where they ended, and how that depends on the width and the unit."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from fnn.data import Dataset
from fnn.experiments.common import Share, predict
from fnn.experiments.task_2a import Conjecture
from fnn.experiments.task_2b import FIXED_V, MOST, LimitStudy, Restarts
from fnn.experiments.task_2c import Widths
from fnn.experiments.task_2e import ReluStudy
from fnn.report.figures.fits import conjecture_panels, crosses, grid, y_limits
from fnn.report.figures.style import BLUE, FAINT, INK, LINES, VERMILION, figure, panel_letters, units_title
from fnn.report.numbers import number, percent


def draw_restarts(data: Dataset, studies: Mapping[int, Restarts]) -> Figure:
    """Above, the most frequent end results of each width; below, the share of runs of each (task 2b)."""
    fig = figure(3.6)
    axes = fig.subplots(2, len(studies), sharey="row", height_ratios=(1, 1.5))
    x = grid(data)
    for (upper, lower), (width, study) in zip(axes.T, studies.items(), strict=True):
        crosses(upper, data)
        for rank, minimum in reversed(list(enumerate(study.frequent()))):
            best = minimum is study.best
            upper.plot(
                x, predict(study.model(minimum), x), **LINES[rank], linewidth=2.0 if best else 1.0,
                zorder=3 if best else 2,
            )  # fmt: skip
        upper.set_title(units_title(width))
        _shares(lower, study)
    y_limits(axes[0, 0], data)
    axes[0, 0].set_ylabel("target $y$")
    axes[1, 0].set_ylabel("training loss, best first")
    panel_letters([*axes[0], *axes[1]])
    return fig


def _shares(ax: Axes, study: Restarts) -> None:
    """A line for each frequent minimum, as long as its share of the runs, under its loss and its ending."""
    frequent = study.frequent()
    for rank, minimum in enumerate(frequent):
        first, share = ", first run" if 0 in minimum.runs else "", study.share(minimum)
        bar = {**LINES[rank], "linestyle": "-"}  # a dash would blur where it ends
        ax.plot([0, share.percent], [rank, rank], **bar, linewidth=3.0, solid_capstyle="butt")
        text = f"{number(minimum.train_mse, 4)}: {percent(share)}, {minimum.ending}{first}"
        ax.plot([1, 15], [rank - 0.42] * 2, **LINES[rank], linewidth=1.4)  # a sample of the curve's line
        ax.text(18, rank - 0.2, text, fontsize=8.6, va="bottom")
    rest = Share(len(study.record) - sum(minimum.count for minimum in frequent), len(study.record))
    last = len(frequent)
    ax.plot([0, rest.percent], [last, last], color=FAINT, linewidth=3.0, solid_capstyle="butt")
    ax.text(1, last - 0.2, f"all others: {percent(rest)}", fontsize=8.6, va="bottom")
    ax.set(xlim=(0, 100), ylim=(MOST + 0.4, -0.9), yticks=[], xlabel="share of the runs (%)")
    ax.spines["left"].set_visible(False)


def draw_limit(study: LimitStudy) -> Figure:
    """The excess loss of networks on their way to the limit (task 2b)."""
    fig = figure(1.7)
    ax = fig.subplots()
    if study.limit:  # data without a limit have none
        ax.plot(
            FIXED_V, study.predicted(FIXED_V), color=INK, linewidth=0.8, label=r"predicted, $\kappa/(4V^2)$"
        )
        ax.plot(FIXED_V, study.excess, ".", color=BLUE, markersize=5, label="minimised at fixed $V$")
        ax.plot(
            study.run_V, study.run_excess, "^", color=VERMILION, markersize=4.5, markeredgewidth=0,
            label="runs of BFGS",
        )  # fmt: skip
        ax.set(xscale="log", yscale="log")
        ax.legend(loc="lower left", borderpad=0, borderaxespad=0.2, labelspacing=0.15, handlelength=1.2)
    ax.set(xlabel="$V$, half the difference of the output weights", ylabel="excess loss $E - E^*$")
    return fig


def draw_widths(study: Widths) -> Figure:
    """Train and test MSE of every run at every width, and test MSE of two other ways to train (task 2c)."""
    fig = figure(2.0)
    axes = list(fig.subplots(1, 4, sharey=True))
    data = study.normal.data
    parts = (
        ("train", study.normal, "training", BLUE),
        ("test", study.normal, "test", VERMILION),
        ("test", study.uniform, "test, uniform centres", VERMILION),
        ("test", study.decayed, "test, weight decay", VERMILION),
    )
    for ax, (part, widths, title, colour) in zip(axes, parts, strict=True):
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
        ax.set_title(title)
    axes[0].set_ylabel("mean squared error")
    panel_letters(axes)
    return fig


def draw_relu(data: Dataset, study: ReluStudy, conjectures: Sequence[Conjecture]) -> Figure:
    """Tasks a) to c) once more with ReLU units: conjectures and best fits, runs, widths."""
    fig = figure(2.9)
    rows = fig.add_gridspec(2, 1)
    above, below = rows[0].subgridspec(1, 4), rows[1].subgridspec(1, 2)
    first = fig.add_subplot(above[0])
    fits = [first, *(fig.add_subplot(above[i], sharey=first) for i in (1, 2, 3))]
    losses, by_width = (fig.add_subplot(below[i]) for i in range(2))
    for ax in fits[1:]:
        ax.tick_params(labelleft=False)
    best = {guess.units: study.uniform.best_model(guess.units) for guess in conjectures}
    conjecture_panels(fits, data, conjectures, best)

    laws = ((study.normal, "normal", VERMILION, "-"), (study.uniform, "uniform kinks", BLUE, "--"))
    for widths, label, colour, dash in laws:
        ordered = widths[2].train_mse.sort().values
        losses.plot(torch.linspace(0, 100, len(ordered)), ordered, color=colour, linestyle=dash, label=label)
    losses.set(xlabel="runs with 2 units, by loss (%)", ylabel="training MSE")
    low, high = losses.get_ylim()
    losses.set_ylim(low - 0.8 * (high - low), high)  # room for the legend
    losses.legend(loc="lower right", borderpad=0)

    both = list(study.logistic.records)
    curves = ((study.uniform, "ReLU", VERMILION, "^-"), (study.logistic, "logistic", BLUE, "o--"))
    for widths, label, colour, marker in curves:
        medians = [widths[width].median_test for width in both]
        by_width.plot(range(len(both)), medians, marker, color=colour, markersize=4, label=label)
    by_width.set_xticks(range(len(both)), [str(width) for width in both])
    by_width.set(yscale="log", xlabel="hidden units", ylabel="test MSE")
    by_width.yaxis.set_major_locator(LogLocator(numticks=9))  # every power of ten
    by_width.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderpad=0)
    panel_letters([*fits, losses, by_width])
    return fig
