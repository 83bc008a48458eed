"""The passes by hand of task 3 against autograd."""

import pytest
import torch
from torch import Tensor

from fnn import MLP, load_d1
from fnn.backprop import BackwardPass, backward, forward

EXACT = {"atol": 1e-12, "rtol": 1e-12}


def random_case(seed: int, units: int, scale: float) -> dict[str, Tensor]:
    """An input, a target and a network of `units` logistic units, float64."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return scale * torch.randn(*shape, dtype=torch.float64, generator=generator)

    return {
        "x": draw(1), "y": draw(1),
        "W1": draw(1, units), "b1": draw(units), "W2": draw(units, 1), "b2": draw(1),
    }  # fmt: skip


def autograd_pass(case: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every node of the graph from torch's own operations, and l's gradient with respect to each."""
    node = {name: value.clone().requires_grad_() for name, value in case.items()}
    node["z1"] = node["W1"].T @ node["x"]
    node["z2"] = node["z1"] + node["b1"]
    node["z3"] = torch.sigmoid(node["z2"])
    node["z4"] = node["W2"].T @ node["z3"]
    node["y_hat"] = node["z4"] + node["b2"]
    node["l"] = torch.nn.functional.mse_loss(node["y_hat"], node["y"], reduction="sum")
    gradients = torch.autograd.grad(node["l"], [node[name] for name in BackwardPass._fields])
    return {name: value.detach() for name, value in node.items()} | {
        f"delta_{name}": gradient for name, gradient in zip(BackwardPass._fields, gradients, strict=True)
    }


@pytest.mark.parametrize("units", [1, 2, 7, 50])
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(4))
def test_by_hand_agrees_with_autograd(seed: int, units: int, scale: float) -> None:
    case = random_case(seed, units, scale)
    expected = autograd_pass(case)

    by_hand = forward(**case)
    for name, value in by_hand._asdict().items():
        torch.testing.assert_close(value, expected[name], **EXACT)

    deltas = backward(**case, pass_=by_hand)
    for name, value in deltas._asdict().items():
        torch.testing.assert_close(value, expected[f"delta_{name}"], **EXACT)


def test_twelve_gradients_each_shaped_like_its_node() -> None:
    case = random_case(0, 50, 1.0)
    by_hand = forward(**case)
    deltas = backward(**case, pass_=by_hand)._asdict()
    assert len(deltas) == 12
    for name, delta in deltas.items():
        assert delta.shape == (case | by_hand._asdict())[name].shape, name


def test_agrees_with_the_mlp_on_the_second_test_example() -> None:
    """Task 3 as set: 50 units, the test example of index 1; here the module's autograd is the reference."""
    torch.manual_seed(3)
    data = load_d1()
    mlp = MLP([1, 50, 1]).double()
    x, y = data.X_test[1].double(), data.y_test[1].double()
    loss = ((mlp(x) - y) ** 2).sum()
    loss.backward()
    (W1, b1), (W2, b2) = mlp.layers()

    with torch.no_grad():
        by_hand = forward(x, y, W1, b1, W2, b2)
        deltas = backward(x, y, W1, b1, W2, b2, by_hand)
    torch.testing.assert_close(by_hand.l, loss.detach(), **EXACT)
    for parameter, delta in [(W1, deltas.W1), (b1, deltas.b1), (W2, deltas.W2), (b2, deltas.b2)]:
        torch.testing.assert_close(parameter.grad, delta, **EXACT)


def test_nothing_is_left_to_autograd() -> None:
    """With tensors that carry no gradient the passes still give everything, and build no graph."""
    case = random_case(1, 5, 1.0)
    by_hand = forward(**case)
    for value in [*by_hand, *backward(**case, pass_=by_hand)]:
        assert not value.requires_grad


def test_saturated_units_stay_finite() -> None:
    case = random_case(2, 4, 1.0)
    case["b1"] = torch.tensor([-800.0, 800.0, -40.0, 40.0], dtype=torch.float64)
    by_hand = forward(**case)
    for value in [*by_hand, *backward(**case, pass_=by_hand)]:
        assert bool(torch.isfinite(value).all())
