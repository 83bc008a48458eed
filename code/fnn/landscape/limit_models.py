"""Where two logistic units merge: limit models, which no finite network attains.

Write two units as z ± εδ with z = wx + b, δ = αx + β and output weights a/2 ± 1/(2ε). Together they give

    aσ(z) + δσ′(z) + ε²(aδ²σ″(z)/2 + δ³σ‴(z)/6) + O(ε⁴),

so that the loss is a smooth function of T = ε². At T = 0 stands the *limit model*
g(x) = aσ(z) + (αx + β)σ′(z) + c. It is a strict local minimum of the whole if its Hessian is positive
definite and the loss rises with T,

    k = dL/dT at T = 0 = (2/N) Σ rᵢ(aδᵢ²σ″ᵢ/2 + δᵢ³σ‴ᵢ/6) > 0,

and is then approached only as the output weights diverge: with V = (v₁ − v₂)/2 = 1/(2ε), the excess
L − L* is k/(4V²) to first order. Appendix A1 of the report; Martinelli et al. 2025 for the general picture.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fnn.optimizers import Limits, levenberg_marquardt

STARTS_PER_AXIS = 16  # of (centre, w): on D1, 12 and 24 lead to the same limits
WIDEST = 2.0  # w of the starts times the range of x: the unit rises over all of it
NARROWEST = 200.0  # over a hundredth of it
# Of a search from one start. It ends where 20 steps lower the loss by nothing but rounding errors, whatever
# the scale of the targets.
LIMITS = Limits(gradient=0.0, patience=20, progress=1e-12, least_squares_iterations=400)
FLAT_GRADIENT = 1e-6  # of the loss over all parameters at a limit model, max-norm, for targets of order 1
SAME_LIMIT = 1e-7  # relative distance of the losses of one limit model found from two starts


@dataclass(frozen=True)
class LimitModel:
    """A strict local minimum of the loss over limit models; float64."""

    theta: Tensor  # [6], w > 0 and b of the merged unit, a, α, β, c
    loss: float  # mean squared error on the training data, L*
    k: float  # dL/dT at T = 0; positive: not attained by any finite network nearby
    hessian_eigenvalues: tuple[float, ...]  # of the loss over θ, ascending


def limit_models(x: Tensor, y: Tensor) -> list[LimitModel]:
    """The strict local minima of the loss over limit models, lowest first; x, y [N] float64.

    By variable projection (Golub and Pereyra 1973, with the Jacobian of Kaufman 1975): for given w and b the
    rest is linear least squares; Levenberg–Marquardt runs over w and b, from a grid of starts. A minimum that
    no start leads to is missed.
    """
    # With fewer parameters than residuals, Levenberg–Marquardt asks for residuals and Jacobian only.
    problem: Any = _Projection(x, y)
    ends = levenberg_marquardt.minimize(problem, _starts(x), LIMITS)
    found: list[LimitModel] = []
    for end, loss in zip(problem.all_parameters(ends.params), ends.value.tolist(), strict=True):
        if any(abs(loss - other.loss) <= SAME_LIMIT * loss for other in found):
            continue
        limit = _describe(end, x, y)
        if limit is not None:
            found.append(limit)
    return sorted(found, key=lambda limit: limit.loss)


def _starts(x: Tensor) -> Tensor:
    """(w, b) of the merged unit, [S, 2], centres over the data."""
    low, high = float(x.min()), float(x.max())
    centre = torch.linspace(low, high, STARTS_PER_AXIS, dtype=torch.float64)
    exponents = math.log10(WIDEST), math.log10(NARROWEST)
    w = torch.logspace(*exponents, STARTS_PER_AXIS, dtype=torch.float64) / (high - low)
    pairs = torch.cartesian_prod(w, centre)
    return torch.stack([pairs[:, 0], -pairs[:, 0] * pairs[:, 1]], dim=1)


class _Projection:
    """The least-squares problem in (w, b), [S, 2], the other parameters projected out."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y, self.N = x, y, len(x)

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """r [S, N], and Kaufman's Jacobian P⊥ ∂(columns)/∂θ · coefficients, transposed, [S, 2, N]."""
        r, J, _ = self._project(params)
        return r, J.mT

    def all_parameters(self, params: Tensor) -> Tensor:
        """w, b with the best a, α, β, c: [S, 2] → [S, 6]."""
        return torch.cat([params, self._project(params)[2]], dim=1)

    def _project(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """r, J, and the best coefficients [S, 4] of the columns σ(z), xσ′(z), σ′(z), 1."""
        x = self.x
        s0, s1, s2, _ = _derivatives(params[:, :1] * x + params[:, 1:])  # [S, N]
        columns = torch.stack([s0, x * s1, s1, torch.ones_like(s0)], dim=2)  # [S, N, 4]
        Q, R = torch.linalg.qr(columns)
        Qy = Q.mT @ self.y[:, None]  # [S, 4, 1]
        # inf or NaN where the columns depend on each other
        coefficients = torch.linalg.solve_triangular(R, Qy, upper=True).squeeze(2)
        a, alpha, beta, _ = coefficients.T[:, :, None]
        dz = a * s1 + (alpha * x + beta) * s2
        J = torch.stack([x * dz, dz], dim=2)  # [S, N, 2]
        return (Q @ Qy).squeeze(2) - self.y, J - Q @ (Q.mT @ J), coefficients


def _derivatives(z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """σ and its first three derivatives."""
    s = torch.sigmoid(z)
    first = s * (1 - s)
    return s, first, first * (1 - 2 * s), first * (1 - 6 * first)


def evaluate(theta: Tensor, x: Tensor) -> Tensor:
    """The limit model g with parameters θ = w, b, a, α, β, c at x [N]."""
    w, b, a, alpha, beta, c = theta
    s0, s1, _, _ = _derivatives(w * x + b)
    g: Tensor = a * s0 + (alpha * x + beta) * s1 + c
    return g


def _describe(theta: Tensor, x: Tensor, y: Tensor) -> LimitModel | None:
    """The limit at theta [6] with its curvature; None if it is not a strict local minimum."""
    if theta[0] < 0:  # the same function with w > 0: σ(−z) = 1 − σ(z), and σ′ is even
        theta = torch.cat([-theta[:3], theta[3:5], theta[5:] + theta[2]])

    def loss(theta: Tensor) -> Tensor:
        mean_square: Tensor = (evaluate(theta, x) - y).square().mean()
        return mean_square

    with torch.enable_grad():
        gradient = torch.autograd.functional.jacobian(loss, theta)  # type: ignore[no-untyped-call]
        H = torch.autograd.functional.hessian(loss, theta)  # type: ignore[no-untyped-call]
    if gradient.abs().max() > FLAT_GRADIENT * y.var().clamp(min=1) or not H.isfinite().all():
        return None  # a start that led nowhere, or a unit that went to infinity
    eigenvalues = torch.linalg.eigvalsh(H)
    if eigenvalues[0] <= len(H) * torch.finfo(H.dtype).eps * eigenvalues[-1]:  # not positive beyond rounding
        return None
    w, b, a, alpha, beta, _ = theta
    delta = alpha * x + beta
    _, _, s2, s3 = _derivatives(w * x + b)
    k = 2 * ((evaluate(theta, x) - y) * (a * delta**2 * s2 / 2 + delta**3 * s3 / 6)).mean()
    return LimitModel(theta, float(loss(theta)), float(k), tuple(eigenvalues.tolist()))


def loss_at(limit: LimitModel, x: Tensor, y: Tensor, V: float) -> float:
    """The lowest MSE near the limit of a network [1, 2, 1] with output weights a/2 ± V; x, y [N] float64."""
    objective: Any = _FixedDifference(x, y, V)
    return float(levenberg_marquardt.minimize(objective, limit.theta[None], LIMITS).value)


class _FixedDifference:
    """The least-squares problem in w, b, a, α, β, c [S, 6] of two units whose output weights are a/2 ± V."""

    def __init__(self, x: Tensor, y: Tensor, V: float) -> None:
        self.x, self.y, self.V, self.N = x, y, V, len(x)

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        """r [S, N] and its Jacobian transposed, [S, 6, N]."""
        x, V = self.x, self.V
        w, b, a, alpha, beta, c = params.T[:, :, None]
        z, shift = w * x + b, (alpha * x + beta) / (2 * V)  # εδ with ε = 1/(2V)
        upper, upper_slope, *_ = _derivatives(z + shift)
        lower, lower_slope, *_ = _derivatives(z - shift)
        mean, slope, bend = (upper + lower) / 2, (upper_slope + lower_slope) / 2, upper_slope - lower_slope
        r = a * mean + V * (upper - lower) + c - self.y
        dz, dq = a * slope + V * bend, a * bend / (4 * V) + slope
        return r, torch.stack([x * dz, dz, mean, x * dq, dq, torch.ones_like(dz)], dim=1)
