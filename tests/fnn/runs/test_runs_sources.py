"""Which edits train which networks anew: those of the code that they are computed by, and no others."""

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from fnn.optimizers import METHODS
from fnn.runs import records
from fnn.runs.records import CODE as KEYS
from fnn.runs.sources import CODE, dependencies
from fnn.units import UNITS

SHARED = ["objective", "network", "problem", "initial_points"]
OWN = {
    "bfgs": ["bfgs", "inverse_hessian", "line_search", "batch"], "lm": ["levenberg_marquardt", "batch"],
    "adam": ["adam", "first_order", "batch"], "rprop": ["rprop", "first_order", "batch"],
    "scipy-bfgs": ["scipy_bfgs"],
}  # fmt: skip


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the package's sources, to edit."""
    shutil.copytree(CODE / "fnn", tmp_path / "fnn", ignore=shutil.ignore_patterns("fonts", "__pycache__"))
    return tmp_path


def sources(method: str, phi: str, code: Path) -> dict[str, str]:
    """`records._code` for other sources."""
    modules = ["fnn.runs.train_batch", METHODS[method].minimize.__module__]
    return dependencies(modules, code=code) | dependencies(["fnn.units"], row=phi, code=code)


def trained_anew(code: Path, unit: str = "") -> set[tuple[str, str]]:
    """The methods and units, or those with one unit, whose key differs from that of the sources that run."""
    keys = [key for key in KEYS if unit in ("", key[1])]
    return {key for key in keys if not sources(*key, code).items() <= KEYS[key].items()}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_change_trains_the_methods_that_use_it(code: Path) -> None:
    for path in sorted((code / "fnn").rglob("*.py")):
        before = path.read_text()
        path.write_text(before + "\nANOTHER = 1\n")
        optimizer = path.stem if path.parent.name == "optimizers" else ""
        batch = path.name == "train_batch.py"
        methods = {m for m, own in OWN.items() if batch or optimizer in [*SHARED, *own]}
        changed = {method for method, _ in trained_anew(code, "identity") if method in OWN}
        assert changed == methods, path
        path.write_text(before)


def test_a_change_of_a_unit_trains_its_own_networks(code: Path) -> None:
    edit(code / "fnn/units.py", "1 - a * a", "1 - a * a * 1.0")
    assert trained_anew(code) == {key for key in KEYS if key[1] == "tanh"}
    edit(code / "fnn/units.py", "    return z\n", "    return 1 * z\n")  # what a row names
    assert trained_anew(code) == {key for key in KEYS if key[1] in ("tanh", "identity")}


def test_a_change_of_what_a_row_rests_on_changes_its_key(tmp_path: Path) -> None:
    """A constant of the module, and what it imports, under whatever name."""
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/helper.py").write_text("def g(a): return a\n")
    units = tmp_path / "tiny/units.py"
    units.write_text(
        "import scipy.special as sp\nimport json\nfrom tiny.helper import g as h\nA = 1.0\nB = 2 * A\nC = 3\n"
        "UNITS = [Unit('one', lambda a: B * h(sp.expit(a))), Unit('two', lambda a: a)]\n"
    )
    one, two = (dependencies(["tiny.units"], row=row, code=tmp_path) for row in ("one", "two"))
    assert list(one) == ["tiny.helper", "tiny.units, one", "numpy", "scipy"]
    assert list(two) == ["tiny.units, two"]
    for old, new in (("A = 1.0", "A = 2.0"), ("B = 2", "B = 3")):
        edit(units, old, new)
        changed = dependencies(["tiny.units"], row="one", code=tmp_path)
        assert changed["tiny.units, one"] != one["tiny.units, one"]
        one = changed
    edit(units, "C = 3", "C = 4")
    assert dependencies(["tiny.units"], row="one", code=tmp_path) == one
    assert dependencies(["tiny.units"], row="two", code=tmp_path) == two


