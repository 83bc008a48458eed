"""Where two units merge: limit models, which no finite network attains.

Write two units as z ± εδ with z = wx + b, δ = αx + β and output weights a/2 ± 1/(2ε). Together they give

    aσ(z) + δσ′(z) + ε²(aδ²σ″(z)/2 + δ³σ‴(z)/6) + O(ε⁴),

so that the loss is a smooth function of T = ε². At T = 0 stands the *limit model*
g(x) = aσ(z) + (αx + β)σ′(z) + c, with further units vⱼσ(wⱼx + bⱼ) where the network has them. It is a strict
local minimum of the whole if its Hessian is positive definite and the loss rises with T,

    k = dL/dT at T = 0 = (2/N) Σ rᵢ(aδᵢ²σ″ᵢ/2 + δᵢ³σ‴ᵢ/6) > 0,

and is then approached only as the output weights diverge: with V = (v₁ − v₂)/2 = 1/(2ε), the excess
L − L* is k/(4V²) to first order. Section 2b of the report; Martinelli et al. 2025 for the general picture.
"""

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.landscape.curvature import unit_derivatives
from fnn.units import UNITS

STARTS_PER_AXIS = 24  # of the merged unit's (centre, w)
EXTRA_STARTS = 6  # centres of a further unit, and as many widths
STEPS = 200  # of Levenberg–Marquardt at most
SMALL_GAIN = 1e-15  # relative fall of the loss in the step that ends a search
SMALL_GRADIENT = 1e-6  # of the loss over the parameters of a limit model, max-norm, for targets of order 1
SAME_LIMIT = 1e-7  # relative distance of the losses of one limit found from two starts


@dataclass(frozen=True)
class LimitModel:
    """A local minimum of the loss over limit models; float64."""

    loss: float  # mean squared error on the training data, L*
    w: float  # of the merged unit, positive
    b: float
    a: float
    alpha: float
    beta: float
    c: float
    others: tuple[tuple[float, float, float], ...]  # (w, b, v) of each further unit
    k: float  # dL/dT at T = 0; positive: not attained by any finite network nearby
    hessian_eigenvalues: tuple[float, ...]  # of the loss over all parameters of the model, ascending
    unit: str

    def excess(self, V: Tensor) -> Tensor:
        """The predicted L − L* of a network whose merging units have V = (v₁ − v₂)/2, to first order."""
        return self.k / (4 * V**2)

    def __call__(self, x: Tensor) -> Tensor:
        """g at inputs x [N], float64."""
        return _evaluate(self.parameters, x, self.unit)

    @property
    def parameters(self) -> Tensor:
        """w, b, a, α, β, c and w, b, v of each further unit, [6 + 3·units]."""
        merged = (self.w, self.b, self.a, self.alpha, self.beta, self.c)
        return torch.tensor([*merged, *chain.from_iterable(self.others)], dtype=torch.float64)


def limit_models(data: Dataset, others: int = 0, unit: str = "sigmoid") -> list[LimitModel]:
    """The local minima of the loss over limit models with `others` (0 or 1) further units, lowest loss first.

    By variable projection (Golub and Pereyra 1973, with the Jacobian of Kaufman 1975): for given w and b of
    all units the rest is linear least squares; Levenberg–Marquardt runs over w and b, from a grid of starts.
    Kept are the ends with a small gradient and a positive definite Hessian; a minimum that no start leads to
    is missed.

    Raises:
        ValueError: if the unit is not smooth, or `others` is neither 0 nor 1.
    """
    if unit not in ("sigmoid", "tanh"):
        raise ValueError(f"unit={unit!r}: limit models need a smooth unit, sigmoid or tanh")
    if others not in (0, 1):
        raise ValueError(f"others={others}: 0 and 1 are searched")
    x, y = data.X_train.double()[:, 0], data.y_train.double()[:, 0]
    found: list[LimitModel] = []
    ends, losses = _levenberg_marquardt(_starts(data, others), x, y, unit)
    for end, loss in zip(ends, losses.tolist(), strict=True):
        if any(abs(loss - other.loss) <= SAME_LIMIT * loss for other in found):
            continue
        limit = _describe(end, x, y, unit)
        if limit is not None:
            found.append(limit)
    return sorted(found, key=lambda limit: limit.loss)


def _starts(data: Dataset, others: int) -> Tensor:
    """(w, b) of the merged unit, and of each further unit: [S, 1 + others, 2], centres over the data."""
    low, high = data.x_range
    span = high - low

    def grid(count: int) -> Tensor:
        centre = torch.linspace(low, high, count, dtype=torch.float64)
        w = torch.logspace(0, 2, count, dtype=torch.float64) * 2 / span  # from the whole range to 1/100 of it
        pairs = torch.cartesian_prod(w, centre)
        return torch.stack([pairs[:, 0], -pairs[:, 0] * pairs[:, 1]], dim=1)  # [count², 2]

    if not others:
        return grid(STARTS_PER_AXIS)[:, None]
    merged, further = grid(EXTRA_STARTS), grid(EXTRA_STARTS)
    pairs = torch.cartesian_prod(torch.arange(len(merged)), torch.arange(len(further)))
    return torch.stack([merged[pairs[:, 0]], further[pairs[:, 1]]], dim=1)


