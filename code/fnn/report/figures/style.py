"""One look for all figures: sizes, type and colours, made for A4 paper.

Labels are set in Libertinus Serif, as the text of the documents is; the font files lie beside this module.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib_inline.backend_inline  # noqa: F401  # shows figures in a notebook where no renderer does
from matplotlib import font_manager, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

TEXT_WIDTH = 6.38  # inches: A4 less the margins in _quarto.yml

INK = "#222222"
FAINT = "#9a9a9a"
# Okabe and Ito's colour-blind safe palette, ordered from dark to light so that it also reads in grey.
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"

# One colour, one dash and one weight per width throughout, so that the curves differ without colour too.
WIDTH_STYLES: dict[int, dict[str, Any]] = {
    1: {"color": SKY, "linewidth": 2.4},
    2: {"color": GREEN, "linewidth": 1.5, "linestyle": (0, (5, 1.2))},
    3: {"color": VERMILION, "linewidth": 2.2, "zorder": 1.4},  # thick, below the thin ones
    10: {"color": BLUE, "linewidth": 0.8, "linestyle": (0, (6, 1, 1, 1)), "zorder": 1.5},
    50: {"color": PURPLE, "linewidth": 0.6, "linestyle": (0, (2, 1)), "zorder": 1.5},
    100: {"color": INK, "linewidth": 0.35, "zorder": 1.5},  # what spikes stays thin
}
# Several curves of one kind, such as the units of a network: six colours, and dashes that change every time.
DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1)), (0, (6, 1, 1, 1)), (0, (8, 2)))
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)
LINES: tuple[dict[str, Any], ...] = tuple(
    {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i % len(DASHES)]} for i in range(30)
)


def use_print_style() -> None:
    """Set the look for every figure drawn afterwards."""
    for font in (Path(__file__).parent / "fonts").glob("*.ttf"):
        font_manager.fontManager.addfont(font)
    style.use(Path(__file__).with_name("print.mplstyle"))


def figure(height: float) -> Figure:
    """An empty figure, `height` in inches, as wide as the text."""
    fig = Figure(figsize=(TEXT_WIDTH, height), layout="constrained")
    # Jupyter crops figures to what is drawn; an invisible frame keeps them at the size they were made for.
    fig.add_artist(Rectangle((0, 0), 1, 1, transform=fig.transFigure, fill=False, edgecolor="none"))
    return fig


def panel_letters(axes: Sequence[Axes]) -> None:
    """(a), (b), … at the upper left of each panel, before its title if it has one."""
    for letter, ax in zip("abcdefghijkl", axes, strict=False):
        title = ax.get_title()
        ax.set_title("")
        ax.set_title(f"({letter}) {title}".rstrip(), loc="left")


def units_title(width: int) -> str:
    """1 unit, 2 units."""
    return f"{width} unit" + ("" if width == 1 else "s")
