"""Small problems with known minima, for all optimisers."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from fnn.optimizers import STOPS, Limits, Result

LIMITS = Limits(gradient=1e-8, iterations=500, least_squares_iterations=500)


class Residuals(NamedTuple):
    """A least-squares objective from a function [R, P] → residuals [R, N], differentiated by autograd."""

    function: Callable[[Tensor], Tensor]
    N: int

    def residuals_and_jacobian(self, params: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            theta = params.detach().requires_grad_()
            r = self.function(theta)
            rows = [torch.autograd.grad(r[:, i].sum(), theta, retain_graph=True)[0] for i in range(self.N)]
        return r.detach(), torch.stack(rows, dim=2)

    def residuals_and_kernel(self, params: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r, Jt = self.residuals_and_jacobian(params)
        return r, (Jt @ r[:, :, None])[:, :, 0], Jt.mT @ Jt

    def transposed_jacobian_times(self, params: Tensor, u: Tensor) -> Tensor:
        return (self.residuals_and_jacobian(params)[1] @ u[:, :, None])[:, :, 0]

    def value_and_gradient(self, params: Tensor, run: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r, Jt = self.residuals_and_jacobian(params)
        return r.square().sum(1) / self.N, 2 / self.N * (Jt @ r[:, :, None])[:, :, 0]


def rosenbrock(x: Tensor) -> Tensor:
    """Residuals of Rosenbrock's function in P dimensions, minimum 0 at (1, …, 1)."""
    return torch.cat((10 * (x[:, 1:] - x[:, :-1] ** 2), 1 - x[:, :-1]), dim=1)


def points(runs: int, parameters: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(runs, parameters, generator=generator, dtype=torch.float64)


def stops(result: Result) -> set[str]:
    return {STOPS[code].value for code in result.stop_codes.tolist()}