def _project(theta: Tensor, x: Tensor, y: Tensor, unit: str) -> tuple[Tensor, Tensor, Tensor]:
    """Best linear coefficients, residuals and Kaufman's Jacobian at (w, b) of all units.

    theta [S, U, 2] → coefficients [S, 4 + others] of the columns σ(z), xσ′(z), σ′(z), 1, σ(zⱼ), …;
    r [S, N]; J [S, N, 2U] = P⊥ ∂(columns)/∂θ · coefficients, P⊥ the projection off the columns.
    """
    z = theta[:, :, :1] * x + theta[:, :, 1:]  # [S, U, N]
    s0, s1, s2 = unit_derivatives(UNITS[unit].phi, z, 2)
    merged = [s0[:, 0], x * s1[:, 0], s1[:, 0], torch.ones_like(s0[:, 0])]
    columns = torch.stack([*merged, *s0[:, 1:].unbind(1)], dim=2)  # [S, N, C]
    Q, R = torch.linalg.qr(columns)
    Qy = Q.mT @ y[:, None]  # [S, C, 1]
    coefficients = torch.linalg.solve_triangular(R, Qy, upper=True).squeeze(2)  # inf or NaN where dependent
    r = (Q @ Qy).squeeze(2) - y

    a, alpha, beta = coefficients[:, 0, None], coefficients[:, 1, None], coefficients[:, 2, None]
    dz = [a * s1[:, 0] + (alpha * x + beta) * s2[:, 0]]
    dz += [coefficients[:, 3 + j, None] * s1[:, j] for j in range(1, theta.shape[1])]
    J = torch.stack([d for each in dz for d in (x * each, each)], dim=2)  # [S, N, 2U]
    return coefficients, r, J - Q @ (Q.mT @ J)


def _levenberg_marquardt(theta: Tensor, x: Tensor, y: Tensor, unit: str) -> tuple[Tensor, Tensor]:
    """All parameters [S, 6 + 3·others] and losses [S] where the starts theta [S, U, 2] lead."""
    theta = theta.clone()
    coefficients, r, J = _project(theta, x, y, unit)
    losses = r.square().mean(dim=1)
    damping = torch.full_like(losses, 1e-2)
    active = (losses.isfinite() & J.isfinite().all(dim=(1, 2))).nonzero()[:, 0]  # starts that still move
    for _ in range(STEPS):
        if not len(active):
            break
        H, g = J[active].mT @ J[active], J[active].mT @ r[active, :, None]
        scale = H.diagonal(dim1=1, dim2=2) + 1e-12
        step, _ = torch.linalg.solve_ex(H + torch.diag_embed(damping[active, None] * scale), g)
        trial = theta[active] - step.reshape(len(active), -1, 2)
        trial_coefficients, trial_r, trial_J = _project(trial, x, y, unit)
        trial_losses = trial_r.square().mean(dim=1)

        gain = 1 - trial_losses / losses[active]
        better = (gain > 0) & trial_J.isfinite().all(dim=(1, 2))
        rows = active[better]
        theta[rows], losses[rows] = trial[better], trial_losses[better]
        coefficients[rows], r[rows], J[rows] = trial_coefficients[better], trial_r[better], trial_J[better]
        damping[active] *= torch.where(better, 0.2, 3.0)
        active = active[~(better & (gain < SMALL_GAIN)) & (damping[active] < 1e10)]
    first, rest = theta[:, 0], theta[:, 1:]
    parts = [first, coefficients[:, :4]]
    parts += [torch.cat([rest[:, j], coefficients[:, 4 + j, None]], dim=1) for j in range(rest.shape[1])]
    return torch.cat(parts, dim=1), losses


def _evaluate(theta: Tensor, x: Tensor, unit: str) -> Tensor:
    """The limit model with parameters theta [6 + 3·others] at x [N]."""
    w, b, a, alpha, beta, c = theta[:6]
    s0, s1 = unit_derivatives(UNITS[unit].phi, w * x + b, 1)
    g: Tensor = a * s0 + (alpha * x + beta) * s1 + c
    for w_j, b_j, v_j in theta[6:].reshape(-1, 3):
        g = g + v_j * UNITS[unit].phi(w_j * x + b_j)
    return g


def _describe(theta: Tensor, x: Tensor, y: Tensor, unit: str) -> LimitModel | None:
    """The limit at theta with its curvature; None if it is not a strict local minimum."""
    theta = _upright(theta, unit).requires_grad_()
    loss = (_evaluate(theta, x, unit) - y).square().mean()
    (gradient,) = torch.autograd.grad(loss, theta, create_graph=True)
    H = torch.stack([torch.autograd.grad(entry, theta, retain_graph=True)[0] for entry in gradient])
    if gradient.abs().max() > SMALL_GRADIENT * y.var().clamp(min=1) or not H.isfinite().all():
        return None  # a start that led nowhere, or a unit that went to infinity
    eigenvalues = torch.linalg.eigvalsh(H)
    if eigenvalues[0] <= len(H) * torch.finfo(H.dtype).eps * eigenvalues[-1]:  # not positive beyond rounding
        return None
    theta = theta.detach()
    w, b, a, alpha, beta, c, *rest = theta.tolist()
    r = _evaluate(theta, x, unit) - y
    delta = alpha * x + beta
    _, _, s2, s3 = unit_derivatives(UNITS[unit].phi, w * x + b, 3)
    k = 2 * (r * (a * delta**2 * s2 / 2 + delta**3 * s3 / 6)).mean()
    others = tuple((rest[i], rest[i + 1], rest[i + 2]) for i in range(0, len(rest), 3))
    return LimitModel(
        loss.item(), w, b, a, alpha, beta, c, others, float(k), tuple(eigenvalues.tolist()), unit
    )


def _upright(theta: Tensor, unit: str) -> Tensor:
    """The same function with w > 0: σ(−z) = 1 − σ(z), or −σ(z) for an odd unit, and σ′ is even."""
    theta = theta.clone()
    for start in (0, *range(6, len(theta), 3)):
        if theta[start] < 0:
            weight = 2 if start == 0 else start + 2
            if unit == "sigmoid":
                theta[5] += theta[weight]
            theta[weight] *= -1
            theta[start : start + 2] *= -1
    return theta
