"""Canonical forms, kinds of endings and distinct minima, on networks whose answers are known."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from fnn import Dataset, load_d1
from fnn.experiments import task_2b
from fnn.landscape.canonical import canonical
from fnn.landscape.endings import Ending
from fnn.landscape.limit_models import limit_models
from fnn.landscape.minima import Minimum
from fnn.training import Record, Training, train_restarts
from fnn.units import UNITS


def output(params: Tensor, x: Tensor, unit: str) -> Tensor:
    """Networks [1, m, 1] with parameters [R, P] at x [N]: [R, N]."""
    m = (params.shape[1] - 1) // 3
    W, b, V, c = (
        params[:, None, :m],
        params[:, None, m : 2 * m],
        params[:, 2 * m : 3 * m, None],
        params[:, 3 * m :],
    )
    return (UNITS[unit].phi(x[:, None] * W + b) @ V).squeeze(2) + c


def endings(record: Record, data: Dataset) -> tuple[Ending, ...]:
    return task_2b.study(record, data).endings


def distinct_minima(record: Record, data: Dataset) -> list[Minimum]:
    return task_2b.study(record, data).minima


def record_of(
    params: Tensor | Sequence[Sequence[float]], unit: str = "sigmoid", gradient: float = 0.0
) -> Record:
    """A record as if training had ended in these networks [1, m, 1], with this gradient."""
    params = torch.as_tensor(params, dtype=torch.float64)
    data = load_d1()
    m = (params.shape[1] - 1) // 3
    runs = len(params)

    def mse(X: Tensor, y: Tensor) -> Tensor:
        return (output(params, X.double()[:, 0], unit) - y.double()[:, 0]).square().mean(dim=1)

    counts = torch.zeros(runs, dtype=torch.int64)
    return Record(
        training=Training([m], len(params), phi=unit, seed=0, data=data),
        params=params,
        train_mse=mse(data.X_train, data.y_train),
        test_mse=mse(data.X_test, data.y_test),
        gradient_norm=torch.full((runs,), gradient, dtype=torch.float64),
        stop_codes=counts,
        iterations=counts,
        function_evaluations=counts,
        gradient_evaluations=counts,
        jacobian_evaluations=counts,
        trace=torch.zeros(runs, 1),
        seconds=0.0,
    )


def symmetric_copy(theta: Tensor, unit: str, generator: torch.Generator) -> Tensor:
    """The same function with other parameters: a random element of the symmetry group, [P] → [P]."""
    m = (len(theta) - 1) // 3
    w, b, v = (part.clone() for part in theta[: 3 * m].split(m))
    c = theta[3 * m :].clone()
    for j in range(m):
        if unit == "relu":
            scale = 4 * torch.rand((), generator=generator, dtype=torch.float64) + 0.1
            w[j], b[j], v[j] = w[j] * scale, b[j] * scale, v[j] / scale
        elif torch.rand((), generator=generator) < 0.5:
            if unit == "sigmoid":
                c += v[j]
            w[j], b[j], v[j] = -w[j], -b[j], -v[j]
    order = torch.randperm(m, generator=generator)
    return torch.cat([w[order], b[order], v[order], c])


@pytest.mark.parametrize("unit", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("m", [1, 2, 5])
def test_canonical_form_is_one_for_all_equivalent_networks(unit: str, m: int) -> None:
    generator = torch.Generator().manual_seed(m)
    theta = torch.randn(3 * m + 1, dtype=torch.float64, generator=generator)
    copies = torch.stack([symmetric_copy(theta, unit, generator) for _ in range(20)])
    sizes = (1, m, 1)
    forms = canonical(copies, sizes, unit)
    torch.testing.assert_close(forms, forms[:1].expand_as(forms), atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(canonical(forms, sizes, unit), forms, atol=1e-12, rtol=1e-12)

    x = torch.linspace(-3, 3, 31, dtype=torch.float64)
    torch.testing.assert_close(output(forms, x, unit), output(copies, x, unit), atol=1e-12, rtol=1e-12)
    w, b = forms[:, :m], forms[:, m : 2 * m]
    assert bool((w.diff(dim=1).isfinite() & ((-b / w).diff(dim=1) >= 0)).all())


def test_canonical_form_bears_units_without_a_centre() -> None:
    theta = torch.tensor([[0.0, -2.0, 0.5, 1.0, 3.0, -1.0, 0.25]], dtype=torch.float64)  # w₁ = 0
    for unit in ("sigmoid", "tanh", "relu"):
        form = canonical(theta, (1, 2, 1), unit)
        assert bool(form.isfinite().all())
        assert form[0, 1] == 0  # last
        x = torch.linspace(-3, 3, 7, dtype=torch.float64)
        torch.testing.assert_close(output(form, x, unit), output(theta, x, unit))


def test_unknown_symmetries_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sizes=\[1, 2, 2, 1\]: canonical forms are known for \[1, m, 1\]"):
        canonical(torch.zeros(1, 13), (1, 2, 2, 1), "sigmoid")
    with pytest.raises(ValueError, match="unit='identity'"):
        canonical(torch.zeros(1, 4), (1, 1, 1), "identity")


@pytest.fixture(scope="module")
def one_unit() -> Record:
    """Real runs of one logistic unit, the same for every method."""
    return train_restarts([1], 12, method="scipy-bfgs", seed=3)


def test_most_runs_of_one_unit_attain_the_known_minimum(one_unit: Record) -> None:
    data = load_d1()
    kinds = endings(one_unit, data)
    known = (one_unit.train_mse - 0.372919).abs() < 1e-6
    assert int(known.sum()) >= 6
    assert {kinds[run] for run in known.nonzero()[:, 0].tolist()} == {Ending.ATTAINED}
    (minimum,) = [
        found for found in distinct_minima(one_unit, data) if abs(found.train_mse - 0.372919) < 1e-6
    ]
    assert minimum.count == int(known.sum())
    assert minimum.ending == Ending.ATTAINED
    assert one_unit.test_mse[minimum.run] == minimum.test_mse


def test_equivalent_networks_are_one_minimum(one_unit: Record) -> None:
    generator = torch.Generator().manual_seed(0)
    best = one_unit.params[one_unit.best]
    copies = torch.stack([symmetric_copy(best, "sigmoid", generator) for _ in range(8)])
    (minimum,) = distinct_minima(record_of(copies), load_d1())
    assert minimum.count == 8
    assert sorted(minimum.runs) == list(range(8))


def test_same_loss_but_another_function_is_another_minimum() -> None:
    """y = ±1 on a symmetric design: a unit fits it from the left or from the right equally well."""
    data = load_d1()
    x = torch.linspace(-1, 1, 101)[:, None]
    even = replace(data, X_train=x, y_train=(x.abs() > 0.5).float(), X_test=x, y_test=x)
    left = [9.0, 4.5, -1.0, 1.0]  # 1 − σ(9x + 4.5)
    right = [9.0, -4.5, 1.0, 0.0]  # σ(9x − 4.5): its mirror image
    record = record_of([left, right, left])
    record = replace(record, train_mse=torch.full((3,), 0.2, dtype=torch.float64))
    minima = distinct_minima(record, even)
    assert [minimum.runs for minimum in minima] == [(0, 2), (1,)]


def test_runs_with_a_large_gradient_are_not_counted(one_unit: Record) -> None:
    moving = replace(one_unit, gradient_norm=torch.full_like(one_unit.gradient_norm, torch.inf))
    assert distinct_minima(moving, load_d1()) == []
    assert Ending.ATTAINED not in endings(moving, load_d1())


def test_merged_units_are_seen_however_they_are_written() -> None:
    limit = limit_models(load_d1().X_train.double()[:, 0], load_d1().y_train.double()[:, 0])[0]
    generator = torch.Generator().manual_seed(1)
    networks, (w, b, a, alpha, beta, c) = [], limit.theta
    for V in (300.0, 1000.0):
        e = 1 / (2 * V)
        theta = torch.stack(
            [w + e * alpha, w - e * alpha, b + e * beta, b - e * beta, a / 2 + V, a / 2 - V, c]
        )
        networks += [theta, *(symmetric_copy(theta, "sigmoid", generator) for _ in range(6))]
    record = record_of(torch.stack(networks), gradient=1e-2)  # large weights: the gradient is rounding error
    assert set(endings(record, load_d1())) == {Ending.MERGED}
    (minimum,) = distinct_minima(record, load_d1())
    assert minimum.train_mse == pytest.approx(limit.loss, abs=1e-5)


@pytest.mark.parametrize(
    ("theta", "ending"),
    [
        ([2.0, 1.0, -5.9, 40.0, -0.9, 0.3, 0.8], Ending.SATURATED),  # the second unit is 1 on all the data
        ([2.0, 90.0, -5.9, -90 * 3.11, -0.9, 0.3, 0.8], Ending.SATURATED),  # a step between two inputs
        ([1e-4, 1.0, 0.0, 60.0, -3028.0, 0.1, 1514.377], Ending.LINE_LIKE),
        ([0.9, 1.4, -3.0, -12.0, 1.0, -1.0, 0.0], Ending.OTHER),  # nothing stationary about it
    ],
)
def test_kinds_of_endings(theta: list[float], ending: Ending) -> None:
    assert endings(record_of([theta]), load_d1()) == (ending,)


def test_a_network_that_is_not_finite_has_not_converged() -> None:
    record = record_of([[torch.nan, 1.0, 1.0, 0.0], [torch.inf, 1.0, 1.0, 0.0]], gradient=torch.nan)
    assert set(endings(record, load_d1())) == {Ending.OTHER}
    assert distinct_minima(record, load_d1()) == []


def test_dead_relu_units_are_saturated() -> None:
    record = record_of([[1.0, -1.0, -20.0, 5.0, 0.3, 0.7, 0.1]], unit="relu")
    assert endings(record, load_d1()) == (Ending.SATURATED,)


def test_a_linear_model_attains_the_line() -> None:
    data = load_d1()
    record = train_restarts([], 3, method="scipy-bfgs")
    assert set(endings(record, data)) == {Ending.ATTAINED}
    (minimum,) = distinct_minima(record, data)
    X = torch.cat([data.X_train, torch.ones_like(data.X_train)], dim=1).double()
    residual = torch.linalg.lstsq(X, data.y_train.double()).solution
    line = float((X @ residual - data.y_train).square().mean())
    assert minimum.train_mse == pytest.approx(line, rel=1e-9)


def test_deeper_networks_have_endings() -> None:
    record = train_restarts([2, 2], 3, method="scipy-bfgs", limits="quick")
    assert len(endings(record, load_d1())) == 3


def test_endings_do_not_depend_on_the_scale_of_the_targets() -> None:
    """Targets times a thousand: output weights, residuals and gradients grow, the endings stay."""
    data = load_d1()
    record = train_restarts([2], 20, method="lm", seed=5)
    scaled_data = replace(data, y_train=1000 * data.y_train, y_test=1000 * data.y_test)
    scaled_params = torch.cat([record.params[:, :4], 1000 * record.params[:, 4:]], dim=1)
    scaled = replace(
        record,
        params=scaled_params,
        train_mse=1e6 * record.train_mse,
        gradient_norm=1e6 * record.gradient_norm,
    )
    assert endings(scaled, scaled_data) == endings(record, data)
    before, after = distinct_minima(record, data), distinct_minima(scaled, scaled_data)
    assert [minimum.runs for minimum in after] == [minimum.runs for minimum in before]
