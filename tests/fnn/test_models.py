"""The models of task 1 against the course's check values and against torch.nn."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from fnn import MLP, LogisticRegression
from fnn.models import HandedOutLogisticRegression
from fnn.units import UNITS

MODULES = {torch.sigmoid: nn.Sigmoid, torch.tanh: nn.Tanh, torch.relu: nn.ReLU}


@pytest.fixture
def checked_mlp() -> MLP:
    """The network whose outputs the course prints."""
    mlp = MLP([2, 3, 4, 2], torch.relu)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight, bias in mlp.layers():
            weight.copy_(torch.randn(weight.shape))
            bias.copy_(torch.randn(bias.shape))
    return mlp


def test_check_value_of_a_vector(checked_mlp: MLP) -> None:
    torch.testing.assert_close(checked_mlp([-1, 2]), torch.tensor([0.8315, -3.6792]), atol=5e-5, rtol=0)


def test_check_values_of_a_matrix(checked_mlp: MLP) -> None:
    expected = torch.tensor([[0.8315, -3.6792], [4.8448, -6.8813]])
    torch.testing.assert_close(checked_mlp([[-1, 2], [1, -2]]), expected, atol=5e-5, rtol=0)


@pytest.mark.parametrize("batch", [(), (1,), (7,), (3, 2), (2, 1, 4), (0,)])
def test_leading_dimensions_pass_through(batch: tuple[int, ...]) -> None:
    mlp = MLP([3, 5, 2]).double()
    x = torch.randn(*batch, 3, dtype=torch.float64)
    y = mlp(x)
    assert y.shape == (*batch, 2)
    if math.prod(batch):
        rows = torch.stack([mlp(row) for row in x.reshape(-1, 3)])
        torch.testing.assert_close(y.reshape(-1, 2), rows, atol=1e-12, rtol=1e-12)


def sequential_like(mlp: MLP, unit: type[nn.Module]) -> nn.Sequential:
    """torch.nn's network with the same parameters."""
    modules: list[nn.Module] = []
    for weight, bias in mlp.layers():
        linear = nn.Linear(*weight.shape, dtype=weight.dtype)
        with torch.no_grad():
            linear.weight.copy_(weight.T)
            linear.bias.copy_(bias)
        modules += [linear, unit()]
    return nn.Sequential(*modules[:-1])


@pytest.mark.parametrize("phi", MODULES, ids=lambda phi: phi.__name__)
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_torch_nn(phi: torch.nn.Module, seed: int) -> None:
    torch.manual_seed(seed)
    depth = int(torch.randint(1, 5, ()))
    sizes = torch.randint(1, 12, (depth + 1,)).tolist()
    mlp = MLP(sizes, phi).double()
    reference = sequential_like(mlp, MODULES[phi])
    X = torch.randn(9, sizes[0], dtype=torch.float64)
    upstream = torch.randn(9, sizes[-1], dtype=torch.float64)

    outputs, expected = mlp(X), reference(X)
    torch.testing.assert_close(outputs, expected, atol=1e-12, rtol=1e-12)

    (outputs * upstream).sum().backward()
    (expected * upstream).sum().backward()
    linears = [module for module in reference if isinstance(module, nn.Linear)]
    for (weight, bias), linear in zip(mlp.layers(), linears, strict=True):
        torch.testing.assert_close(weight.grad, gradient(linear.weight).T, atol=1e-12, rtol=1e-12)
        torch.testing.assert_close(bias.grad, gradient(linear.bias), atol=1e-12, rtol=1e-12)


def gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def test_parameters_have_the_official_names_and_shapes() -> None:
    sizes = [2, 5, 7, 1]
    mlp = MLP(sizes)
    expected = {}
    for l, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        expected |= {f"{l}_weight": (fan_in, fan_out), f"{l}_bias": (fan_out,)}
    assert {name: tuple(p.shape) for name, p in mlp.named_parameters()} == expected
    assert mlp.num_layers() == 3
    assert {n: tuple(p.shape) for n, p in LogisticRegression(4, 3).named_parameters()} == {
        "0_weight": (4, 3),
        "0_bias": (3,),
    }


