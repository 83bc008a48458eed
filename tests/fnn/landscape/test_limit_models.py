"""Limit models of D1: what is known of them, and that networks approach them as predicted."""

import pytest
import torch
from torch import Tensor

from fnn import load_d1
from fnn.landscape.limit_models import LimitModel, evaluate, limit_models, loss_at

X, Y = load_d1().X_train.double()[:, 0], load_d1().y_train.double()[:, 0]


@pytest.fixture(scope="module")
def limits() -> list[LimitModel]:
    return limit_models(X, Y)


def test_the_best_limit_of_two_units(limits: list[LimitModel]) -> None:
    best = limits[0]
    assert best.loss == pytest.approx(0.07957084, abs=5e-9)
    assert best.theta[:2].tolist() == pytest.approx([1.0627, -6.6743], abs=5e-5)
    assert best.k == pytest.approx(2.866, abs=5e-4)
    assert len(best.hessian_eigenvalues) == 6
    assert best.hessian_eigenvalues[0] > 0


def test_the_other_limit_that_training_finds(limits: list[LimitModel]) -> None:
    (other,) = [limit for limit in limits if abs(limit.loss - 0.286908) < 1e-6]
    assert other.k == pytest.approx(0.67, abs=5e-3)


def test_the_loss_is_that_of_the_function(limits: list[LimitModel]) -> None:
    for limit in limits:
        assert float((evaluate(limit.theta, X) - Y).square().mean()) == pytest.approx(limit.loss, rel=1e-12)


def merging_network(limit: LimitModel, V: float, x: Tensor) -> Tensor:
    """Two units at a distance: the reparametrisation that the module's text gives, at ε = 1/(2V)."""
    w, b, a, alpha, beta, c = limit.theta
    output = c.expand_as(x)
    for sign in (1, -1):
        shift = sign * (alpha * x + beta) / (2 * V)
        output = output + (a / 2 + sign * V) * torch.sigmoid(w * x + b + shift)
    return output


def test_networks_approach_the_limit_as_predicted(limits: list[LimitModel]) -> None:
    """The excess loss is k/(4V²); what is left of it shrinks as 1/V⁴, and the least loss lies below."""
    limit = limits[0]
    errors = []
    for V in (100.0, 200.0, 400.0):
        excess = float((merging_network(limit, V, X) - Y).square().mean()) - limit.loss
        errors.append(abs(excess * 4 * V**2 / limit.k - 1))
        least = loss_at(limit, X, Y, V) - limit.loss
        assert 0 < least <= excess
        assert least * 4 * V**2 / limit.k == pytest.approx(1, abs=1e-3)
    assert errors[0] < 0.1
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3


def test_limits_scale_with_the_targets(limits: list[LimitModel]) -> None:
    for limit, larger in zip(limits[:2], limit_models(X, 1000 * Y)[:2], strict=True):
        assert larger.loss == pytest.approx(1e6 * limit.loss, rel=1e-5)
        assert float(larger.theta[0]) == pytest.approx(float(limit.theta[0]), rel=1e-4)
