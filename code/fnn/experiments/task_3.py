"""Experiments of task 3: both passes by hand against autograd."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fnn import backprop
from fnn.backprop import BackwardPass, ForwardPass
from fnn.data import Dataset
from fnn.experiments.plan import PLAN
from fnn.prose.numbers import number
from fnn.prose.tables import Table
from fnn.training import train_restarts


@dataclass(frozen=True)
class BackpropExample:
    """A trained network at one example: both passes by hand, and their squared errors against PyTorch.

    Everything in float64; shapes as in `backprop`.
    """

    hidden_units: int  # Z
    train_mse: float  # of the network
    trial_steps: int  # of Levenberg–Marquardt that trained it
    stop: str  # why the training ended, a value of `optimizers.Stop`
    x: Tensor  # [1]
    y: Tensor  # [1]
    parameters: tuple[Tensor, Tensor, Tensor, Tensor]  # W1 [1, Z], b1 [Z], W2 [Z, 1], b2 [1]
    forward: ForwardPass
    backward: BackwardPass
    forward_errors: dict[str, float]  # squared error per forward quantity, summed over its entries
    squared_errors: dict[str, float]  # the same per δ

    @property
    def forward_error(self) -> float:
        return max(self.forward_errors.values())

    @property
    def backward_error(self) -> float:
        return max(self.squared_errors.values())

    @property
    def how_it_ended(self) -> str:
        """The end of the training in words."""
        if self.stop == "iterations":
            return f"up to its limit of {self.trial_steps:,} trial steps"
        return f"until it stopped after {self.trial_steps:,} trial steps ({self.stop})"

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters)

    @property
    def forward_operations(self) -> int:
        """Elementary operations of `backprop.forward`, counted from its formulas; σ takes a negation, an
        exponential, an addition and a division per unit."""
        Z = self.hidden_units
        z1, z2, z3, z4, y_hat, l = Z, Z, 4 * Z, 2 * Z - 1, 1, 2
        return z1 + z2 + z3 + z4 + y_hat + l

    @property
    def backward_operations(self) -> int:
        """Elementary operations of `backprop.backward`, counted from its formulas; copies and δl are free."""
        Z = self.hidden_units
        y, y_hat, W2, z3, z2, W1, x = 2, 1, Z, Z, 3 * Z, Z, 2 * Z - 1
        return y + y_hat + W2 + z3 + z2 + W1 + x


def backprop_example(data: Dataset, hidden_units: int = 50, index: int = 1) -> BackpropExample:
    """Train [1, hidden_units, 1] and run both passes at test example `index` (the course's is the second)."""
    record = train_restarts([hidden_units], 1, method="lm", data=data, limits=PLAN.limits)
    model = record.model(0, torch.float64).requires_grad_(False)
    (W1, b1), (W2, b2) = model.layers()
    x, y = data.X_test[index].double(), data.y_test[index].double()

    # The reference: the model's own output for the forward pass, autograd through it for the backward pass.
    traced = [tensor.clone().requires_grad_() for tensor in (x, y, W1, b1, W2, b2)]
    reference = _reference_pass(*traced)
    reference["l"].backward()  # type: ignore[no-untyped-call]
    gradients = {name: node.grad for name, node in reference.items()}

    parameters = (W1, b1, W2, b2)
    forward = backprop.forward(x, y, *parameters)
    backward = backprop.backward(x, y, *parameters, forward)
    forward_errors = {
        name: _squared_error(value, reference[name]) for name, value in forward._asdict().items()
    }
    forward_errors["y_hat"] = max(forward_errors["y_hat"], _squared_error(forward.y_hat, model(x)))
    squared_errors = {
        name: _squared_error(delta, gradients[name]) for name, delta in backward._asdict().items()
    }
    return BackpropExample(
        hidden_units, float(record.train_mse[0]), int(record.jacobian_evaluations[0]) - 1, record.stop[0],
        x, y, parameters, forward, backward, forward_errors, squared_errors,
    )  # fmt: skip


def _reference_pass(
    x: Tensor, y: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor
) -> dict[str, Tensor]:
    """Every node of the graph as autograd sees it, its gradient retained."""
    z1 = x @ W1
    z2 = z1 + b1
    z3 = torch.sigmoid(z2)
    z4 = z3 @ W2
    y_hat = z4 + b2
    l = nn.functional.mse_loss(y_hat, y, reduction="sum")
    nodes = {
        "x": x, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2,
        "z1": z1, "z2": z2, "z3": z3, "z4": z4, "y_hat": y_hat, "l": l,
    }  # fmt: skip
    for node in nodes.values():
        node.retain_grad()
    return nodes


def _squared_error(value: Tensor, reference: Tensor | None) -> float:
    assert reference is not None
    return float(((value - reference.detach()) ** 2).sum())


# Symbol, formula, shape for Z hidden units, and the rule it comes from, in the order of computation.
BACKWARD_ROWS = {
    "l": ("l", "1", "", "start"),
    "y": (r"\mathbf{y}", r"2(\mathbf{y} - \hat{\mathbf{y}})\,\delta_l", "1", "loss"),
    "y_hat": (r"\hat{\mathbf{y}}", r"-2(\mathbf{y} - \hat{\mathbf{y}})\,\delta_l", "1", "loss"),
    "b2": (r"\mathbf{b}_2", r"\delta_{\hat{\mathbf{y}}}", "1", "addition"),
    "z4": (r"\mathbf{z}_4", r"\delta_{\hat{\mathbf{y}}}", "1", "addition"),
    "W2": (r"\mathbf{W}_2", r"\mathbf{z}_3\, \delta_{\mathbf{z}_4}^\top", r"{Z} \times 1", "product"),
    "z3": (r"\mathbf{z}_3", r"\mathbf{W}_2\, \delta_{\mathbf{z}_4}", "{Z}", "product"),
    "z2": (
        r"\mathbf{z}_2",
        r"\delta_{\mathbf{z}_3} \odot \mathbf{z}_3 \odot (\mathbf{1} - \mathbf{z}_3)",
        "{Z}",
        "logistic",
    ),
    "b1": (r"\mathbf{b}_1", r"\delta_{\mathbf{z}_2}", "{Z}", "addition"),
    "z1": (r"\mathbf{z}_1", r"\delta_{\mathbf{z}_2}", "{Z}", "addition"),
    "W1": (r"\mathbf{W}_1", r"\mathbf{x}\, \delta_{\mathbf{z}_1}^\top", r"1 \times {Z}", "product"),
    "x": (r"\mathbf{x}", r"\mathbf{W}_1\, \delta_{\mathbf{z}_1}", "1", "product"),
}


def backward_table(example: BackpropExample) -> Table:
    """All twelve derivatives: formula, shape, rule, value at the example, squared error against autograd."""
    rows = []
    for name, (symbol, formula, shape, rule) in BACKWARD_ROWS.items():
        delta = getattr(example.backward, name)
        size = shape.replace("{Z}", str(example.hidden_units))
        space = rf"$\mathbb{{R}}^{{{size}}}$" if size else r"$\mathbb{R}$"
        value = number(delta.norm() if delta.numel() > 1 else delta.sum(), 4)
        rows.append(
            [
                rf"$\delta_{{{symbol}}}$",
                f"${formula}$",
                space,
                rule,
                value,
                number(example.squared_errors[name], 2),
            ]
        )
    return Table(
        ["Quantity", "Formula", "Space", "Rule", "Value", "Error"],
        rows,
        align="llllrr",
        widths=(2, 5, 2, 3, 3, 3),
    )
