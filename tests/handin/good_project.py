"""A small project as `render` leaves it: sources, two PDFs set by Typst, an executed notebook, fingerprints.

Tests edit the recipe, or what was built from it, and see which rules notice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import typst

from handin import sources
from handin.environment import HAND_IN, Mode
from handin.project import Project, load_project
from handin.reading.submission import Submission

ZIP = "dl24-1-mmuster.zip"

NAMES = load_project(Path(__file__).parents[2]).handin  # of this course
SOURCES = {
    "_quarto.yml": f"""project:
  output-dir: _output
  execute-dir: project
  render: [report.qmd, notebook.qmd]
author:
  - name: Maria Muster
    login: mmuster
dataset:
  train: data/train.csv
handin:
  course: Deep Learning
  assignment: 1
  archive: "dl24-{{assignment}}-{{login}}.zip"
  page-limit: 5
  tasks: ["1", 1a, 1b, "2", 2a, 2b, 2c]
  optional-tasks: [2c]
  example-logins: [alovelac]
  example-names: [Ada Lovelace]
  boundary: [code/net/boundary.py]
  not-solution: [tests, data/make_data.py]
  banned-modules: [numpy]
  banned-names: {list(NAMES.banned_names)}
  allowed-names: {list(NAMES.allowed_names)}
bibliography: references.bib
format:
  typst:
    section-numbering: 1a
    template-partials: [templates/look.typ]
""",
    "_environment": "PYTHONPATH=code\n",
    "report.qmd": """---
title: Assignment 1
---

{{< include sections/1-network.qmd >}}

{{< include sections/2-experiments.qmd >}}

# References {.unnumbered}

