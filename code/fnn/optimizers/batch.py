"""R runs in step: which still go on, where each ends, and when those that have ended leave the batch."""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

import torch
from torch import Tensor

from fnn.optimizers.problem import STOPS, Limits, Result, Stop, trace_grid


class Outcome:
    """Collects where R runs end that are evaluated in step, all as often as `count` was called."""

    def __init__(self, start: Tensor, traced_evaluations: int, *, jacobians: bool = False) -> None:
        R = len(start)
        whole = torch.zeros(R, dtype=torch.int64)
        self._params = start.clone()
        self._value = start.new_full((R,), torch.nan)
        self._norm = start.new_full((R,), torch.nan)
        self._stop, self._iterations, self._evaluations = whole, whole.clone(), whole.clone()
        self._grid = trace_grid(traced_evaluations)
        self._trace = start.new_full((R, len(self._grid)), torch.nan)
        self._column = 0
        self._jacobians = jacobians
        self.evaluations = 0
        self.running = R

    def count(self, run: Tensor, alive: Tensor, value: Tensor) -> None:
        """One more evaluation of the runs [R′]; those `alive` [R′] bool now stand at `value` [R′]."""
        self.evaluations += 1
        if self._column < len(self._grid) and self.evaluations == self._grid[self._column]:
            self._trace[run[alive], self._column] = value[alive]
            self._column += 1

    def end(
        self, run: Tensor, alive: Tensor, params: Tensor, value: Tensor, norm: Tensor,
        iterations: Tensor, reasons: dict[Stop, Tensor],
    ) -> Tensor | None:  # fmt: skip
        """Note the runs to which a reason [R′] bool applies, the first that does; return them, or None."""
        ended = alive & reduce(torch.logical_or, reasons.values())
        if not ended.any():
            return None
        rows = ended.nonzero()[:, 0]
        code = torch.zeros_like(run)
        for stop, applies in reversed(reasons.items()):
            code = torch.where(applies, STOPS.index(stop), code)
        here = run[rows]
        self._params[here], self._value[here], self._norm[here] = params[rows], value[rows], norm[rows]
        self._stop[here], self._iterations[here] = code[rows], iterations[rows]
        self._evaluations[here] = self.evaluations
        self.running -= len(rows)
        return ended

    def result(self) -> Result:
        """The outcome of all runs; in the trace, a run that has ended keeps its final value."""
        trace = torch.where(self._trace.isnan(), self._value[:, None], self._trace)
        nfev, none = self._evaluations, torch.zeros_like(self._evaluations)
        return Result(
            self._params, self._value, self._norm, self._stop, self._iterations, nfev,
            none if self._jacobians else nfev, nfev if self._jacobians else none, trace,
        )  # fmt: skip


@dataclass
class Batch:
    """The runs in the batch, one a row."""

    run: Tensor  # [R] index of the run
    alive: Tensor  # [R] bool, whether it is still going
    x: Tensor  # [R, P]
    iterations: Tensor  # [R]
    mark_value: Tensor  # [R], at most `patience` evaluations ago

    def select(self, rows: Tensor) -> Self:
        """The runs of `rows` (indices)."""
        by_run = {name: part for name, part in vars(self).items() if not isinstance(part, dict)}
        tensors = {name: part[rows] for name, part in by_run.items() if isinstance(part, Tensor)}
        others = {name: part.select(rows) for name, part in by_run.items() if name not in tensors}
        return replace(self, **tensors, **others)

    def stop(
        self, outcome: Outcome, limits: Limits, value: Tensor, norm: Tensor,
        failed: Tensor | None, late: Tensor | None,
    ) -> Self:  # fmt: skip
        """Note in `outcome` the runs that end here; the batch without them once they are a quarter of it.

        They stand at a `value` [R] with a gradient of the max-norm `norm` [R]. Those `failed` [R] bool find
        no lower value any more, those `late` have reached the limit of iterations; None where there are none.
        """
        outcome.count(self.run, self.alive, value)
        reasons = {Stop.GRADIENT: norm <= limits.gradient}
        if outcome.evaluations == 1:  # later, a point that is moved to has a value and a gradient
            reasons = {Stop.DIVERGED: ~(value + norm < torch.inf), **reasons}
        if outcome.evaluations % limits.patience == 0:
            slow = self.mark_value - value <= limits.progress * self.mark_value.abs()
            failed = slow if failed is None else failed | slow
            self.mark_value = value
        if failed is not None:
            reasons[Stop.NO_PROGRESS] = failed
        if late is not None:
            reasons[Stop.ITERATIONS] = late
        ended = outcome.end(self.run, self.alive, self.x, value, norm, self.iterations, reasons)
        if ended is None:
            return self
        self.alive &= ~ended
        left = max(outcome.running, 2)  # alone, one is computed differently: an ended run stays for company
        if outcome.running == 0 or left > 0.75 * len(self.alive):
            return self
        return self.select(torch.argsort(self.alive.int(), descending=True, stable=True)[:left].sort().values)
