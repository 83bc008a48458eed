"""Forward and backward passes against NumPy, finite differences and the values that the archive prints."""

import math
from itertools import pairwise

import numpy as np
import oracle
import pytest
import torch

from fnn import MLP, LogisticRegression, backprop, load_d1
from fnn.optimizers.objective import MeanSquaredError
from fnn.units import UNITS

X, Y = oracle.read("train")
DATA = load_d1().double()
WIDTHS = (1, 2, 3, 10, 50)


def random_parameters(width: int, rows: int) -> oracle.Array:
    """A few points at which to compare, [rows, 3·width + 1]."""
    return np.random.default_rng(width).normal(size=(rows, 3 * width + 1))


def complex_step(theta: oracle.Array) -> oracle.Array:
    """The gradient of the MSE without subtraction: Im L(θ + ih)/h."""

    def loss(t: oracle.Array) -> complex:
        w, b, v, c = oracle.unpack(t)
        f = (1 / (1 + np.exp(-(np.outer(X, w) + b)))) @ v + c
        return complex(np.mean((f - Y) ** 2))

    return np.array([loss(theta + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(theta))])


@pytest.mark.parametrize("width", WIDTHS)
def test_loss_and_gradient(width: int) -> None:
    thetas = random_parameters(width, rows=3 if width < 10 else 1)
    objective = MeanSquaredError([1, width, 1], UNITS["sigmoid"], DATA.X_train, DATA.y_train)
    params = objective.pad(torch.from_numpy(thetas))
    values, gradients = objective.value_and_gradient(params, torch.arange(len(params)))
    gradients = gradients[:, : objective.P]
    for row, theta in enumerate(thetas):
        value, gradient = float(values[row]), gradients[row].numpy()
        assert math.isclose(value, oracle.mse(theta, X, Y), rel_tol=1e-12)
        assert np.allclose(gradient, complex_step(theta), rtol=1e-10, atol=1e-12)
        assert np.allclose(gradient, oracle.gradient(theta, X, Y), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("width", WIDTHS)
def test_mlp_computes_the_formula(width: int) -> None:
    (theta,) = random_parameters(width, rows=1)
    mlp = MLP([1, width, 1]).double()
    w, b, v, c = oracle.unpack(theta)
    with torch.no_grad():
        for parameter, value in zip(mlp.parameters(), (w[None], b, v[:, None], np.array([c])), strict=True):
            parameter.copy_(torch.from_numpy(value))
        output = mlp(DATA.X_train)[:, 0].numpy()
    assert np.allclose(output, oracle.outputs(theta, X), rtol=1e-12, atol=1e-12)


def test_the_archive_s_check_values_by_numpy_and_by_mlp() -> None:
    torch.manual_seed(0)
    sizes = [2, 3, 4, 2]
    layers = [(torch.randn(a, b), torch.randn(b)) for a, b in pairwise(sizes)]
    Z = np.array([[-1.0, 2.0], [1.0, -2.0]])
    for number, (W, b) in enumerate(layers):
        Z = Z @ W.double().numpy() + b.double().numpy()
        Z = np.maximum(Z, 0) if number < 2 else Z
    assert np.array_equal(Z.round(4), [[0.8315, -3.6792], [4.8448, -6.8813]])
    mlp = MLP(sizes, torch.relu)
    with torch.no_grad():
        for parameter, value in zip(mlp.parameters(), (t for layer in layers for t in layer), strict=True):
            parameter.copy_(value)
        assert np.allclose(mlp([[-1, 2], [1, -2]]).numpy(), Z, atol=1e-5)
        assert np.allclose(mlp([-1, 2]).numpy(), Z[0], atol=1e-5)


def test_twelve_deltas_by_central_differences() -> None:
    """Every δ is the derivative of the loss with respect to its node, the rest of the graph following."""
    draw = np.random.default_rng(3)
    x, y, b2 = draw.normal(size=(3, 1))
    W1, b1, W2 = draw.normal(size=(1, 50)), draw.normal(size=50), draw.normal(size=(50, 1))

    def loss(**change: oracle.Array) -> float:
        """The loss where the named nodes have these values and the others follow from them."""
        node = {"x": x, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2} | change
        z1 = change.get("z1", node["W1"].T @ node["x"])
        z2 = change.get("z2", z1 + node["b1"])
        z3 = change.get("z3", 1 / (1 + np.exp(-z2)))
        z4 = change.get("z4", node["W2"].T @ z3)
        y_hat = change.get("y_hat", z4 + node["b2"])
        return float(change.get("l", ((node["y"] - y_hat) ** 2).sum()))

    tensors = [torch.from_numpy(array) for array in (x, y, W1, b1, W2, b2)]
    forward = backprop.forward(*tensors)
    deltas = backprop.backward(*tensors, forward)._asdict()
    places = dict(zip(("x", "y", "W1", "b1", "W2", "b2"), tensors, strict=True)) | forward._asdict()
    assert set(deltas) == set(places)
    assert math.isclose(float(forward.l), loss(), rel_tol=1e-12)
    for name, delta in deltas.items():
        at = places[name].numpy()
        found = np.empty(at.size)
        for entry in range(at.size):
            step = np.zeros(at.size)
            step[entry] = 1e-5
            step = step.reshape(at.shape)
            found[entry] = (loss(**{name: at + step}) - loss(**{name: at - step})) / 2e-5
        assert np.allclose(delta.numpy().ravel(), found, rtol=1e-6, atol=1e-8), name


def test_a_correct_class_learns_and_its_gradient_is_that_of_the_formula() -> None:
    """∂(−log p_k)/∂b = p − e_k and ∂/∂W = x(p − e_k)ᵀ."""
    torch.manual_seed(1)
    model = LogisticRegression(4, 3).double()
    x = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
    log_p = model(x)
    (-log_p[1]).backward()
    p = np.exp(log_p.detach().numpy())
    W, b = (parameter.detach().numpy() for parameter in model.parameters())
    logits = W.T @ x.numpy() + b
    assert np.allclose(p, np.exp(logits) / np.exp(logits).sum())
    error = p - np.array([0.0, 1.0, 0.0])
    weight, bias = model.parameters()
    assert weight.grad is not None
    assert bias.grad is not None
    assert np.allclose(bias.grad.numpy(), error)
    assert np.allclose(weight.grad.numpy(), np.outer(x.numpy(), error))
