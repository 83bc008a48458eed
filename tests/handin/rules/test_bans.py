"""Banned modules and names: found however they are written; what is allowed is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from good_project import Recipe

from handin.reading.submission import Submission
from handin.rules import Finding, Status
from handin.rules.bans import banned_modules, banned_names

MODULES, NAMES = 0, 1  # the rules, by their place in what `look` says
Look = Callable[..., tuple[list[Finding], list[Finding]]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """What the two rules say about some files, by their names, or about one."""
    project = Recipe().write(tmp_path)

    def judge(
        code: str = "", file: str = "solution.py", files: dict[str, str] | None = None
    ) -> tuple[list[Finding], list[Finding]]:
        held = {name: text.encode() for name, text in (files or {file: code}).items()}
        submission = Submission(project, held)
        return banned_modules(submission), banned_names(submission)

    return judge


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (MODULES, "import numpy"),
        (MODULES, "import torch, numpy as np"),
        (MODULES, "from numpy.linalg import norm"),
        (MODULES, "import autograd.numpy as anp"),
        (MODULES, "def f():\n    if True:\n        import numpy"),
        (MODULES, "try:\n    import numpy\nexcept ImportError: pass"),
        (MODULES, "import torch\ntorch.ones(1).numpy()"),
        (NAMES, "import torch.nn as nn\nnn.Linear(1, 2)"),
        (NAMES, "from torch import nn\nclass Layer(nn.Linear): ..."),
        (NAMES, "from torch.nn import Linear as Parameter"),
        (NAMES, "from torch.nn import *"),
        (NAMES, "import torch as t\nt.nn.Sequential()"),
        (NAMES, "import torch\nn = torch.nn\nn.ReLU()"),
        (NAMES, "import torch\ngetattr(torch.nn, 'Linear')"),
        (NAMES, "import torch\ntorch.nn.__dict__['Linear']"),
        (NAMES, "from torch.nn.modules.linear import Linear"),
        (NAMES, "import torch.nn.functional as F\nF.linear"),
        (NAMES, "import torch\nlayer = torch.nn.Linear if True else None"),
        (NAMES, "import torch\ntorch.vmap"),
        (NAMES, "from torch.func import vmap as batched"),
        (NAMES, "import functorch\nfunctorch.vmap"),
    ],
)
def test_what_is_banned_is_found(look: Look, rule: int, code: str) -> None:
    finding = look(code)[rule][0]
    assert finding.status is Status.FAIL
    assert finding.place == f"solution.py:{code.count(chr(10)) + 1 - code.count('except')}"
    assert finding.remedy


@pytest.mark.parametrize(
    "code",
    [
        "import torch\nfrom torch import nn\nclass M(nn.Module):\n    p = nn.Parameter(torch.ones(1))",
        "from torch.nn import Module, Parameter, init\ninit.normal_(1)",
        "import torch.nn.functional as F\nF.log_softmax",
        "import torch\nloss = torch.nn.MSELoss()",
        "import torch.nn.utils\ntorch.nn.utils.parameters_to_vector",
        "import torch\ngetattr(torch, 'relu')",
        "numpy = 'import numpy'  # numpy, nn.Linear, vmap",
        "import scipy.optimize",
        "def state(self):\n    return vars(self)",
        "model.eval()",
        "import torch\ntorch.compile(model)",
        "import torch.nn.functional as F\nF.binary_cross_entropy\nF.nll_loss\nF.kl_div\nF.huber_loss",
        "def eval(x): ...\neval(1)",
        "words = {'vmap': 1}\nwords['vmap']",
        "class A:\n    def vmap(self): ...\nA().vmap()",
        "nn = {}\nnn.Linear = 1",
        "def f(name):\n    return {}[name]",
    ],
)
def test_what_is_allowed_is_left_alone(look: Look, code: str) -> None:
    modules, names = look(code)
    assert {finding.status for finding in (*modules, *names)} == {Status.PASS}


@pytest.mark.parametrize(
    "code",
    [
        "no python at all",
        "(" * 5000,
        "\0",
        "__import__('num' + 'py')",
        "import importlib\nimportlib.import_module(name)",
        "import sys\nsys.modules['numpy']",
        "exec(text)",
    ],
)
def test_what_cannot_be_followed_is_said_so(look: Look, code: str) -> None:
    for rule in MODULES, NAMES:
        assert look(code)[rule][0].status is Status.CANNOT_TELL


@pytest.mark.parametrize("code", ["import matplotlib.pyplot as p\np.np.ones(1)", "from mlab import np"])
def test_np_of_another_module_may_be_numpy(look: Look, code: str) -> None:
    assert [finding.status for finding in look(code)[MODULES]] == [Status.CANNOT_TELL]


@pytest.mark.parametrize(
    "code",
    [
        "from torch import *\nvmap(print)",
        "import torch\ngetattr(torch, name)",
        "import torch\nclass A:\n    def f(self): self.nn = torch.nn; self.nn.Linear",
        "import torch\nn, m = torch.nn, 1\nn.Linear",
        "from torch import nn\nclass A:\n    n = nn\nA.n.Linear",
        "from torch import nn\nif (n := nn): n.Linear",
    ],
)
def test_what_may_be_any_name_is_said_so(look: Look, code: str) -> None:
    assert [finding.status for finding in look(code)[NAMES]] == [Status.CANNOT_TELL]


def test_places_in_notebooks_name_cell_and_line_and_magics_are_read_over(look: Look) -> None:
    cells = [
        {"cell_type": "markdown", "source": "import numpy"},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "!pip install torch\n", "torch?\n", "x = 1\n"],
        },
        {"cell_type": "code", "source": "import torch\nimport numpy"},
    ]
    modules, _ = look(json.dumps({"cells": cells}), "nb.ipynb")
    assert [finding.place for finding in modules] == ["nb.ipynb, cell 3, line 2"]


def test_boundary_and_exclusions_are_by_path(look: Look) -> None:
    conversion = "import torch\ntorch.from_numpy(1)\n"
    files = {
        "code/net/boundary.py": conversion,
        "tests/deep/test_a.py": "import numpy\n",
        "data/make_data.py": "import numpy\n",
        "tests2.py": "import torch\n",
    }
    assert look(files=files)[0][0].status is Status.PASS
    [finding] = look(files=files | {"code/other.py": conversion})[0]
    assert (finding.status, finding.place) == (Status.FAIL, "code/other.py:2")
    [finding] = look(files=files | {"code/use.py": "from make_data import x\n"})[0]
    assert (finding.status, finding.place) == (Status.CANNOT_TELL, "code/use.py:1")
    assert "stands outside the solution" in finding.message


def test_questions_and_comments_are_no_magic(look: Look) -> None:
    code = "import torch\nif torch:  # why?\n    x = 1\ntorch.nn?\n\n\n%time\nimport numpy"
    modules, _ = look(json.dumps({"cells": [{"cell_type": "code", "source": code}]}), "nb.ipynb")
    assert [(f.status, f.place) for f in modules] == [(Status.FAIL, "nb.ipynb, cell 1, line 8")]


def test_cells_and_chunks_share_their_names(look: Look) -> None:
    cells = [
        {"cell_type": "code", "source": "from torch import nn"},
        {"cell_type": "code", "source": "nn.Linear(1, 1)"},
    ]
    _, names = look(json.dumps({"cells": cells}), "nb.ipynb")
    assert [(f.status, f.place) for f in names] == [(Status.FAIL, "nb.ipynb, cell 2, line 1")]
    setup, use = "```{python}\nimport torch as t\n```\n", "Text.\n\n```{python}\nx = t.vmap(print)\n```\n"
    [finding] = look(files={"setup.qmd": setup, "sections/1.qmd": use})[1]
    assert (finding.status, finding.place) == (Status.FAIL, "sections/1.qmd:4")