def test_a_new_method_and_a_new_unit_train_nothing_anew(code: Path) -> None:
    (code / "fnn/optimizers/own.py").write_text("def minimize(objective, start, limits): ...\n")
    edit(code / "fnn/optimizers/__init__.py", '    "lm":', '    "own": Method(own.minimize),\n    "lm":')
    row = '        Unit("softplus", softplus, lambda a: 1 - torch.exp(-a)),\n        Unit("tanh"'
    edit(code / "fnn/units.py", '        Unit("tanh"', row)
    edit(code / "fnn/units.py", "@dataclass", "def softplus(z): return z.exp().log1p()\n\n\n@dataclass")
    assert trained_anew(code) == set()
    assert list(dependencies(["fnn.units"], row="softplus", code=code)) == ["fnn.units, softplus", "torch"]


def test_comments_docstrings_and_layout_train_nothing(code: Path) -> None:
    for path in (code / "fnn").rglob("*.py"):
        bare = ast.unparse(ast.parse(path.read_text()))  # no comment is left, and no layout
        path.write_text(f'"""Another docstring."""\n# and a comment\n\n{bare}\n"what a field means"\n')
    assert trained_anew(code) == set()


def test_the_modules_of_the_key_are_those_that_run() -> None:
    """Seen at work: which modules of the package are entered while a shard of each method is trained."""
    program = """if True:
        import json, sys
        import fnn
        from fnn.optimizers import METHODS, Limits
        from fnn.runs.train_batch import train_batch
        from fnn.training import Training
        entered = {}
        for name, method in METHODS.items():
            modules = set()
            limits = Limits(iterations=2, least_squares_iterations=2)
            for sizes, phi, init in ([2], "identity", "course"), ([40], "tanh", "nguyen-widrow"):
                training = Training(sizes, 2, name, phi, 1, init=init, limits=limits)
                for watch in (None, lambda frame, *_: modules.add(frame.f_globals.get("__name__", ""))):
                    sys.setprofile(watch)  # when what torch loads at first use is there
                    train_batch([training], method.minimize, [range(2)])
                    sys.setprofile(None)
            entered[name] = sorted(module for module in modules if module.startswith("fnn."))
        print(json.dumps(entered))
    """
    variables = os.environ | {"PYTHONPATH": str(CODE)}
    run = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    kept = {"fnn.data", "fnn.runs.records", "fnn.units"}  # give the arguments
    for name, modules in json.loads(run.stdout).items():
        known = {part.partition(",")[0] for part in KEYS[name, "tanh"] if part.startswith("fnn.")}
        assert set(modules) - kept == known - kept, name


def test_libraries_are_those_that_the_code_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"lm": {"torch"}, "scipy-bfgs": {"torch", "scipy", "numpy"}}
    for method, libraries in others.items():
        named = {part for part in KEYS[method, "relu"] if not part.startswith("fnn.")}
        assert named == libraries | {"processor"}
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "scipy" else version(name))
    changed = {key for key in KEYS if records._code(*key) != KEYS[key]}
    assert changed == {("scipy-bfgs", phi) for phi in UNITS}


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    for name, text in {
        "train.py": "from tiny.models import f\ndef g():\n    from tiny import data\n",
        "models.py": "from typing import TYPE_CHECKING\nfrom tiny.sub import step\n"
        "if TYPE_CHECKING:\n    from tiny import figures\nelse:\n    import tiny.other\n",
        "data.py": "import json\n",
        "other.py": "",
        "figures.py": "import tiny.train\n",
        "sub/__init__.py": "",
        "sub/step.py": "",
    }.items():
        (tmp_path / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / name).write_text(text)
    found = dependencies(["tiny.train"], code=tmp_path)
    expected = [".data", ".models", ".other", ".sub.step", ".train"]
    assert list(found) == [f"tiny{name}" for name in expected]
    (tmp_path / "tiny" / "train.py").write_text("from . import models\n")
    with pytest.raises(ValueError, match=r"tiny\.train, line 1: a relative import"):
        dependencies(["tiny.train"], code=tmp_path)
