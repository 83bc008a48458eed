"""Second derivatives by hand against autograd, and what they say about known minima of D1."""

import pytest
import torch
from torch import Tensor

from fnn import load_d1
from fnn.landscape.curvature import (
    hessian,
    is_positive,
    unit_derivatives,
)
from fnn.units import UNITS

UNIT_NAMES = ["sigmoid", "tanh", "relu"]


def random_params(runs: int, m: int, seed: int = 0) -> Tensor:
    return torch.randn(runs, 3 * m + 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def network(theta: Tensor, x: Tensor, unit: str) -> Tensor:
    """[1, m, 1] with parameters theta [P] at x [N]."""
    m = (len(theta) - 1) // 3
    w, b, v, c = theta.split([m, m, m, 1])
    return UNITS[unit].phi(x[:, None] * w + b) @ v + c


@pytest.mark.parametrize("unit", UNIT_NAMES)
@pytest.mark.parametrize("m", [1, 3])
def test_hessian_agrees_with_autograd(unit: str, m: int) -> None:
    data = load_d1()
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    params = random_params(4, m)
    H = hessian(params, x, y, unit)
    for r, theta in enumerate(params):
        expected = torch.autograd.functional.hessian(
            lambda t: (network(t, x, unit) - y).square().mean(), theta
        )
        torch.testing.assert_close(H[r], expected, atol=1e-11, rtol=1e-11)


def test_unit_derivatives_of_the_logistic_function() -> None:
    z = torch.linspace(-4, 4, 9, dtype=torch.float64)
    s = torch.sigmoid(z)
    s1 = s * (1 - s)
    by_hand = [s, s1, s1 * (1 - 2 * s), s1 * (1 - 6 * s + 6 * s**2)]
    for value, expected in zip(unit_derivatives(torch.sigmoid, z, 3), by_hand, strict=True):
        torch.testing.assert_close(value, expected, atol=1e-14, rtol=1e-12)
        assert not value.requires_grad


def test_positive_beyond_rounding() -> None:
    diagonals = torch.tensor([[1.0, 2.0], [0.0, 2.0], [-1e-17, 2.0], [-1e-3, 2.0]], dtype=torch.float64)
    H = torch.diag_embed(diagonals)
    assert is_positive(H).tolist() == [True, False, False, False]
    assert is_positive(H, semidefinite=True).tolist() == [True, True, True, False]
