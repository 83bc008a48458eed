"""Good hand-ins of made-up students, set by Typst: what a careful student would upload."""

from __future__ import annotations

import json
from functools import cache

import typst

from handin.rules import Course

COURSE = Course(
    assignment=1,
    archive="dl24-{assignment}-{login}.zip",
    page_limit=10,
    tasks=("1", "1a", "1b", "2", "2a"),
    name="Deep Learning (FSS24)",
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
def files(login: str = "mmuster", name: str = "Maria Muster") -> dict[str, bytes]:
    """The files of a good hand-in by one student."""
    return {
        "report.pdf": _set(_REPORT, login, name),
        "notebook.pdf": _set(_NOTEBOOK, login, name),
        "notebook.ipynb": _ipynb("import torch\nmlp = MLP([1, 3, 1])", "print(mlp(torch.tensor([1.0])))"),
        "code/mlp.py": _MLP.encode(),
    }


def _set(body: str, login: str, name: str) -> bytes:
    source = (_STYLE + body).encode()
    return bytes(typst.compile(source, sys_inputs={"login": login, "name": name}))


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
