"""One function per figure: takes records, returns a figure. Nothing here trains."""

from fnn.report.figures.fits import (
    draw_conjectures,
    draw_hidden_outputs,
    draw_predictions,
    draw_two_units,
)
from fnn.report.figures.graphs import draw_graphs
from fnn.report.figures.studies import draw_limit, draw_relu, draw_restarts, draw_widths
from fnn.report.figures.style import use_print_style

__all__ = [
    "draw_conjectures",
    "draw_graphs",
    "draw_hidden_outputs",
    "draw_limit",
    "draw_predictions",
    "draw_relu",
    "draw_restarts",
    "draw_two_units",
    "draw_widths",
    "use_print_style",
]
