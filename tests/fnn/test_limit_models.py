"""Limit models of D1: what is known of them, and that networks approach them as predicted."""

import pytest
import torch
from torch import Tensor

from fnn import load_d1
from fnn.landscape.limit_models import LimitModel, limit_models


@pytest.fixture(scope="module")
def limits() -> list[LimitModel]:
    return limit_models(load_d1())


def test_the_best_limit_of_two_units(limits: list[LimitModel]) -> None:
    best = limits[0]
    assert best.loss == pytest.approx(0.07957084, abs=5e-9)
    assert best.w == pytest.approx(1.0627, abs=5e-5)
    assert best.b == pytest.approx(-6.6743, abs=5e-5)
    assert best.k == pytest.approx(2.866, abs=5e-4)
    assert len(best.hessian_eigenvalues) == 6
    assert best.hessian_eigenvalues[0] > 0


def test_the_other_limit_that_training_finds(limits: list[LimitModel]) -> None:
    (other,) = [limit for limit in limits if abs(limit.loss - 0.286908) < 1e-6]
    assert other.k == pytest.approx(0.67, abs=5e-3)


def test_the_loss_is_that_of_the_function(limits: list[LimitModel]) -> None:
    data = load_d1()
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    for limit in limits:
        assert float((limit(x) - y).square().mean()) == pytest.approx(limit.loss, rel=1e-12)


def merging_network(limit: LimitModel, V: float, x: Tensor) -> Tensor:
    """Two units at a distance: the reparametrisation that the module's text gives, at ε = 1/(2V)."""
    epsilon = 1 / (2 * V)
    output = torch.full_like(x, limit.c)
    for sign in (1, -1):
        w, b = limit.w + sign * epsilon * limit.alpha, limit.b + sign * epsilon * limit.beta
        output = output + (limit.a / 2 + sign * V) * torch.sigmoid(w * x + b)
    return output


def test_networks_approach_the_limit_as_predicted(limits: list[LimitModel]) -> None:
    """The excess loss is k/(4V²); what is left of it shrinks as 1/V⁴."""
    data = load_d1()
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    limit = limits[0]
    errors = []
    for V in (100.0, 200.0, 400.0):
        excess = float((merging_network(limit, V, x) - y).square().mean()) - limit.loss
        errors.append(abs(excess / float(limit.excess(torch.tensor(V))) - 1))
    assert errors[0] < 0.1
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3


def test_a_third_unit_turns_the_slope_of_the_best_limit() -> None:
    """With three units the best limit is not approached: k < 0, the loss falls as the units part."""
    with_third = limit_models(load_d1(), others=1)
    assert with_third[0].loss < 0.01
    assert with_third[0].k < 0
    approached = next(limit for limit in with_third if limit.k > 0)
    assert approached.loss == pytest.approx(0.049876, abs=1e-6)
    assert len(approached.parameters) == 9


def test_limits_of_tanh_units_are_those_of_logistic_units() -> None:
    """σ(z) = (1 + tanh(z/2))/2: the same functions, so the same limits."""
    logistic, tanh = limit_models(load_d1()), limit_models(load_d1(), unit="tanh")
    assert tanh[0].loss == pytest.approx(logistic[0].loss, rel=1e-9)
    assert tanh[0].w == pytest.approx(logistic[0].w / 2, rel=1e-5)
    x = torch.linspace(0, 12, 50, dtype=torch.float64)
    torch.testing.assert_close(tanh[0](x), logistic[0](x), atol=1e-5, rtol=0)


def test_what_has_no_limit_model_is_refused() -> None:
    with pytest.raises(ValueError, match="unit='relu': limit models need a smooth unit"):
        limit_models(load_d1(), unit="relu")
    with pytest.raises(ValueError, match="others=2: 0 and 1 are searched"):
        limit_models(load_d1(), others=2)
