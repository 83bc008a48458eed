"""Figures are drawn from records, at their size, in readable type, and the same every time."""

import io
import math
from collections.abc import Callable, Iterator

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from fnn import Dataset, load_d1
from fnn.experiments import task_2a, task_2b
from fnn.experiments.task_2b import FIXED_V, LimitStudy
from fnn.experiments.task_2c import Widths, WidthStudy
from fnn.experiments.task_2e import ReluStudy
from fnn.landscape.limit_models import LimitModel
from fnn.report import figures
from fnn.report.figures.style import TEXT_WIDTH
from fnn.training import Record, train_restarts

LIMIT = LimitModel(torch.tensor([1.06, -6.67, -1.73, 7.44, -46.7, 0.86]), 0.0796, 2.87, (0.1, 1.0))
NONE = torch.empty(0, dtype=torch.float64)


@pytest.fixture(scope="module", autouse=True)
def _style() -> Iterator[None]:
    with mpl.rc_context():
        figures.use_print_style()
        yield


@pytest.fixture(scope="module")
def drawings() -> dict[str, Callable[[], Figure]]:
    """Every figure, drawn from a few short runs."""
    data = load_d1()
    records = {width: _train(data, width) for width in (1, 2, 3, 10)}
    relu = {width: _train(data, width, "relu") for width in (1, 2, 3, 4, 10)}
    widths, kinked = WidthStudy(data, records), WidthStudy(data, relu)
    studies = {width: task_2b.study(records[width], data) for width in (1, 2, 3)}
    best = {width: record.model(record.best, torch.float64) for width, record in records.items()}
    V = torch.tensor([10.0, 100.0], dtype=torch.float64)
    excess, runs = LIMIT.k / (4 * FIXED_V**2), LIMIT.k / (4 * V**2)
    limit = LimitStudy(LIMIT, 256, excess, V, runs)
    without = LimitStudy(None, 256, NONE, NONE, NONE)
    guesses = [task_2a.conjecture(data, width) for width in (0, 1, 2, 3)]
    kinks = [task_2a.conjecture(data, width, "relu") for width in (1, 2, 3, 4)]
    firsts = {0: guesses[0].model, **{width: best[width] for width in (1, 2, 3)}}
    return {
        "conjectures": lambda: figures.draw_conjectures(data, guesses, firsts),
        "restarts": lambda: figures.draw_restarts(data, studies),
        "limit": lambda: figures.draw_limit(limit),
        "no limit": lambda: figures.draw_limit(without),
        "widths": lambda: figures.draw_widths(Widths(widths, widths, widths, 1e-6)),
        "predictions": lambda: figures.draw_predictions(widths, close=(2, 3, 10)),
        "two units": lambda: figures.draw_two_units(data, {"one": best[2], "another": best[2]}),
        "hidden": lambda: figures.draw_hidden_outputs(data, {str(m): best[m] for m in (2, 3, 10)}),
        "relu": lambda: figures.draw_relu(data, ReluStudy(kinked, kinked, widths), kinks),
        "graphs": lambda: figures.draw_graphs(50),
    }


NAMES = (
    "conjectures", "restarts", "limit", "no limit", "widths", "predictions", "two units", "hidden", "relu",
    "graphs",
)  # fmt: skip


def _train(data: Dataset, width: int, phi: str = "sigmoid") -> Record:
    return train_restarts([width], 4, method="lm", phi=phi, data=data, limits="quick")


def _svg(fig: Figure) -> bytes:
    buffer = io.BytesIO()
    fig.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})  # as Jupyter crops
    return buffer.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_keeps_its_width_and_repeats(drawings: dict[str, Callable[[], Figure]], name: str) -> None:
    first, second = (_svg(drawings[name]()) for _ in range(2))
    assert first == second
    width = float(first.split(b'width="', 1)[1].split(b"pt", 1)[0])
    assert math.isclose(width, 72 * TEXT_WIDTH, abs_tol=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_type_is_readable_and_axes_are_labelled(drawings: dict[str, Callable[[], Figure]], name: str) -> None:
    fig = drawings[name]()
    fig.draw_without_rendering()
    sizes = [
        text.get_fontsize() for text in fig.findobj(Text) if text.get_visible() and text.get_text().strip()
    ]
    assert min(sizes) >= 8.6  # points; superscripts are set at 0.7 of it, that is at 6
    for ax in fig.axes:
        if ax.axison:
            row_label = any(
                other.get_ylabel() for other in fig.axes if ax.get_shared_y_axes().joined(ax, other)
            )
            column = ax.get_subplotspec().colspan.start
            assert ax.get_ylabel() or row_label or column > 0
