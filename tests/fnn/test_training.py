"""Training: known minima, agreement with SciPy, and results that depend on nothing but their arguments."""

import inspect
import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from fnn import MLP, Record, load_d1, train1, train_restarts
from fnn.optimizers import METHODS, Limits
from fnn.optimizers.initial_points import initial_points
from fnn.optimizers.objective import MeanSquaredError, parameter_count, unpack
from fnn.optimizers.scipy_reference import AutogradMeanSquaredError
from fnn.optimizers.shard import run_shard
from fnn.training import Training, make_settings
from fnn.units import UNITS

D1 = load_d1()
X, Y = D1.X_train.double(), D1.y_train.double()
SIZES = ([1, 1], [1, 2, 1], [1, 7, 1], [1, 4, 3, 1], [2, 5, 1])


def distinct(losses: Tensor, tolerance: float = 1e-6) -> list[float]:
    """The different losses, in rising order."""
    values: list[float] = []
    for loss in losses.sort().values.tolist():
        if not values or loss - values[-1] > tolerance:
            values.append(loss)
    return values


def shard(
    hidden: Sequence[int], indices: Sequence[int], method: str, limits: Limits, phi: str = "sigmoid"
) -> dict[str, Tensor]:
    settings = make_settings(Training(hidden, len(indices), method, phi, seed=24, limits=limits), D1)
    return run_shard(METHODS[method], settings, D1, indices)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("unit", sorted(UNITS))
def test_gradient_and_jacobian_by_hand_are_those_of_autograd(sizes: list[int], unit: str) -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(13, sizes[0], generator=generator, dtype=torch.float64)
    objective = MeanSquaredError(sizes, UNITS[unit], inputs, Y[:13])
    reference = AutogradMeanSquaredError(sizes, UNITS[unit], inputs, Y[:13])
    params = torch.randn(5, objective.P, generator=generator, dtype=torch.float64)

    value, gradient = objective.value_and_gradient(objective.pad(params))
    expected_value, expected_gradient = reference.value_and_gradient(params)
    assert torch.allclose(value, expected_value, rtol=1e-12, atol=1e-12)
    assert torch.allclose(gradient[:, : objective.P], expected_gradient, rtol=1e-12, atol=1e-12)
    assert (gradient[:, objective.P :] == 0).all()
    assert torch.allclose(objective.value(objective.pad(params)), value, rtol=1e-14)

    r, Jt = objective.residuals_and_jacobian(objective.pad(params))
    assert r.shape[1] == Jt.shape[2] == 16
    assert (r[:, 13:] == 0).all()
    assert (Jt[:, :, 13:] == 0).all()
    expected = torch.autograd.functional.jacobian(reference.residuals, params)  # type: ignore[no-untyped-call]  # [R, N, R, P]
    for run in range(len(params)):
        assert torch.allclose(Jt[run, : objective.P, :13], expected[run, :, run].mT, rtol=1e-12, atol=1e-12)

    same_r, Jtr, kernel = objective.residuals_and_kernel(objective.pad(params))
    assert torch.equal(same_r, r)
    assert torch.allclose(kernel, Jt.mT @ Jt, rtol=1e-12, atol=1e-12)
    for vector, product in (
        (r, Jtr),
        (r + 1, objective.transposed_jacobian_times(objective.pad(params), r + 1)),
    ):
        assert torch.allclose(product, (Jt @ vector[:, :, None])[:, :, 0], rtol=1e-12, atol=1e-12)


def test_linear_model_is_the_least_squares_line() -> None:
    design = torch.cat([X, torch.ones_like(X)], dim=1)
    line = (Y - design @ torch.linalg.lstsq(design, Y).solution).square().mean()
    for method in ("bfgs", "lm"):
        record = train_restarts([], 2, method)
        assert record.train_mse.tolist() == pytest.approx([float(line)] * 2, abs=1e-10)


def test_weight_decay_adds_its_term_and_the_record_keeps_the_plain_loss() -> None:
    plain = MeanSquaredError([1, 3, 1], UNITS["sigmoid"], X, Y)
    decayed = MeanSquaredError([1, 3, 1], UNITS["sigmoid"], X, Y, decay=0.1)
    record = train_restarts([3], 4, data=D1, decay=1e-3)
    params = plain.pad(record.params)
    value, gradient = plain.value_and_gradient(params)
    with_value, with_gradient = decayed.value_and_gradient(params)
    assert torch.allclose(with_value - value, 0.1 * params.square().sum(dim=1))
    assert torch.allclose(with_gradient - gradient, 0.2 * params)
    assert torch.allclose(record.train_mse, value, rtol=1e-12)
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
    ours = train_restarts([1], 200)
    objective = AutogradMeanSquaredError((1, 1, 1), UNITS["sigmoid"], X, Y)
    start = initial_points("course", (1, 1, 1), "sigmoid", X, ours.settings.seed, range(200))
    theirs = METHODS["scipy-bfgs"].minimize(objective, start, ours.settings.limits)
    both = (ours.stop_codes == 0) & (theirs.stop == 0)
    same = (ours.train_mse - theirs.value).abs()[both] < 1e-6
    assert both.sum() > 150
    assert same.double().mean() >= 0.9
    assert distinct(ours.train_mse[both])[:2] == pytest.approx(distinct(theirs.value[both])[:2], abs=1e-6)


