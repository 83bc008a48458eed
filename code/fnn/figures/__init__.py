"""One function per figure: takes a record, returns a figure. Nothing here trains."""

from fnn.figures.graphs import compute_graphs
from fnn.figures.style import use_print_style

__all__ = ["compute_graphs", "use_print_style"]