::: {#refs}
:::

```{=typst}
#show: appendix
```

{{< include sections/appendix.qmd >}}
""",
    "notebook.qmd": """---
title: Assignment 1
notebook: true
---

{{< include sections/1-network.qmd >}}

{{< include sections/2-experiments.qmd >}}
""",
    "sections/1-network.qmd": """# The network {#sec-1}

## Layers {#sec-1a}

The layers follow @bishop2006, as @fig-errors shows.

```{python}
#| label: fig-errors
#| fig-cap: Errors over units.
#| fig-alt: A falling line.
from net import model
model.draw()
```

## Widths {#sec-1b}

The mean is `{python} model.mean()`; @tbl-widths lists the widths.

```{python}
#| label: tbl-widths
#| tbl-cap: Widths and errors.
model.table()
```
""",
    "sections/2-experiments.qmd": """# Experiments {#sec-2}

## Conjecture {#sec-2a}

Units are placed as in [@nguyen1990].

## Fits {#sec-2b}

All fits are drawn in @fig-fits.

```{python}
#| label: fig-fits
#| fig-cap: All fits.
#| fig-alt: Three curves.
model.fits()
```
""",
    "sections/appendix.qmd": "# Derivations {#sec-derivations}\n\nFurther formulas.\n",
    "references.bib": """@book{bishop2006,
  author = {Bishop, Christopher M.},
  title = {Pattern Recognition},
  year = {2006},
}

@inproceedings{nguyen1990,
  author = {Nguyen, Derrick and Widrow, Bernard},
  title = {Improving the learning speed},
  year = {1990},
}
""",
    "code/net/__init__.py": "from net.model import draw\n",
    "code/net/model.py": """import torch
from torch import nn

from net import boundary


class MLP(nn.Module):
    def __init__(self, sizes: list[int]) -> None:
        super().__init__()
        for layer, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
            self.register_parameter(f"{layer}_weight", nn.Parameter(torch.randn(rows, columns)))


def draw() -> None:
    boundary.minimise(torch.zeros(3))


def mean() -> float:
    return float(torch.ones(3).mean())


def table() -> str:
    return "| a | b |"


def fits() -> None:
    draw()
""",
    "code/net/boundary.py": """import torch
from scipy.optimize import minimize


def minimise(start: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(minimize(lambda x: float(x @ x), start.numpy()).x)
""",
    "data/train.csv": "x,y\n0,0\n1,1\n",
    "data/make_data.py": "import numpy as np\n\nprint(np.arange(3))\n",
    "templates/look.typ": "#set page(paper: \"a4\")\n",
    "tests/test_model.py": "def test_nothing():\n    assert True\n",
    "README.md": "# Hand-in\n",
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["torch==2.13.0", "scipy>=1", "matplotlib"]\n',
}  # fmt: skip

STYLE = """
#set document(title: "Assignment 1", author: "Maria Muster", date: none)
#set page(paper: "a4", margin: 2.4cm, numbering: "1 of 1", header: [Assignment 1 #h(1fr) Deep Learning])
#set text(font: "Libertinus Serif", size: 10.5pt, lang: "en")
#set par(justify: true)
#set heading(numbering: "1a")
#show figure.caption: set text(size: 9pt)
#let appendix(body) = { counter(heading).update(0); set heading(numbering: "A1"); body }
#let drawn(svg, label, caption) = [#figure(image(bytes(svg), format: "svg"), caption: caption) #label]
#let refs(body) = { heading(numbering: none)[References]; set par(hanging-indent: 1.5em); body }
"""

HEAD = """
#align(center)[
  #text(size: 16pt)[Assignment 1]

  Deep Learning

  Maria Muster (mmuster)
]
"""

REPORT = """
= The network <sec-1>
== Layers <sec-1a>
The layers follow Bishop (2006), as @fig-errors shows.
#drawn(errors, <fig-errors>, [Errors over units.])
#lorem(300)
== Widths <sec-1b>
The mean is 1.0; @tbl-widths lists the widths.
#figure(table(columns: 2, [width], [error], [1], [0.5]), caption: [Widths and errors.]) <tbl-widths>
#lorem(350)
= Experiments <sec-2>
#lorem(100)
== Conjecture <sec-2a>
Units are placed as in the literature (Nguyen and Widrow 1990), on the interval [0, 13].
#lorem(250)
== Fits <sec-2b>
All fits are drawn in @fig-fits.
#drawn(fits, <fig-fits>, [All fits.])
#lorem(200)
#refs[
  Bishop, Christopher M. 2006. _Pattern Recognition._

  Nguyen, Derrick, and Bernard Widrow. 1990. _Improving the learning speed of networks with two layers
  by choosing initial values of the adaptive weights,_ a title that needs more than one line.
]
#show: appendix
= Derivations
Further formulas.
#lorem(60)
"""

NOTEBOOK = """
= The network
== Layers
```python
from net import model
model.draw()
```
#drawn(errors, <fig-errors>, [Errors over units.])
== Widths
#figure(table(columns: 2, [width], [error], [1], [0.5]), caption: [Widths and errors.]) <tbl-widths>
= Experiments
== Conjecture
== Fits
```python
model.fits()
```
#drawn(fits, <fig-fits>, [All fits.])
"""


def svg(letters: float = 9.0, width: int = 288) -> str:
    """A drawing with axes, ten marks and text of a size in pt."""
    marks = "".join(f'<path d="M{40 + 20 * i} 20 v80" stroke="#336699" fill="none"/>' for i in range(10))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="144pt" '
        f'viewBox="0 0 {width} 144"><rect width="{width}" height="144" fill="#fdfdfd"/>{marks}'
        f'<text x="120" y="130" font-family="DejaVu Sans Mono" font-size="{letters}">units</text></svg>'
    )


Files = dict[str, bytes]


@dataclass
class Recipe:
    """What a hand-in is made from; every test edits a copy."""

    sources: dict[str, str] = field(default_factory=lambda: dict(SOURCES))
    head: str = HEAD
    report: str = REPORT
    notebook: str = NOTEBOOK
    drawings: dict[str, str] = field(default_factory=lambda: {"errors": svg(), "fits": svg(width=300)})
    cells: list[dict[str, Any]] = field(default_factory=list)
    mode: Mode = HAND_IN
    made_from: str = ""  # where it is not what is here
    after: list[Callable[[Files], None]] = field(default_factory=list)  # edits of what rendering gave

    def write(self, root: Path) -> Project:
        """The project on disk, as rendering leaves it."""
        write(root, {name: text.encode() for name, text in self.sources.items()})
        project = load_project(root)
        cells = self.cells or notebook_cells(self.drawings)
        held: dict[str, Any] = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        outputs = {
            "_output/notebook.ipynb": json.dumps(held).encode(),
            "_output/report.pdf": self.pdf(self.report),
            "_output/notebook.pdf": self.pdf(self.notebook),
        }
        made_from = self.made_from or sources.fingerprint(project, self.mode)
        paths = {root / name: data for name, data in outputs.items()}
        sources.put_in_place(root, paths, made_from)
        if self.after:
            files = {**{name: text.encode() for name, text in self.sources.items()}, **outputs}
            for edit in self.after:
                edit(files)
            for name in outputs.keys() - files:
                (root / name).unlink()
            write(root, files)
        return load_project(root)

    def submission(self, root: Path) -> Submission:
        """What the rules look at."""
        return Submission.of(self.write(root))

    def pdf(self, body: str) -> bytes:
        """One document."""
        lets = "".join(f"#let {name} = {json.dumps(text)}\n" for name, text in self.drawings.items())
        return typeset(STYLE + lets + self.head + body)


def write(root: Path, files: Files) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@cache
def typeset(source: str) -> bytes:
    """A PDF, set once per source."""
    return bytes(typst.compile(source.encode(), ignore_system_fonts=True))


def notebook_cells(drawings: dict[str, str]) -> list[dict[str, Any]]:
    """The cells as they were executed."""
    errors, fits = drawings["errors"], drawings["fits"]
    return [
        code_cell(
            "#| label: fig-errors\n#| fig-cap: Errors over units.\nfrom net import model\nmodel.draw()",
            errors,
        ),
        code_cell("#| label: tbl-widths\n#| tbl-cap: Widths and errors.\nmodel.table()", ""),
        code_cell("#| label: fig-fits\n#| fig-cap: All fits.\nmodel.fits()", fits),
    ]


def code_cell(source: str, drawing: str) -> dict[str, Any]:
    """A code cell that was run, with a drawing or a word as its output."""
    data = {"image/svg+xml": drawing} if drawing else {"text/plain": "done"}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return {
        "cell_type": "code",
        "id": f"cell-{len(source)}",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": [output],
    }
