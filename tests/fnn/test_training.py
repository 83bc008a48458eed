"""Training: known minima, the plain way and the batched one, results that depend on nothing else."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fnn import MLP, load_d1, train1, train_restarts, training
from fnn.optimizers import METHODS, Limits
from fnn.optimizers.network import parameter_count
from fnn.runs.train_batch import train_batch
from fnn.training import Training, train_one

D1 = load_d1().double()
X, Y = D1.X_train, D1.y_train


def distinct(losses: Tensor, tolerance: float = 1e-6) -> list[float]:
    """The different losses, in rising order."""
    values: list[float] = []
    for loss in losses.sort().values.tolist():
        if not values or loss - values[-1] > tolerance:
            values.append(loss)
    return values


def shard(
    hidden: Sequence[int], runs: Sequence[int], method: str, limits: Limits, phi: str = "sigmoid"
) -> Mapping[str, Tensor]:
    what = Training(hidden, len(runs), method, phi, seed=24, limits=limits)
    [tensors] = train_batch([what], METHODS[method].minimize, [runs])
    return tensors


def mse(model: MLP) -> float:
    with torch.no_grad():
        return float((model.double()(X) - Y).square().mean())


@pytest.mark.parametrize("hidden", [[1], [2], [3]], ids=str)
def test_the_plain_way_gives_the_networks_of_the_batch(hidden: list[int]) -> None:
    """From the same point, SciPy's BFGS with autograd and ours with the passes by hand end in one network."""
    runs = 4
    ours, theirs = train_restarts(hidden, runs), train_restarts(hidden, runs, "scipy-bfgs")
    ends = 0
    for run in range(runs):
        plain = train_one(hidden, run)
        if ours.stop[run] == theirs.stop[run] == "gradient":
            for record in (ours, theirs):
                model = record.model(run, torch.float64)
                assert torch.allclose(model(X), plain(X), atol=1e-3)
                assert mse(model) == pytest.approx(mse(plain), rel=1e-6)
            ends += 1
    assert ends


def test_linear_model_is_the_least_squares_line() -> None:
    design = torch.cat([X, torch.ones_like(X)], dim=1)
    line = (Y - design @ torch.linalg.lstsq(design, Y).solution).square().mean()
    for method in ("bfgs", "lm"):
        record = train_restarts([], 2, method)
        assert record.train_mse.tolist() == pytest.approx([float(line)] * 2, abs=1e-10)


def test_weight_decay_is_left_out_of_the_losses_of_the_record() -> None:
    record = train_restarts([3], 4, decay=1e-3)
    for run, loss in enumerate(record.train_mse.tolist()):
        assert loss == pytest.approx(mse(record.model(run, torch.float64)), rel=1e-12)
    assert record.params.abs().max() < 20  # without decay, weights go up to 50
    with pytest.raises(ValueError, match=r"decay=0\.1: zero or positive, and zero for lm"):
        train_restarts([3], 1, method="lm", decay=0.1)


@pytest.mark.parametrize("method", ["bfgs", "lm"])
def test_one_unit_has_the_two_known_minima(method: str) -> None:
    record = train_restarts([1], 200, method)
    converged = record.train_mse[record.stop_codes == 0]
    assert [round(loss, 6) for loss in distinct(converged)[:2]] == [0.370000, 0.372919]
    assert len(converged) > 150


def test_three_units_reach_the_known_minimum() -> None:
    for method in ("bfgs", "lm"):
        record = train_restarts([3], 5, method)
        assert float(record.train_mse[record.best]) == pytest.approx(0.0073242, abs=5e-8)
        assert float(record.test_mse[record.best]) == pytest.approx(0.01034, abs=5e-6)


def test_one_unit_ends_where_scipy_ends_run_by_run() -> None:
    ours, theirs = train_restarts([1], 60), train_restarts([1], 60, "scipy-bfgs")
    both = (ours.stop_codes == 0) & (theirs.stop_codes == 0)
    same = (ours.train_mse - theirs.train_mse).abs()[both] < 1e-6
    assert both.sum() > 45
    assert same.double().mean() >= 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("hidden", "phi"), [([2], "sigmoid"), ([7], "tanh"), ([33], "relu"), ([3, 2], "sigmoid")]
)
def test_run_does_not_depend_on_its_company(method: str, hidden: list[int], phi: str) -> None:
    limits = Limits(iterations=40, least_squares_iterations=40)
    together = shard(hidden, range(9), method, limits, phi)
    for indices in ([0], [4], [8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 1, 5], list(range(20))):
        other = shard(hidden, indices, method, limits, phi)
        shared = [(place, index) for place, index in enumerate(indices) if index < 9]
        for name, tensor in together.items():
            for place, index in shared:
                assert torch.equal(tensor[index], other[name][place]), (name, index, indices)