@pytest.mark.parametrize("method", ["bfgs", "lm", "adam", "rprop"])
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


def test_initial_points_depend_on_seed_and_index_alone() -> None:
    five, three = (initial_points("course", (1, 4, 1), "sigmoid", X, 24, i) for i in (range(5), [4, 0, 2]))
    assert torch.equal(five[[4, 0, 2]], three)
    assert len({tuple(point.tolist()) for point in five}) == 5
    assert not torch.equal(five, initial_points("course", (1, 4, 1), "sigmoid", X, 25, range(5)))


def test_course_law_has_the_spread_of_the_course() -> None:
    points = initial_points("course", (1, 16, 1), "sigmoid", X, 0, range(400))
    (W1, b1), (W2, b2) = unpack(points, (1, 16, 1))
    for part, spread in ((W1, 1.0), (b1, 1.0), (W2, 0.25), (b2, 1.0)):
        assert float(part.std()) == pytest.approx(spread, rel=0.08)


def test_nguyen_widrow_centres_lie_on_the_data() -> None:
    points = initial_points("nguyen-widrow", (1, 8, 1), "sigmoid", X, 0, range(50))
    W, b = unpack(points, (1, 8, 1))[0]
    centres = -b[:, :, 0] / W[:, 0]
    assert centres.min() >= X.min()
    assert centres.max() <= X.max()
    assert torch.allclose(
        W.abs(), torch.tensor(2.8 * 8 / (float(X.max() - X.min()) / 2), dtype=torch.float64)
    )


def test_record_gives_models_that_have_its_losses() -> None:
    record = train_restarts([4, 3], 3, "lm", torch.tanh, limits="quick")
    assert isinstance(record, Record)
    assert record.params.shape == (3, parameter_count((1, 4, 3, 1)))
    for run in range(3):
        model = record.model(run, torch.float64)
        assert float((model(X) - Y).square().mean().detach()) == pytest.approx(
            float(record.train_mse[run]), rel=1e-12
        )
    assert record.best_model.get_parameter("0_weight").dtype == torch.float32
    assert record.train_mse[record.best] == record.train_mse.min()
    assert record.trace.shape == (3, len(record.trace_evaluations))
    assert (record.trace.diff(dim=1) <= 0).all()


def test_every_method_runs_from_the_same_points() -> None:
    first = {}
    for method in METHODS:
        record = train_restarts([2], 3, method, limits=Limits(iterations=2, least_squares_iterations=2))
        first[method] = record.trace[:, 0]
        assert record.stop == ("iterations",) * 3
    for trace in first.values():
        assert torch.allclose(trace, first["bfgs"], rtol=1e-12)


def test_train1_returns_the_best_of_its_networks() -> None:
    model = train1([1], 4)
    assert isinstance(model, MLP)
    loss = float((model(D1.X_train) - D1.y_train).square().mean().detach())
    assert loss == pytest.approx(float(train_restarts([1], 4).train_mse.min()), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_sizes": [0]}, r"hidden_sizes=\[0\]"),
        ({"hidden_sizes": [2.5]}, r"hidden_sizes=\[2.5\]"),
        ({"restarts": 0}, "restarts=0: must be at least 1"),
        ({"shards": 0}, "shards=0: must be at least 1"),
        ({"device": "cuda:99"}, "device='cuda:99': PyTorch cannot compute there .*; use 'cpu'"),
        ({"device": "gpu"}, "device='gpu': PyTorch cannot compute there"),
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
        ({"hidden_sizes": 3}, r"hidden_sizes=3: give a list of widths, such as \[3\]"),
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


def test_cuda_is_refused_where_there_is_none() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ValueError, match="device='cuda': PyTorch cannot compute there"):
        train_restarts([2], 1, device="cuda")


def test_data_and_limits_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match=r"data=\(1, 2\): give a Dataset"):
        train_restarts([2], 1, data=(1, 2))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="limits=5: give Limits, or one of full, quick"):
        train_restarts([2], 1, limits=5)  # type: ignore[arg-type]


def test_help_of_train1_names_every_argument_and_every_choice() -> None:
    text = inspect.getdoc(train1) or ""
    for name in inspect.signature(train1).parameters:
        assert f"\n    {name}: " in text
    for name in [*METHODS, *UNITS]:
        assert re.search(rf"\b{re.escape(name)}\b", text), name