def test_initial_law() -> None:
    """Weights N(0, 1)/√fan_in, biases N(0, 1); for the regression model the bias is N(0, 1)/√C."""
    torch.manual_seed(1)
    (W0, b0), (W1, b1) = MLP([400, 900, 500]).layers()
    logistic = LogisticRegression(400, 900)
    for drawn, std in [
        (W0, 1 / 20),
        (b0, 1.0),
        (W1, 1 / 30),
        (b1, 1.0),
        (logistic.get_parameter("0_weight"), 1 / 20),
        (logistic.get_parameter("0_bias"), 1 / 30),
    ]:
        count = drawn.numel()
        assert abs(drawn.mean().item()) < 5 * std / math.sqrt(count)
        assert abs(drawn.std().item() / std - 1) < 5 / math.sqrt(2 * count)


def test_logistic_regression_agrees_with_torch_nn() -> None:
    model = LogisticRegression(4, 3).double()
    X = torch.randn(6, 4, dtype=torch.float64)
    reference = nn.Sequential(nn.Linear(4, 3, dtype=torch.float64), nn.LogSoftmax(dim=-1))
    with torch.no_grad():
        reference[0].weight.copy_(model.get_parameter("0_weight").T)
        reference[0].bias.copy_(model.get_parameter("0_bias"))
    torch.testing.assert_close(model(X), reference(X), atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(model(X[0]), reference(X)[0], atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize(
    "model", [MLP([2, 3, 3]), LogisticRegression(2, 3)], ids=["MLP", "LogisticRegression"]
)
def test_gradients_reach_every_registered_parameter(model: nn.Module) -> None:
    model.zero_grad()
    torch.manual_seed(2)
    (model(torch.randn(5, 2)) * torch.randn(5, 3)).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().max()) > 0, name


def test_the_class_as_handed_out_learns_nothing() -> None:
    """Its outputs are right, but no gradient reaches a registered parameter."""
    torch.manual_seed(4)
    model, ours = HandedOutLogisticRegression(4, 3), LogisticRegression(4, 3)
    ours.load_state_dict(model.state_dict())
    x = torch.randn(5, 4)
    assert torch.equal(model(x), ours(x))
    with pytest.raises(RuntimeError, match="does not require grad"):
        model(x).sum().backward()
    model(x.requires_grad_()).sum().backward()
    assert [parameter.grad for parameter in model.parameters()] == [None, None]


@pytest.mark.parametrize(
    "model", [MLP([2, 3, 1]), LogisticRegression(2, 3)], ids=["MLP", "LogisticRegression"]
)
def test_wrong_input_is_refused_with_both_shapes(model: nn.Module) -> None:
    with pytest.raises(
        ValueError, match=r"shape \(4, 3\), the first weight \(2, 3\): the last dimension .* be 2"
    ):
        model(torch.zeros(4, 3))
    with pytest.raises(ValueError, match=r"shape \(\)"):
        model(torch.tensor(1.0))
    with pytest.raises(TypeError, match=r"\(4, 2\) is torch\.float64, .* \(2, 3\) is torch\.float32"):
        model(torch.zeros(4, 2, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"torch\.int64"):
        model(torch.zeros(4, 2, dtype=torch.int64))


@pytest.mark.parametrize("sizes", [[], [3], [2, 0], [2, -1, 1], [2, 1.5], [True, 1], ["2", 1]])
def test_bad_sizes_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"MLP: sizes=\[.*\]: give at least 2 positive whole numbers"):
        MLP(sizes)


def test_bad_class_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"LogisticRegression: \[D, C\]=\[2, 0\]: give at least 2 positive"):
        LogisticRegression(2, 0)


@pytest.mark.parametrize("name", UNITS)
def test_units_have_names(name: str) -> None:
    named = MLP([2, 3, 1], name)
    given = MLP([2, 3, 1], UNITS[name].phi)
    given.load_state_dict(named.state_dict())
    x = torch.randn(5, 2)
    assert torch.equal(named(x), given(x))


def test_unknown_units_are_refused() -> None:
    with pytest.raises(ValueError, match="phi='rleu': did you mean 'relu'"):
        MLP([2, 3, 1], "rleu")
    with pytest.raises(TypeError, match="phi=3: give a function"):
        MLP([2, 3, 1], 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="MLP: sizes=3: give a list of whole numbers"):
        MLP(3)  # type: ignore[arg-type]
