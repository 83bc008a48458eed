"""Banned modules and names: found however they are written; what is allowed is left alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from good_project import Recipe

from handin.reading.submission import Submission
from handin.rules import Finding, Status
from handin.rules.bans import banned_modules, banned_names

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


until_3_13 = pytest.mark.skipif(sys.version_info >= (3, 13), reason="newer Pythons read it")


@pytest.mark.parametrize(
    "code",
    [
        "import numpy",
        "import numpy as np, torch",
        "from numpy.linalg import norm",
        "import autograd.numpy as anp",
        "from pylab import *",
        "def f():\n    if True:\n        import numpy",
        "try:\n    import numpy\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('num' + 'py')",
        "__import__('numpy')",
        "__import__('numpy.linalg')",
        "import builtins\nbuiltins.__import__('numpy')",
        "import sys\nsys.modules['numpy']",
        "import importlib\nname = 'numpy'\nimportlib.import_module(name)",
        "import matplotlib.pyplot as plt\nplt.np.zeros(3)",
        "import scipy\nscipy.np.zeros(3)",
        "import torch\ntorch.ones(1).numpy()",
        "import torch\ngetattr(torch.ones(1), 'numpy')()",
    ],
)
def test_a_banned_module_is_found(look: Look, code: str) -> None:
    findings, _ = look(code)
    assert findings[0].status is Status.FAIL
    assert findings[0].place == f"solution.py:{code.count(chr(10)) + 1 if 'if True' not in code else 3}" or (
        "try" in code and findings[0].place == "solution.py:2"
    )


@pytest.mark.parametrize(
    "code",
    [
        "import torch.nn as nn\nnn.Linear(1, 2)",
        "from torch import nn\nclass Layer(nn.Linear): ...",
        "from torch.nn import Linear as Parameter",
        "from torch.nn import *",
        "import torch as t\nt.nn.Sequential()",
        "import torch\nn = torch.nn\nn.ReLU()",
        "import torch\nn, m = torch.nn, torch\nn.Conv1d",
        "import torch\ngetattr(torch.nn, 'Lin' + 'ear')",
        "import torch\ntorch.nn.__dict__['Linear']",
        "from torch.nn.modules.linear import Linear",
        "import torch.nn.functional as F\nF.linear",
        "import importlib\nnn = importlib.import_module('torch.nn')\nnn.Linear",
        "import torch\nclass A:\n    def f(self):\n        self.nn = torch.nn\n        self.nn.GELU",
        "import torch\nlayer = torch.nn.Linear if True else None",
        "import torch\nif (n := torch.nn): n.Linear",
        "import torch\ntorch.vmap",
        "from torch.func import vmap as batched",
        "from torch import *\nvmap(print)",
        "import functorch\nfunctorch.vmap",
        "import torch\nv = 'vm' 'ap'\ngetattr(torch, v)",
    ],
)
def test_a_banned_name_is_found(look: Look, code: str) -> None:
    _, findings = look(code)
    assert findings[0].status is Status.FAIL
    assert findings[0].remedy


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
        "import re\nre.compile('x' + y)",
        "import torch\ntorch.compile(model)",
        "import torch.nn.functional as F\nF.binary_cross_entropy\nF.nll_loss\nF.kl_div\nF.huber_loss",
        "def eval(x): ...\neval(1)",
        "words = {'vmap': 1}\nwords['vmap']",
        "class A:\n    def vmap(self): ...\nA().vmap()",
        "nn = {}\nnn.Linear = 1",
        "from torch import *\nrelu(1)",
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
        pytest.param("f" + "()" * 5000, marks=until_3_13),
        pytest.param("x = " + "a." * 5000 + "a", marks=until_3_13),
        "(" * 5000,
        "\0",
    ],
)
def test_what_cannot_be_read_is_said_so(look: Look, code: str) -> None:
    modules, _ = look(code)
    assert modules[0].status is Status.CANNOT_TELL


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
    modules, _ = look(json.dumps({"cells": [{"cell_type": "code", "source": "%pylab inline"}]}), "nb.ipynb")
    assert modules[0].status is Status.FAIL


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
