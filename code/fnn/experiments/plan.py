"""How much work the experiments do."""

from dataclasses import dataclass

from fnn.inputs import environment
from fnn.optimizers import PRESETS


@dataclass(frozen=True)
class Plan:
    """The number of runs of each experiment."""

    narrow: int  # initial points for each width below 10
    medium: int  # for widths from 10 on
    wide: int  # for widths from 50 on
    contrast: int  # for each width with another initial law or with weight decay in task 2c
    variants: int  # for each optimiser, depth and unit of task 2e
    reference: int  # by SciPy in task 2b
    limits: str  # when a training ends, a key of `optimizers.PRESETS`

    def restarts(self, width: int) -> int:
        """The number of runs for a network with `width` hidden units."""
        if width >= 50:
            return self.wide
        return self.medium if width >= 10 else self.narrow


PLANS = {
    # what the report shows
    "full": Plan(narrow=200, medium=100, wide=20, contrast=10, variants=50, reference=20, limits="full"),
    # for a first look; many claims need more
    "quick": Plan(narrow=20, medium=4, wide=2, contrast=2, variants=4, reference=4, limits="quick"),
}
PLAN = PLANS[environment.plan(PLANS)]
LIMITS = PRESETS[PLAN.limits]  # when a training of the report ends
