"""The forward and the backward graph of task 3."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fnn.report.figures.style import BLUE, INK, VERMILION, figure

OPERATIONS = (r"$\times$", r"$+$", r"$\sigma$", r"$\times$", r"$+$", r"$L$")
# The edge into each operation from the left, the last one leaving it, and the one from below (or none).
CHAIN = (
    r"\mathbf{x}", r"\mathbf{z}_1", r"\mathbf{z}_2", r"\mathbf{z}_3", r"\mathbf{z}_4",
    r"\hat{\mathbf{y}}", "l",
)  # fmt: skip
SIDE = (r"\mathbf{W}_1", r"\mathbf{b}_1", None, r"\mathbf{W}_2", r"\mathbf{b}_2", r"\mathbf{y}")
RADIUS = 0.17
TYPE = 12.4  # points, so that an index of an index has 6


def draw_graphs(hidden_units: int) -> Figure:
    """Forward graph with the shape of every quantity above, backward graph with the δ of every edge below."""
    Z = hidden_units
    chain_shapes = ("1", f"{Z}", f"{Z}", f"{Z}", "1", "1", "")
    side_shapes = (rf"1 \times {Z}", f"{Z}", None, rf"{Z} \times 1", "1", "1")
    fig = figure(2.45)
    forward, backward = fig.subplots(2, 1)
    _draw(
        forward, "forward", [rf"${name}$" for name in CHAIN],
        [f"${name}$" if name else None for name in SIDE], BLUE,
    )  # fmt: skip
    for position, shape in enumerate(chain_shapes):
        space = rf"$\mathrm{{ℝ}}^{{{shape}}}$" if shape else r"$\mathrm{ℝ}$"
        forward.text(position - 0.5, -0.1, space, ha="center", va="top", fontsize=9)
    for position, side in enumerate(side_shapes):
        if side:
            forward.text(position + 0.06, -0.62, rf"$\mathrm{{ℝ}}^{{{side}}}$", fontsize=9, va="center")
    _draw(
        backward, "backward", [rf"$\delta_{{{name}}}$" for name in CHAIN],
        [rf"$\delta_{{{name}}}$" if name else None for name in SIDE], VERMILION,
    )  # fmt: skip
    return fig


def _draw(ax: Axes, title: str, chain: list[str], side: list[str | None], colour: str) -> None:
    backward = title == "backward"
    for position, operation in enumerate(OPERATIONS):
        ax.text(
            position, 0, operation, ha="center", va="center", fontsize=10,
            bbox={"boxstyle": "square,pad=0.25", "facecolor": "white", "edgecolor": INK, "linewidth": 0.7},
        )  # fmt: skip
        label = side[position]
        if label:
            _arrow(ax, (position, -0.75), (position, -RADIUS), colour, backward)
            ax.text(position - 0.06, -0.62, label, ha="right", va="center", color=colour, fontsize=TYPE)
    for position, label in enumerate(chain):
        _arrow(ax, (position - 1 + RADIUS, 0), (position - RADIUS, 0), colour, backward)
        ax.text(position - 0.5, 0.12, label, ha="center", va="bottom", color=colour, fontsize=TYPE)
    ax.set(xlim=(-1.15, len(OPERATIONS) + 0.05), ylim=(-0.85, 0.75))
    ax.text(-1.15, 0.75, title, va="top", fontstyle="normal")
    ax.axis("off")


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, backward: bool
) -> None:
    ax.annotate(
        "", xy=start if backward else end, xytext=end if backward else start,
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
