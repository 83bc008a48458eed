"""docs/own-experiment.md: what it shows runs as it stands, and the build lists what it trained."""

import re

import joblib
import pytest
import torch

from fnn import load_d1, training
from fnn.report import figures, tables
from fnn.runs.sources import CODE
from fnn.units import Unit

PAGE = (CODE.parent / "docs" / "own-experiment.md").read_text(encoding="utf-8")


def test_the_experiment_trains_draws_and_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "trained", [])  # without what other tests have trained
    figures.use_print_style()
    data = load_d1()
    there: dict[str, object] = {}
    for program in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(compile(program, "docs/own-experiment.md", "exec"), there)
    with joblib.parallel_config(n_jobs=1):  # quicker than to start processes
        records = there["compare_step_sizes"](data, runs=2)  # type: ignore[operator]
    assert there["draw_step_sizes"](records).axes  # type: ignore[operator]
    listed = [[row[2], row[-1]] for row in tables.runs().rows]
    assert ["Adam", "3\N{NO-BREAK SPACE}(2)"] in listed
    assert ["Adam (lr 0.1)", "3\N{NO-BREAK SPACE}(2)"] in listed


def test_the_unit_has_its_slope() -> None:
    (row,) = re.findall(r"^ +(Unit\(.*\)),$", PAGE, flags=re.MULTILINE)
    unit = eval(row, {"Unit": Unit, "torch": torch})
    z = torch.linspace(-3, 3, 13, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(unit.phi(z).sum(), z)
    torch.testing.assert_close(unit.slope(unit.phi(z.detach())), slope)
