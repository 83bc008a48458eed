"""Figures are drawn from records, at their size, in readable type, and the same every time."""

import io
import math
from collections.abc import Callable, Iterator

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from fnn import Dataset, experiments, figures, load_d1
from fnn.experiments.task_2b import LimitStudy, Restarts
from fnn.experiments.task_2c import Widths, WidthStudy
from fnn.experiments.task_2e import METHODS, MethodRun, ReluStudy
from fnn.figures.style import SMALLEST, TEXT_WIDTH
from fnn.landscape.endings import endings
from fnn.landscape.limit_models import LimitModel
from fnn.landscape.minima import distinct_minima
from fnn.prose.numbers import Share
from fnn.training import Record, train_restarts

LIMIT = LimitModel(0.0796, 1.06, -6.67, -1.73, 7.44, -46.7, 0.86, (), 2.87, (0.1, 1.0), "sigmoid")


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
    studies = {width: _study(data, records[width]) for width in (1, 2, 3)}
    best = {width: record.model(record.best, torch.float64) for width, record in records.items()}
    V = torch.tensor([10.0, 100.0], dtype=torch.float64)
    limit = LimitStudy(LIMIT, 576, V, LIMIT.excess(V), V / 10, LIMIT.excess(V / 10), Share(2, 4))
    guesses = [experiments.conjecture(data, width) for width in (0, 1, 2, 3)]
    kinks = [experiments.conjecture(data, width, "relu") for width in (1, 2, 3, 4)]
    firsts = {0: guesses[0].model, **{width: best[width] for width in (1, 2, 3)}}
    steps = torch.tensor(records[3].trace_evaluations, dtype=torch.float64)
    runs = [MethodRun(name, records[3], steps, 1e3 * steps) for name in METHODS.values()]
    spike = experiments.find_spike(best[10], data)
    return {
        "conjectures": lambda: figures.draw_conjectures(data, guesses, firsts),
        "restarts": lambda: figures.draw_restarts(data, studies),
        "limit": lambda: figures.draw_limit(data, limit, best[2]),
        "widths": lambda: figures.draw_widths(Widths(widths, widths, widths, {})),
        "predictions": lambda: figures.draw_predictions(widths, spike),
        "embedding": lambda: figures.draw_embedding(data, best[2], {"another": studies[2].first_model}),
        "hidden": lambda: figures.draw_hidden_outputs(data, {str(m): best[m] for m in (2, 3, 10)}),
        "methods": lambda: figures.draw_methods(runs, 0.01),
        "relu": lambda: figures.draw_relu(data, ReluStudy(kinked, kinked), widths, kinks),
        "graphs": lambda: figures.draw_graphs(50),
    }


NAMES = (
    "conjectures", "restarts", "limit", "widths", "predictions", "embedding", "hidden", "methods", "relu",
    "graphs",
)  # fmt: skip


def _train(data: Dataset, width: int, phi: str = "sigmoid") -> Record:
    return train_restarts([width], 4, method="lm", phi=phi, data=data, limits="quick")


def _study(data: Dataset, record: Record) -> Restarts:
    return Restarts(record, endings(record, data), distinct_minima(record, data))


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
    assert min(sizes) >= SMALLEST
    for ax in fig.axes:
        if ax.axison:
            row_label = any(
                other.get_ylabel() for other in fig.axes if ax.get_shared_y_axes().joined(ax, other)
            )
            column = ax.get_subplotspec().colspan.start
            assert ax.get_ylabel() or row_label or column > 0


def test_data_without_a_limit_are_drawn_too() -> None:
    data = load_d1()
    record = _train(data, 2)
    none = torch.empty(0, dtype=torch.float64)
    study = LimitStudy(None, 576, none, none, none, none, Share(0, 4))
    assert _svg(figures.draw_limit(data, study, record.best_model.double()))
    assert math.isnan(study.deviation(study.V, study.excess))
    assert math.isnan(study.k)
