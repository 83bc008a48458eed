"""Task 1b: the forward pass of a fully connected network."""

from collections.abc import Callable, Iterable

from torch import Tensor

Phi = Callable[[Tensor], Tensor]  # acts on every element: torch.sigmoid, torch.tanh, torch.relu, …


def feedforward(x: Tensor, layers: Iterable[tuple[Tensor, Tensor]], phi: Phi) -> list[Tensor]:
    """Outputs of all layers of a fully connected network, the first hidden layer's first.

    With z₀ = x and (Wₗ, bₗ) the l-th of `layers`, zₗ₊₁ = φ(Wₗᵀzₗ + bₗ); the last layer is linear
    (Goodfellow, Bengio and Courville 2016, section 6.1; task 1b of the report).

    Args:
        x: inputs, [..., D].
        layers: a pair per layer, weight [..., fan_in, fan_out] and bias [..., fan_out] or [..., 1, fan_out].
            With leading dimensions R and N examples, weights [R, fan_in, fan_out] and biases
            [R, 1, fan_out] run R networks at once on x [N, D] or [R, N, D].
        phi: the unit, applied to the hidden layers.

    Returns:
        A tensor [..., fan_out] per layer.
    """
    *hidden, (W_out, b_out) = layers
    outputs = []
    for W, b in hidden:
        x = phi(x @ W + b)
        outputs.append(x)
    return [*outputs, x @ W_out + b_out]
