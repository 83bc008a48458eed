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

import math
from dataclasses import dataclass
from itertools import chain
from typing import cast

import torch
from torch import Tensor

from fnn.data import Dataset
from fnn.landscape.curvature import unit_derivatives
from fnn.optimizers import Limits, levenberg_marquardt
from fnn.optimizers.problem import LeastSquaresObjective
from fnn.units import UNITS

STARTS_PER_AXIS = 16  # of the merged unit's (centre, w): on D1, 12 and 24 lead to the same limits
EXTRA_STARTS = 6  # the same for each of two units, 6⁴ starts in all: seconds
WIDEST = 2.0  # w of the starts times the range of x: the unit rises over all of it
NARROWEST = 200.0  # over a hundredth of it
# Of a search from one start. It ends where 20 steps lower the loss by nothing but rounding errors, whatever
# the scale of the targets.
LIMITS = Limits(gradient=0.0, patience=20, progress=1e-12, least_squares_iterations=400)
FLAT_GRADIENT = 1e-6  # of the loss over all parameters at a limit model, max-norm, for targets of order 1
SAME_LOSS = 1e-7  # relative distance of the losses of one limit model found from two starts


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
    problem = _Projection(x, y, unit)
    # With fewer parameters than residuals, Levenberg–Marquardt asks for residuals and Jacobian only.
    objective = cast(LeastSquaresObjective, problem)
    ends = levenberg_marquardt.minimize(objective, _starts(data, others), LIMITS)
    found: list[LimitModel] = []
    for end, loss in zip(problem.all_parameters(ends.params), ends.value.tolist(), strict=True):
        if any(abs(loss - other.loss) <= SAME_LOSS * loss for other in found):
            continue
        limit = _describe(end, x, y, unit)
        if limit is not None:
            found.append(limit)
    return sorted(found, key=lambda limit: limit.loss)


def _starts(data: Dataset, others: int) -> Tensor:
    """(w, b) of the merged unit, and of each further unit: [S, 2 + 2·others], centres over the data."""
    low, high = data.x_range
    span = high - low

    def grid(count: int) -> Tensor:
        centre = torch.linspace(low, high, count, dtype=torch.float64)
        w = torch.logspace(math.log10(WIDEST), math.log10(NARROWEST), count, dtype=torch.float64) / span
        pairs = torch.cartesian_prod(w, centre)
        return torch.stack([pairs[:, 0], -pairs[:, 0] * pairs[:, 1]], dim=1)  # [count², 2]

    if not others:
        return grid(STARTS_PER_AXIS)
    merged, further = grid(EXTRA_STARTS), grid(EXTRA_STARTS)
    pairs = torch.cartesian_prod(torch.arange(len(merged)), torch.arange(len(further)))
    return torch.cat([merged[pairs[:, 0]], further[pairs[:, 1]]], dim=1)


class _Projection:
    """The least-squares problem in w and b of all units, [S, 2U], the other parameters projected out."""

    def __init__(self, x: Tensor, y: Tensor, unit: str) -> None:
        self.x, self.y, self.unit, self.N = x, y, unit, len(x)

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """r [S, N], and Kaufman's Jacobian P⊥ ∂(columns)/∂θ · coefficients, transposed, [S, 2U, N]."""
        r, J, _ = self._project(params)
        return r, J.mT

    def all_parameters(self, params: Tensor) -> Tensor:
        """With the best coefficients, as `LimitModel.parameters` lists them: [S, 2U] → [S, 6 + 3·others]."""
        coefficients = self._project(params)[2]
        parts = [params[:, :2], coefficients[:, :4]]
        for j in range(1, params.shape[1] // 2):
            parts += [params[:, 2 * j : 2 * j + 2], coefficients[:, 3 + j, None]]
        return torch.cat(parts, dim=1)

    def _project(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """r, J, and the best coefficients [S, 4 + others] of the columns σ(z), xσ′(z), σ′(z), 1, σ(zⱼ), …"""
        x, theta = self.x, params.reshape(len(params), -1, 2)
        z = theta[:, :, :1] * x + theta[:, :, 1:]  # [S, U, N]
        s0, s1, s2 = unit_derivatives(UNITS[self.unit].phi, z, 2)
        merged = [s0[:, 0], x * s1[:, 0], s1[:, 0], torch.ones_like(s0[:, 0])]
        columns = torch.stack([*merged, *s0[:, 1:].unbind(1)], dim=2)  # [S, N, C]
        Q, R = torch.linalg.qr(columns)
        Qy = Q.mT @ self.y[:, None]  # [S, C, 1]
        # inf or NaN where the columns depend on each other
        coefficients = torch.linalg.solve_triangular(R, Qy, upper=True).squeeze(2)

        a, alpha, beta = coefficients[:, 0, None], coefficients[:, 1, None], coefficients[:, 2, None]
        dz = [a * s1[:, 0] + (alpha * x + beta) * s2[:, 0]]
        dz += [coefficients[:, 3 + j, None] * s1[:, j] for j in range(1, theta.shape[1])]
        J = torch.stack([d for each in dz for d in (x * each, each)], dim=2)  # [S, N, 2U]
        return (Q @ Qy).squeeze(2) - self.y, J - Q @ (Q.mT @ J), coefficients


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
    if gradient.abs().max() > FLAT_GRADIENT * y.var().clamp(min=1) or not H.isfinite().all():
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
