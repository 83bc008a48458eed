"""The claims can fail: on data unlike D1, those fail that a scientist would expect to, and the rest stand."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
import robust
import torch
from test_sections import CHUNK, SECTIONS, example
from torch import Tensor

# Short training in one process: all figures are drawn and all claims checked in a quarter of a minute.
QUICKLY = """
import joblib
from fnn.optimizers import PRESETS, Limits
joblib.parallel_config(n_jobs=1)
PRESETS["full"] = Limits(iterations=100, least_squares_iterations=40)
"""


def line(low: float, high: float, points: int) -> Tensor:
    return torch.linspace(low, high, points, dtype=torch.float64)


class Data(NamedTuple):
    """Another data set: inputs, the function behind the targets, and the noise on them."""

    train: Tensor
    test: Tensor
    function: Callable[[Tensor], Tensor]
    noise: float


PERIODS = 4 * math.pi
DATA = {
    "pure noise": Data(line(0, PERIODS, 100), line(0, PERIODS, 123), torch.zeros_like, 0.1),
    "few points with a gap": Data(
        torch.cat((line(0, 4, 15), line(9, PERIODS, 15))), line(0, PERIODS, 123), torch.sin, 0.1
    ),
    "a large parabola": Data(line(-1, 1, 60), line(-1, 1, 80), lambda x: 1000 * x * x, 100.0),
}
FAIL = {
    "pure noise": {
        "They rise, fall, rise, fall and rise",  # there is nothing to fit
        "follows all three full stretches",
        "from the normal one most runs stay poor",
    },
    "few points with a gap": {
        "of the runs find the better minimum",  # one fall is left, and with it one minimum of a single unit
        "No run with 50 or 100 units spikes",  # nothing holds a fit in the gap
        "All runs with ten or more units then end",  # nor does weight decay
    },
    "a large parabola": {
        "They rise, fall, rise, fall and rise",  # there are two stretches
        "follows all three full stretches",
        "the runs lie on the same line",  # two units attain their best fit
        "is about what noise alone leaves",  # at another scale of the noise
    },
}
# What no data can change: the course's check values and the derivatives by hand.
ALWAYS = {
    "so gradients reach them",
    "the backward pass of a training step raises an error",
    "both registered parameters are left without a gradient",
    "the expected output",
    "again as expected",
    "batched and one-by-one outputs agree up to rounding",
    "each of the six quantities agrees",
    "agree with autograd up to rounding",
}
HOLD = {
    "pure noise": ALWAYS | {"is about what noise alone leaves"},
    "few points with a gap": ALWAYS,
    "a large parabola": ALWAYS,
}


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    """For each data set, the claims of the report and whether they hold, from all chunks of its sections."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(
            zip(DATA, pool.map(_claims, DATA, [tmp_path_factory.mktemp(name) for name in "abc"]), strict=True)
        )


def _claims(name: str, folder: Path) -> dict[str, bool]:
    generator = torch.Generator().manual_seed(7)
    files = []
    for x, file in ((DATA[name].train, "train.csv"), (DATA[name].test, "test.csv")):
        noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        y = DATA[name].function(x) + DATA[name].noise * noise
        rows = [f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        (folder / file).write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")
        files.append(str(folder / file))
    chunks = "\n\n".join(chunk for path in SECTIONS for chunk in CHUNK.findall(path.read_text("utf-8")))
    assert chunks.count("load_d1()") == 1
    told = "replace(load_d1({!r}, {!r}), noise_std=0.1)".format(*files)  # which the parabola's is not
    program = QUICKLY + "from dataclasses import replace\n" + chunks.replace("load_d1()", told)
    return robust.claims_with({"PLAN": "quick", "FNN_STORE": str(folder / "store")}, program)


@example
@pytest.mark.parametrize("name", DATA)
def test_claims_fail_where_the_data_do_not_support_them(
    name: str, claims: dict[str, dict[str, bool]]
) -> None:
    held = {sentence for sentence, holds in claims[name].items() if holds}
    assert held.isdisjoint(FAIL[name])
    assert held >= HOLD[name]
    assert set(claims[name]) >= FAIL[name]
