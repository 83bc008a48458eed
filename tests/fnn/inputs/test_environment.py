"""Environment variables: each does what it says, and a value that it cannot have is an error that says so."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fnn.experiments.plan import PLANS
from fnn.inputs import environment
from fnn.runs.sources import CODE


def test_unset_or_empty_variables_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEED", "PLAN", "FNN_STORE", "DRAFT"):
        for clear in (
            lambda name: monkeypatch.delenv(name, raising=False),
            lambda name: monkeypatch.setenv(name, ""),
        ):
            clear(name)
            assert environment.seed() == 24
            assert environment.plan(PLANS) == "full"
            assert environment.store().name == "_store"
            assert environment.draft() is False


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"SEED": "7", "PLAN": "quick", "FNN_STORE": str(tmp_path), "DRAFT": "1"}.items():
        monkeypatch.setenv(name, value)
    assert environment.seed() == 7
    assert environment.plan(PLANS) == "quick"
    assert environment.store() == tmp_path
    assert environment.draft() is True


@pytest.mark.parametrize(
    ("name", "value", "read", "message"),
    [
        ("SEED", "abc", environment.seed, "SEED='abc': set a whole number, such as 24, or unset it"),
        ("SEED", "1.5", environment.seed, "SEED='1.5'"),
        ("PLAN", "fast", lambda: environment.plan(PLANS), "PLAN='fast': set one of full, quick, or unset it"),
        ("FNN_STORE", __file__, environment.store, "FNN_STORE='.*test_environment.py': set a folder"),
        ("DRAFT", "yes", environment.draft, "DRAFT='yes': set 1 or 0, or unset it"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(
    name: str, value: str, read: Callable[[], object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(environment.EnvironmentVariableError, match=f"the environment variable {message}"):
        read()


def test_a_wrong_seed_is_the_last_line_of_what_python_prints() -> None:
    variables = os.environ | {"PYTHONPATH": str(CODE), "SEED": "abc"}
    run = subprocess.run([sys.executable, "-c", "import fnn"], env=variables, capture_output=True, text=True)
    assert run.returncode == 1
    assert "the environment variable SEED='abc': set a whole number" in run.stderr.splitlines()[-1]