def test_longer_runs_leave_the_batch_without_touching_the_others() -> None:
    together = shard([1], range(30), "bfgs", Limits())
    for indices in ([11, 3], [29], [5, 17, 2, 8, 20]):
        other = shard([1], indices, "bfgs", Limits())
        assert all(torch.equal(tensor[indices], other[name]) for name, tensor in together.items())


def test_record_gives_models_that_have_its_losses() -> None:
    record = train_restarts([4, 3], 3, "lm", torch.tanh, limits="quick")
    assert record.params.shape == (3, parameter_count((1, 4, 3, 1)))
    for run in range(3):
        model = record.model(run, torch.float64)
        assert float((model(X) - Y).square().mean().detach()) == pytest.approx(
            float(record.train_mse[run]), rel=1e-12
        )
    assert record.best_model.get_parameter("0_weight").dtype == torch.float32
    assert record.best_train == record.train_mse.min()
    assert record.median_train == record.train_mse.sort().values[1]
    four = replace(record, train_mse=torch.tensor([2.0, 1, 4, 10]), test_mse=torch.tensor([4.0, 1, 2, 10]))
    assert (four.best_test, four.median_train, four.median_test) == (1, 3, 3)
    assert record.trace.shape == (3, len(record.trace_evaluations))
    assert (record.trace.diff(dim=1) <= 0).all()


def test_every_method_runs_from_the_same_points() -> None:
    first = train_restarts([2], 3, limits=Limits(iterations=2)).trace[:, 0]
    for method in METHODS:
        record = train_restarts([2], 3, method, limits=Limits(iterations=2, least_squares_iterations=2))
        assert torch.allclose(record.trace[:, 0], first, rtol=1e-12)
        assert record.stop == ("iterations",) * 3
        assert training.trained[-1] is record


def test_options_reach_the_method() -> None:
    few = Limits(iterations=20)
    slow, usual = (train_restarts([2], 3, "adam", limits=few, options=o) for o in ({"lr": 1e-6}, None))
    assert torch.allclose(slow.train_mse, slow.trace[:, 0], rtol=1e-3)
    assert (usual.train_mse < 0.99 * usual.trace[:, 0]).all()


def test_train1_returns_the_best_of_its_networks() -> None:
    model = train1([1], 4)
    assert isinstance(model, MLP)
    loss = float((model(X.float()) - Y.float()).square().mean().detach())
    assert loss == pytest.approx(float(train_restarts([1], 4).train_mse.min()), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_sizes": [0]}, r"hidden_sizes=\[0\]"),
        ({"hidden_sizes": [2.5]}, r"hidden_sizes=\[2.5\]"),
        ({"restarts": 0}, "restarts=0: must be at least 1"),
        ({"shards": 0}, "shards=0: must be at least 1"),
        ({"options": {"lr": 1}}, "option='lr': use one of"),
        ({"method": "BFSG"}, "method='BFSG': did you mean 'bfgs'"),
        ({"phi": "sigmod"}, "phi='sigmod': did you mean 'sigmoid'"),
        ({"method": "newton"}, "method='newton': use one of bfgs, lm"),
        ({"phi": torch.sin}, "phi=.*its derivative is not known; use one of sigmoid, tanh"),
        ({"init": "zeros"}, "init='zeros': use one of course"),
        ({"limits": "slow"}, "limits='slow': use one of full, quick"),
    ],
)
def test_bad_argument_is_refused_by_name(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_restarts(**{"hidden_sizes": [2], "restarts": 2, **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_sizes": 3}, r"hidden_sizes=3: give a list of whole numbers, such as \[3\]"),
        ({"hidden_sizes": "3"}, "hidden_sizes='3': give a list"),
        ({"nreps": "relu"}, "nreps='relu': must be a whole number"),
        ({"nreps": 2.0}, "nreps=2.0: must be a whole number"),
        ({"phi": 3}, "phi=3: give a function, such as torch.sigmoid, or one of sigmoid"),
        ({"seed": "a"}, "seed='a': must be a whole number"),
        ({"seed": 1.5}, "seed=1.5: must be a whole number"),
    ],
)
def test_argument_of_the_wrong_kind_is_refused_by_name(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        train1(**{"hidden_sizes": [2], **arguments})  # type: ignore[arg-type]


def test_train1_without_networks_is_refused_by_its_own_argument() -> None:
    with pytest.raises(ValueError, match="nreps=0: must be at least 1"):
        train1([2], 0)


def test_data_and_limits_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"data=\(1, 2\): give a Dataset"):
        train_restarts([2], 1, data=(1, 2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="limits=5: give a Limits"):
        train_restarts([2], 1, limits=5)  # type: ignore[arg-type]


def test_help_of_train1_names_every_argument() -> None:
    text = inspect.getdoc(train1) or ""
    for name in inspect.signature(train1).parameters:
        assert f"\n    {name}: " in text
