"""Derivatives up to the second order of networks [1, m, 1], f(x) = Σ vⱼφ(zⱼ) + c with zⱼ = wⱼx + bⱼ.

By hand and for R networks at once, where autograd would take them one at a time. Parameters are laid out as a
record has them: w, b, v, c, that is [R, 3m + 1]. Section 2b of the report uses what they tell about minima.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fnn.units import UNITS


def split_parameters(params: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """[..., 3m + 1] → w, b, v [..., m] and c [..., 1]."""
    m = (params.shape[-1] - 1) // 3
    return params[..., :m], params[..., m : 2 * m], params[..., 2 * m : 3 * m], params[..., 3 * m :]


def unit_derivatives(phi: Callable[[Tensor], Tensor], z: Tensor, order: int) -> list[Tensor]:
    """φ(z), φ′(z), … up to `order`, by autograd; each has z's shape."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        values = [phi(z)]
        for _ in range(order):
            if values[-1].requires_grad:
                values.append(torch.autograd.grad(values[-1].sum(), z, create_graph=True)[0])
            else:
                values.append(torch.zeros_like(z))  # φ′ is constant piece by piece, as ReLU's
    return [value.detach() for value in values]


def hessian(params: Tensor, x: Tensor, y: Tensor, unit: str = "sigmoid") -> Tensor:
    """The Hessian (2/N) Σ (∂f ∂fᵀ + r ∂²f) of the MSE at x, y [N], r = f − y; [R, P] → [R, P, P]."""
    w, b, v, c = split_parameters(params)
    m = w.shape[1]
    s0, s1, s2 = unit_derivatives(UNITS[unit].phi, w[:, None] * x[:, None] + b[:, None], 2)  # [R, N, m]
    r = (s0 @ v[:, :, None]).squeeze(2) + c - y  # [R, N]
    dz = v[:, None] * s1
    J = torch.cat([dz * x[:, None], dz, s0, torch.ones_like(s0[:, :, :1])], dim=2)  # [R, N, P]
    H: Tensor = J.mT @ J

    # ∂²f couples the parameters of one unit only: ∂²/∂z² = vφ″, ∂²/∂z∂v = φ′, with ∂z = (x, 1) · ∂(w, b).
    zz, zv = r[:, :, None] * v[:, None] * s2, r[:, :, None] * s1  # [R, N, m]
    moments = [(zz * x[:, None] ** power).sum(dim=1) for power in (2, 1, 0)]
    j = torch.arange(m)
    blocks = {(0, 0): moments[0], (0, 1): moments[1], (1, 1): moments[2]}
    blocks |= {(0, 2): (zv * x[:, None]).sum(dim=1), (1, 2): zv.sum(dim=1)}
    for (row, column), value in blocks.items():
        H[:, row * m + j, column * m + j] += value
        if row != column:
            H[:, column * m + j, row * m + j] += value
    return 2 / len(x) * H


def is_positive(H: Tensor, semidefinite: bool = False) -> Tensor:
    """Whether H [R, P, P] is positive (semi)definite beyond rounding; [R]."""
    eigenvalues = torch.linalg.eigvalsh(H)
    rounding = H.shape[-1] * torch.finfo(H.dtype).eps * eigenvalues[..., -1].abs()
    positive: Tensor = eigenvalues[..., 0] > (-rounding if semidefinite else rounding)
    return positive
