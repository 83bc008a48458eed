"""What the fixture's chunks call."""

from IPython.display import Markdown

answer = 42


def bold():
    return Markdown("**bold**")


def table(rows):
    lines = ["| n | square |", "|--:|--:|", *(f"| {n} | {n**2} |" for n in range(rows))]
    return "\n".join(lines)


class Frame:
    """Prints itself as a frame of pandas does."""

    def _repr_html_(self):
        return "<table><tr><td>1</td><td>2.5</td></tr></table>"
