"""One function per figure: takes a record, returns a figure. Nothing here trains."""

from fnn.figures.fits import draw_conjectures, draw_embedding, draw_hidden_outputs, draw_predictions
from fnn.figures.graphs import draw_graphs
from fnn.figures.studies import draw_limit, draw_methods, draw_relu, draw_restarts, draw_widths
from fnn.figures.style import use_print_style

__all__ = [
    "draw_conjectures",
    "draw_embedding",
    "draw_graphs",
    "draw_hidden_outputs",
    "draw_limit",
    "draw_methods",
    "draw_predictions",
    "draw_relu",
    "draw_restarts",
    "draw_widths",
    "use_print_style",
]
