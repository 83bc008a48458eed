"""Experiments of task 1: the two classes, checked."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fnn.models import MLP, LogisticRegression
from fnn.training import SEED


@dataclass(frozen=True)
class LogisticProbe:
    """One backward pass of the negative log-likelihood through a freshly drawn model."""

    error: str  # of `backward()`, "" where it succeeds
    gradients: list[float]  # norms of the registered parameters' gradients, 0 where there is none


def logistic_probe(
    model_class: type[nn.Module] = LogisticRegression, inputs_require_grad: bool = False
) -> LogisticProbe:
    """What a backward pass does to the registered parameters of `model_class(4, 3)`, on eight examples."""
    torch.manual_seed(SEED)
    model = model_class(4, 3)
    x = torch.randn(8, 4, requires_grad=inputs_require_grad)
    loss = nn.functional.nll_loss(model(x), torch.arange(8) % 3)
    error = ""
    try:
        loss.backward()  # type: ignore[no-untyped-call]
    except RuntimeError as failure:
        error = str(failure)
    gradients = [parameter.grad for parameter in model.parameters()]
    return LogisticProbe(error, [0.0 if g is None else float(g.norm()) for g in gradients])


def check_network() -> MLP:
    """The network that the assignment prescribes for checking, ReLU units, parameters drawn with seed 0."""
    mlp = MLP([2, 3, 4, 2], torch.relu)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight, bias in mlp.layers():
            weight.copy_(torch.randn(weight.shape))
            bias.copy_(torch.randn(bias.shape))
    return mlp.requires_grad_(False)


def close(output: Tensor, expected: list[float] | list[list[float]]) -> bool:
    """Whether an output equals values that were printed with four decimals."""
    return bool(((output - torch.tensor(expected)).abs() <= 5e-5).all())


def batch_difference(mlp: MLP, examples: int) -> float:
    """The largest difference of an output when random inputs are evaluated as one matrix and row by row."""
    X = torch.randn(examples, mlp.sizes[0], generator=torch.Generator().manual_seed(SEED))
    return float((mlp(X) - torch.stack([mlp(x) for x in X])).abs().max())
