"""Banned modules and names: found however they are written; what is allowed is left alone."""

from __future__ import annotations

import json
import sys
import time

import pytest
from good_project import COURSE

from handin.reading.python_code import forms
from handin.reading.submission import Submission
from handin.rules import Finding, Status
from handin.rules.bans import banned_modules, banned_names


def look(code: str, file: str = "solution.py") -> tuple[list[Finding], list[Finding]]:
    submission = Submission("folder", {file: code.encode()}, COURSE)
    return banned_modules(submission), banned_names(submission)


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
    ],
)
def test_a_banned_module_is_found(code: str) -> None:
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
def test_a_banned_name_is_found(code: str) -> None:
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
def test_what_is_allowed_is_left_alone(code: str) -> None:
    modules, names = look(code)
    assert {finding.status for finding in (*modules, *names)} == {Status.PASS}


@pytest.mark.parametrize(
    "code",
    [
        "def load(name):\n    return __import__(name)",
        "exec(input())",
        "from importlib import import_module as load\nload(''.join(['nu', 'mpy']))",
        "name = 'ypmun'[::-1]\n__import__(name)",
        "part = 'num'\n__import__(f'{part}py')",
        "__import__('%s%s' % ('num', 'py'))",
        "__import__('NUMPY'.lower())",
        "__import__(chr(110) + 'umpy')",
        "__import__(bytes.fromhex('6e756d7079').decode())",
        "import base64\n__import__(base64.b64decode('bnVtcHk=').decode())",
        "exec('import numpy as np')",
        "eval('__import__(\"numpy\")')",
        "exec(compile('import numpy', 'x', 'exec'))",
        "import torch\nvars(torch.nn)['Linear']",
        "import torch\neval('torch.vmap')",
        "import runpy\nrunpy.run_path('x.py')",
        "import torch\ntorch.ones(1).numpy()",
        "import torch\ngetattr(torch.ones(1), 'numpy')()",
        "no python at all",
        pytest.param("f" + "()" * 5000, marks=until_3_13),
        pytest.param("x = " + "a." * 5000 + "a", marks=until_3_13),
        "(" * 5000,
        "\0",
    ],
)
def test_what_only_a_run_or_a_person_can_tell_is_said_so(code: str) -> None:
    modules, _ = look(code)
    assert modules[0].status is Status.CANNOT_TELL


def test_one_rule_speaks_of_what_only_a_run_can_tell() -> None:
    modules, names = look("import torch\nresult = eval('torch' + x)\n")
    assert [finding.status for finding in (*modules, *names)] == [Status.CANNOT_TELL, Status.PASS]


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "'a' + " * 900 + "'a'",
        "x = 'a'" + ".replace('a', 'aa')" * 300,
        "x = 'a' * 10**9",
        "x = '%999999999d' % 1",
        "x = '{:999999999}'.format(1)",
        "x = bytes(10**9)",
        "f" + "()" * 900,
        "a = b = c = d\n" * 3000,
        "import torch\n" + "x = torch.nn\n" * 3000,
    ],
)
def test_hostile_expressions_cost_no_time(code: str) -> None:
    began = time.perf_counter()
    look(code)
    assert time.perf_counter() - began < 2.0


def test_places_in_notebooks_name_cell_and_line_and_magics_are_read_over() -> None:
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


def test_boundary_and_exclusions_are_by_path() -> None:
    course = COURSE.model_copy(
        update={"boundary": ("code/scipy.py",), "not_solution": ("tests", "data/make.py")}
    )
    files = {
        "_quarto.yml": b"",
        "code/scipy.py": b"import torch\ntorch.from_numpy(1)\n",
        "tests/deep/test_a.py": b"import numpy\n",
        "data/make.py": b"import numpy\n",
        "tests2.py": b"import torch\n",
    }
    assert banned_modules(Submission("folder", files, course))[0].status is Status.PASS
    files["code/other.py"] = files["code/scipy.py"]
    [finding] = banned_modules(Submission("folder", files, course))
    assert (finding.status, finding.place) == (Status.FAIL, "code/other.py:2")
    del files["code/other.py"]
    files["code/use.py"] = b"from make import x\n"
    [finding] = banned_modules(Submission("folder", files, course))
    assert "stands outside the solution" in finding.message


def test_questions_and_comments_are_no_magic() -> None:
    code = "import torch\nif torch:  # why?\n    x = 1\ntorch.nn?\n\n\n%time\nimport numpy"
    modules, _ = look(json.dumps({"cells": [{"cell_type": "code", "source": code}]}), "nb.ipynb")
    assert [(f.status, f.place) for f in modules] == [(Status.FAIL, "nb.ipynb, cell 1, line 8")]


def test_cells_and_chunks_share_their_names() -> None:
    cells = [
        {"cell_type": "code", "source": "from torch import nn"},
        {"cell_type": "code", "source": "nn.Linear(1, 1)"},
    ]
    _, names = look(json.dumps({"cells": cells}), "nb.ipynb")
    assert [(f.status, f.place) for f in names] == [(Status.FAIL, "nb.ipynb, cell 2, line 1")]
    setup, use = "```{python}\nimport torch as t\n```\n", "Text.\n\n```{python}\nx = t.vmap(print)\n```\n"
    files = {"setup.qmd": setup.encode(), "sections/1.qmd": use.encode()}
    [finding] = banned_names(Submission("folder", files, COURSE))
    assert (finding.status, finding.place) == (Status.FAIL, "sections/1.qmd:4")


def test_a_name_that_could_hold_anything_costs_no_time() -> None:
    began = time.perf_counter()
    look("import torch\nx = torch\n" + "".join(f"x = x.a{n}\n" for n in range(2000)))
    assert time.perf_counter() - began < 2.0


HANDED_OUT = """
import numpy as np
import torch

def compare(a, b):
    # shows two tensors
    return np.allclose(a.numpy(), b.numpy())

class Helper:
    def plot(self):
        return np.zeros(3)
"""


def test_what_the_course_handed_out_is_not_the_student_s() -> None:
    course = COURSE.model_copy(
        update={"handed_out_forms": tuple(forms({"given/helper.py": HANDED_OUT.encode()}))}
    )

    def places(files: dict[str, str]) -> list[str]:
        held = {name: text.encode() for name, text in files.items()}
        return [f.place for f in banned_modules(Submission("x", held, course)) if f.status is not Status.PASS]

    assert places({"copied.py": f"# their copy\n{HANDED_OUT}\n\n"}) == []
    function = "def compare(a,b):\n    return np.allclose( a.numpy(), b.numpy() )\n"
    assert places({"own.py": f"import torch\n\n{function}"}) == []
    assert places({"own.py": f"import numpy as np\n{function}"}) == ["own.py:1"]
    changed = f"import numpy as np\n{function.replace('allclose', 'equal')}"
    assert set(places({"own.py": changed})) == {"own.py:1", "own.py:3"}
    cells = [{"cell_type": "code", "source": HANDED_OUT.splitlines(keepends=True)}]
    assert places({"nb.ipynb": json.dumps({"cells": cells})}) == []
