"""The passes of many networks at once, against autograd; their initial points; and what is said of units."""

import functools
from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from fnn import load_d1
from fnn.optimizers.initial_points import initial_points
from fnn.optimizers.network import unpack
from fnn.optimizers.objective import MeanSquaredError
from fnn.units import UNITS, Unit

D1 = load_d1().double()
X, Y = D1.X_train, D1.y_train
LOGISTIC = UNITS["sigmoid"]
SIZES = ([1, 1], [1, 2, 1], [1, 7, 1], [1, 4, 3, 1], [2, 5, 1])


def residuals_one_by_one(sizes: Sequence[int], unit: str, x: Tensor, y: Tensor, params: Tensor) -> Tensor:
    """f(x) − y of each network, [R, P] → [R, N], by task 1's formula for rows, which autograd can follow."""
    rows = []
    for theta in params:
        z, start = x, 0
        for fan_in, fan_out in pairwise(sizes):
            W, b, _ = theta[start:].tensor_split([fan_in * fan_out, (fan_in + 1) * fan_out])
            z, start = z @ W.view(fan_in, fan_out) + b, start + (fan_in + 1) * fan_out
            z = UNITS[unit].phi(z) if start < len(theta) else z
        rows.append((z - y)[:, 0])
    return torch.stack(rows)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("unit", UNITS)
def test_gradient_and_jacobian_by_hand_are_those_of_autograd(sizes: list[int], unit: str) -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(13, sizes[0], generator=generator, dtype=torch.float64)
    objective = MeanSquaredError(sizes, UNITS[unit], inputs, Y[:13])
    reference = functools.partial(residuals_one_by_one, sizes, unit, inputs, Y[:13])
    params = torch.randn(5, objective.P, generator=generator, dtype=torch.float64)

    value, gradient = objective.value_and_gradient(objective.pad(params), torch.arange(5))
    theta = params.clone().requires_grad_()
    expected_value = reference(theta).square().mean(dim=1)
    (expected_gradient,) = torch.autograd.grad(expected_value.sum(), theta)
    assert torch.allclose(value, expected_value, rtol=1e-12, atol=1e-12)
    assert torch.allclose(gradient[:, : objective.P], expected_gradient, rtol=1e-12, atol=1e-12)
    assert (gradient[:, objective.P :] == 0).all()
    assert torch.allclose(objective.value(objective.pad(params)), value, rtol=1e-14)

    r, Jt = objective.residuals_and_jacobian(objective.pad(params))
    assert r.shape[1] == Jt.shape[2] == 16
    assert (r[:, 13:] == 0).all()
    assert (Jt[:, :, 13:] == 0).all()
    expected = torch.autograd.functional.jacobian(reference, params)  # [R, N, R, P]
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


def test_weight_decay_adds_its_term() -> None:
    plain = MeanSquaredError([1, 3, 1], LOGISTIC, X, Y)
    decayed = MeanSquaredError(
        [1, 3, 1], LOGISTIC, X, Y, decay=torch.tensor([0.1, 0.0, 0.2], dtype=torch.float64)
    )
    params, run = plain.pad(torch.randn(2, 10, dtype=torch.float64)), torch.tensor([2, 0])
    value, gradient = plain.value_and_gradient(params, run)
    with_value, with_gradient = decayed.value_and_gradient(params, run)
    factor = torch.tensor([0.2, 0.1], dtype=torch.float64)
    assert torch.allclose(with_value - value, factor * params.square().sum(dim=1))
    assert torch.allclose(with_gradient - gradient, 2 * factor[:, None] * params)


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_what_a_unit_says_of_itself_is_so(unit: Unit) -> None:
    z = torch.linspace(-6, 6, 241, dtype=torch.float64).requires_grad_()
    a = unit.phi(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    away = z.detach().abs() > 1e-9  # from kinks
    assert torch.allclose(unit.slope(a.detach())[away], slope[away], rtol=1e-12, atol=1e-15)
    assert float(slope.max()) == pytest.approx(unit.steepest, rel=0.01)
    if unit.mirror is not None:
        assert torch.allclose(unit.phi(-z), unit.mirror - a)
    assert torch.allclose(unit.phi(3 * z), 3 * a) or not unit.scalable


def test_initial_points_depend_on_seed_and_index_alone() -> None:
    five, three = (initial_points("course", (1, 4, 1), LOGISTIC, X, 24, i) for i in (range(5), [4, 0, 2]))
    assert torch.equal(five[[4, 0, 2]], three)
    assert len({tuple(point.tolist()) for point in five}) == 5
    assert not torch.equal(five, initial_points("course", (1, 4, 1), LOGISTIC, X, 25, range(5)))


def test_course_law_has_the_spread_of_the_course() -> None:
    points = initial_points("course", (1, 16, 1), LOGISTIC, X, 0, range(400))
    (W1, b1), (W2, b2) = unpack(points, (1, 16, 1))
    for part, spread in ((W1, 1.0), (b1, 1.0), (W2, 0.25), (b2, 1.0)):
        assert float(part.std()) == pytest.approx(spread, rel=0.08)


def test_nguyen_widrow_centres_lie_on_the_data() -> None:
    points = initial_points("nguyen-widrow", (1, 8, 1), LOGISTIC, X, 0, range(50))
    W, b = unpack(points, (1, 8, 1))[0]
    centres = -b[:, :, 0] / W[:, 0]
    assert centres.min() >= X.min()
    assert centres.max() <= X.max()
    assert torch.allclose(
        W.abs(), torch.tensor(2.8 * 8 / (float(X.max() - X.min()) / 2), dtype=torch.float64)
    )
