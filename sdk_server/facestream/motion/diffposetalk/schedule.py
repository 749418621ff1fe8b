"""How much of the clean motion is left at each diffusion step: the cosine schedule (Nichol, Dhariwal 2021)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DIFFUSION_STEPS = 500
"""Of the released models, and of ours."""

_OFFSET = 0.008
_LEAST, _MOST = 1e-4, 0.999


@dataclass(frozen=True)
class Schedule:
    """`beta` and `kept` are float64 [T + 1], by step; step 0 is the clean motion.

    A motion at step t is `sqrt(kept[t])` of the clean one and `sqrt(1 - kept[t])` of normal noise.
    """

    beta: npt.NDArray[np.float64]
    kept: npt.NDArray[np.float64]

    @property
    def steps(self) -> int:
        """The noisiest step, T."""
        return len(self.kept) - 1

    def signal(self, step: int) -> float:
        """Share of the clean motion at `step`."""
        return float(np.sqrt(self.kept[step]))

    def noise(self, step: int) -> float:
        """Standard deviation of the noise at `step`."""
        return float(np.sqrt(1.0 - self.kept[step]))


def cosine_schedule(steps: int = DIFFUSION_STEPS) -> Schedule:
    """The schedule of the released models: one beta is clipped at each end (specification, section 6.1)."""
    time = np.arange(steps + 1, dtype=np.float64) / steps
    f = np.cos((time + _OFFSET) / (1.0 + _OFFSET) * np.pi / 2) ** 2
    beta = np.concatenate([np.zeros(1), np.clip(1.0 - f[1:] / f[:-1], _LEAST, _MOST)])
    return Schedule(beta, np.cumprod(1.0 - beta, dtype=np.float64))
