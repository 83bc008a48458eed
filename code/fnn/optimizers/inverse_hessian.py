"""The inverse Hessian estimates of R runs, updated by the formula of Broyden, Fletcher, Goldfarb and Shanno.

With s the step, y the change of the gradient and ρ = 1/sᵀy, the rank-two formula (Nocedal and Wright 2006,
equation 6.17), multiplied out so that it costs O(P²), is

    H ← H + s wᵀ + w sᵀ,   w = ρ (½ (1 + ρ yᵀHy) s − Hy).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fnn.optimizers.problem import dot

SMALL = 64  # up to this many parameters, two rank-one updates at once are quicker than later products
BLOCK = 8  # updates of larger matrices wait until there are so many: each alone moves the whole matrix


@dataclass
class InverseHessian:
    """H = M + Σⱼ (sⱼwⱼᵀ + wⱼsⱼᵀ) of R runs, where the sum is over the updates that wait to be added to M."""

    M: Tensor  # [R, P, P], symmetric
    pairs: Tensor  # [R, 2b, P]: s₁, …, s_b, w₁, …, w_b, zero where none waits
    waiting: int  # the same for all runs: a run's result does not depend on its company

    @classmethod
    def identity(cls, like: Tensor) -> "InverseHessian":
        """H = I for every row of a tensor [R, P]."""
        R, P = like.shape
        M = torch.eye(P, dtype=like.dtype).repeat(R, 1, 1)
        return cls(M, like.new_zeros(R, 2 * BLOCK if P > SMALL else 0, P), 0)

    def select(self, rows: Tensor) -> "InverseHessian":
        """Those of `rows` (indices)."""
        return InverseHessian(self.M[rows], self.pairs[rows], self.waiting)

    def times(self, v: Tensor) -> Tensor:
        """H v by row: [R, P] → [R, P]."""
        row, M = v[:, None], self.M.mT  # the same, M being symmetric, and the quickest way for BLAS
        if self.waiting == 0:
            return torch.bmm(row, M)[:, 0]
        coefficients = torch.bmm(row, self.pairs.mT).roll(BLOCK, 2)  # wⱼᵀv for sⱼ, sⱼᵀv for wⱼ
        return torch.baddbmm(torch.bmm(coefficients, self.pairs), row, M)[:, 0]

    def update(self, s: Tensor, y: Tensor, Hy: Tensor) -> tuple[Tensor, Tensor]:
        """Update H from s, y and Hy; return s and w, [R, P]. Where sᵀy is not positive, w = 0 and H stays."""
        sy = dot(s, y)
        sy = torch.where(sy > 0, sy, torch.inf)
        half = dot(y, Hy).div_(sy).add_(1.0).mul_(0.5)
        w = torch.addcmul(-Hy, half[:, None], s).div_(sy[:, None])
        if len(self.pairs[0]) == 0:
            self.M.addcmul_(s[:, :, None], w[:, None]).addcmul_(w[:, :, None], s[:, None])
            return s, w
        self.pairs[:, self.waiting], self.pairs[:, BLOCK + self.waiting] = s, w
        self.waiting += 1
        if self.waiting == BLOCK:
            self.M.baddbmm_(self.pairs.mT, self.pairs.roll(BLOCK, 1))
            self.pairs.zero_()
            self.waiting = 0
        return s, w

    def reset(self, rows: Tensor) -> None:
        """H = I in `rows` [R] bool."""
        self.M[rows] = torch.eye(self.M.shape[1], dtype=self.M.dtype)
        self.pairs[rows] = 0.0
