"""Good hand-ins of made-up students, set by Typst: what a careful student would upload."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import typst

from handin.project import Handin, load_project

NAMES = load_project(Path(__file__).parents[2]).handin  # of this course
COURSE = Handin(
    banned_modules=("numpy",),
    banned_names=NAMES.banned_names,
    allowed_names=NAMES.allowed_names,
    assignment=1,
    archive="dl24-{assignment}-{login}.zip",
    page_limit=10,
    tasks=("1", "1a", "1b", "2", "2a"),
    course="Deep Learning (FSS24)",
    example_logins=("alovelac",),
)

_STYLE = """
#set document(title: "Assignment 1", author: sys.inputs.name)
#set page("a4", numbering: "1 of 1")
#set text(font: "Libertinus Serif", size: 10.5pt, lang: "en")
#set heading(numbering: "1a")
#show figure.caption: set text(9pt)
#let plot(..heights) = figure(
  box(width: 9cm, height: 4cm, stroke: 0.5pt, inset: 8pt, {
    for (i, h) in heights.pos().enumerate() {
      place(bottom + left, dx: i * 1.1cm, rect(width: 0.8cm, height: h * 1cm, fill: blue.lighten(40%)))
    }
    place(top + right, text(8pt)[x])
  }),
  caption: [Mean squared error over hidden units.],
)
#let more = if sys.inputs.long == "yes" { range(6) } else { () }
#text(15pt)[*Deep Learning (FSS24), Assignment 1*]

#sys.inputs.name (#sys.inputs.login)
"""

_REPORT = """
= Implement an MLP
The network is written with tensors alone.
== Logistic regression
@errors shows how the error falls, as Bishop (2006) predicts @bishop.
#plot(3, 2.4, 1.1, 0.4) <errors>
== The class
#lorem(220)
= Experiment with MLPs
#lorem(150)
== Conjecture
We expect what @fit shows: the error falls with the number of units.
#plot(0.4, 1.1, 2.4, 3) <fit>
#lorem(300)
#for i in more [
  #lorem(160)
  The error of run #i stands in #ref(label("run" + str(i))).
  $ delta_(z, #i) = sum_k w_(k, #i) sigma'(z_k) (y - hat(y)) $
  #plot(1, 2, 3 - 0.3 * i, 0.2 * i) #label("run" + str(i))
  #lorem(200)
]
#bibliography(bytes("
bishop:
  type: book
  title: Pattern Recognition and Machine Learning
  author: Bishop, Christopher
  date: 2006
"), style: "ieee")
"""

_NOTEBOOK = """
= Implement an MLP
```python
import torch
mlp = MLP([1, 3, 1])
```
== Logistic regression
#plot(3, 2.4, 1.1, 0.4)
== The class
```python
print(mlp(torch.tensor([1.0])))
```
= Experiment with MLPs
== Conjecture
#plot(0.4, 1.1, 2.4, 3)
#for i in more [
  ```python
  for seed in range(100):
      torch.manual_seed(seed)
      network = train1([10], nreps=1)
      print(seed, float(loss(network(X1test), y1test)))
  ```
  #for seed in range(100) [#raw(str(seed) + " " + str(calc.sin(seed)) + "\n")]
  #plot(1, 2, 3 - 0.3 * i, 0.2 * i)
]
"""

_MLP = '''"""A multilayer perceptron on plain tensors."""

import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        for layer, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
            self.register_parameter(f"{layer}_weight", nn.Parameter(torch.randn(rows, columns) / rows**0.5))
            self.register_parameter(f"{layer}_bias", nn.Parameter(torch.randn(columns)))
'''


@cache
def files(login: str = "mmuster", name: str = "Maria Muster", long: bool = False) -> dict[str, bytes]:
    """The files of a good hand-in by one student: 2 pages of report, or 9 with as many figures."""
    return {
        "report.pdf": _set(_REPORT, login, name, long),
        "notebook.pdf": _set(_NOTEBOOK, login, name, long),
        "notebook.ipynb": _ipynb("import torch\nmlp = MLP([1, 3, 1])", "print(mlp(torch.tensor([1.0])))"),
        "code/mlp.py": _MLP.encode(),
    }


def _set(body: str, login: str, name: str, long: bool) -> bytes:
    inputs = {"login": login, "name": name, "long": "yes" if long else "no"}
    return bytes(typst.compile((_STYLE + body).encode(), sys_inputs=inputs))


def _ipynb(*cells: str) -> bytes:
    code = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "execution_count": i,
            "outputs": [],
            "source": source,
        }
        for i, source in enumerate(cells, start=1)
    ]
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": code, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode()
