"""The model store's key: what a method's code does and nothing else, and all of it."""

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
from fnn.runs.sources import CODE, dependencies
from fnn.training import METHOD_KEYS, method_key

BATCHED = {"bfgs", "lm", "adam", "rprop"}
EVERY = {*BATCHED, "scipy-bfgs"}
# An edit of a computing module, and the methods that it trains anew.
EDITS = [
    ("units.py", "1 - a * a", "1 - a * a * 1.0", EVERY),
    ("backprop.py", "if i == 1 and k < 8:", "if i == 1 and k < 9:", EVERY),
    ("feedforward.py", "x @ W_out + b_out]", "b_out + x @ W_out]", {"scipy-bfgs"}),
    ("inputs/arguments.py", "n=1", "n=2", set()),
    ("models.py", "math.sqrt(D)", "math.sqrt(C)", set()),
    ("optimizers/shard.py", "torch.set_num_threads(1)", "torch.set_num_threads(2)", EVERY),
    ("optimizers/initial_points.py", "length = 0.7", "length = 0.71", EVERY),
    ("optimizers/objective.py", "EXAMPLE_BLOCK = 16", "EXAMPLE_BLOCK = 32", EVERY),
    ("optimizers/problem.py", "2 ** (1 / 12)", "2 ** (1 / 11)", EVERY),
    ("optimizers/batch.py", "> 0.75 *", "> 0.7 *", BATCHED),
    ("optimizers/bfgs.py", "RESTART_GAIN = 1e-8", "RESTART_GAIN = 1e-7", {"bfgs"}),
    ("optimizers/inverse_hessian.py", "SMALL = 64", "SMALL = 65", {"bfgs"}),
    ("optimizers/line_search.py", "C1, C2 = 1e-4, 0.9", "C1, C2 = 1e-4, 0.8", {"bfgs"}),
    ("optimizers/levenberg_marquardt.py", "CALMEST = 0.85", "CALMEST = 0.84", {"lm"}),
    ("optimizers/first_order.py", "Adam([params], lr=0.01)", "Adam([params], lr=0.02)", {"adam", "rprop"}),
    ("optimizers/scipy_reference.py", "2: Stop.NO_PROGRESS", "2: Stop.ITERATIONS", {"scipy-bfgs"}),
    ("optimizers/__init__.py", "cost=0.3", "cost=0.4", set()),
    ("training.py", "parameters**1.5", "parameters**1.4", set()),
    ("data.py", "MIN_ROWS = 10", "MIN_ROWS = 11", set()),
    ("runs/sharding.py", "FEWEST_RUNS, MOST_RUNS = 10, 512", "FEWEST_RUNS, MOST_RUNS = 10, 256", set()),
    ("runs/allocator.py", "32 * 2**20", "16 * 2**20", set()),
    ("runs/progress.py", "self.done += steps", "self.done += 2 * steps", set()),
    ("runs/store.py", "LEFTOVER_AGE = 3600", "LEFTOVER_AGE = 7200", set()),
]  # fmt: skip


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the package's sources, to edit."""
    shutil.copytree(CODE / "fnn", tmp_path / "fnn", ignore=shutil.ignore_patterns("fonts", "__pycache__"))
    return tmp_path


def trained_anew(code: Path) -> set[str]:
    """The methods whose key differs from that of the sources that run."""
    return {
        name
        for name, key in METHOD_KEYS.items()
        if dependencies(list(key["sources"]), code)["sources"] != key["sources"]
    }


def test_every_computing_module_has_its_edit() -> None:
    computing = {module for key in METHOD_KEYS.values() for module in key["sources"]}
    edited = {"fnn." + path.removesuffix(".py").replace("/", ".") for path, *_, methods in EDITS if methods}
    assert edited == computing


@pytest.mark.parametrize(("path", "old", "new", "methods"), EDITS, ids=[edit[0] for edit in EDITS])
def test_a_change_trains_the_methods_that_use_it(
    code: Path, path: str, old: str, new: str, methods: set[str]
) -> None:
    text = (code / "fnn" / path).read_text()
    assert text.count(old) == 1
    (code / "fnn" / path).write_text(text.replace(old, new))
    assert trained_anew(code) == methods


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
        from fnn.optimizers.shard import run_shard
        from fnn.training import Training, make_settings
        data, entered = fnn.load_d1(), {}
        for name, method in METHODS.items():
            modules = set()
            limits = Limits(iterations=30, least_squares_iterations=30)
            for sizes, phi, init in ([2], "identity", "course"), ([40], "tanh", "nguyen-widrow"):
                settings = make_settings(Training(sizes, 3, name, phi, 1, init=init, limits=limits), data)
                sys.setprofile(lambda frame, *_: modules.add(frame.f_globals.get("__name__", "")))
                run_shard(method, settings, data, range(3))
                sys.setprofile(None)
            entered[name] = sorted(module for module in modules if module.startswith("fnn."))
        print(json.dumps(entered))
    """
    environment = os.environ | {"PYTHONPATH": str(CODE)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    entered = json.loads(run.stdout)
    assert entered.keys() == METHODS.keys()
    for name, modules in entered.items():
        assert modules == list(METHOD_KEYS[name]["sources"]), name


def test_libraries_are_those_that_the_code_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(METHOD_KEYS["lm"]["libraries"]) == {"torch"}
    assert set(METHOD_KEYS["scipy-bfgs"]["libraries"]) == {"torch", "scipy", "numpy"}
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0.1" if name == "scipy" else version(name))
    changed = {name for name, method in METHODS.items() if method_key(method) != METHOD_KEYS[name]}
    assert changed == {"scipy-bfgs"}


def test_rules_of_one_module_have_keys_of_their_own() -> None:
    adam, rprop = METHOD_KEYS["adam"], METHOD_KEYS["rprop"]
    assert adam["sources"] == rprop["sources"]
    assert adam["method"] != rprop["method"]


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
    found = dependencies(["tiny.train"], tmp_path)
    expected = [".data", ".models", ".other", ".sub.step", ".train"]
    assert list(found["sources"]) == [f"tiny{name}" for name in expected]
    assert found["libraries"] == {}


def test_a_relative_import_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "train.py").write_text("from . import models\n")
    with pytest.raises(ValueError, match=r"tiny\.train, line 1: a relative import"):
        dependencies(["tiny.train"], tmp_path)
