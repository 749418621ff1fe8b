"""Stage `trust`: how far a finished denoiser's heads are taken from what the noise shows, see `head_trust`.

The denoiser stays as it is. Steps are drawn so that all signal-to-noise ratios come equally often: what tells a nod
from noise happens where the denoiser's own training, which looks for styles and slow motion, hardly ever is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facestream.motion.diffposetalk.samplers.base import log_clarity
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.head_trust import HeadTrust
from facestream_models.diffposetalk.stages.denoiser import DenoiserStage, both_halves
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.training.run import RunConfig

_CLEAREST, _NOISIEST = 8, 400
_LEAST = 0.1
"""Of an error, in units of the usual one, before it counts as a share."""


@dataclass(frozen=True)
class TrustConfig:
    """`rows` pairs of windows a batch, a share `style_taken` of them in nobody's style."""

    rows: int = 12
    style_taken: float = 0.25
    level_range: float = 0.4
    head_range: float = 1.5
    validation_batches: int = 4
    run: RunConfig = field(default_factory=RunConfig)


class TrustStage:
    """`windows` draws what is learned from; its model is the trained one."""

    def __init__(self, config: TrustConfig, windows: DenoiserStage, told: Mapping[str, Any]) -> None:
        self.config, self.windows, self._told = config, windows, told
        self.denoiser = windows.model.eval().requires_grad_(False).denoiser
        self.network = self.denoiser.fresh_head_trust()
        clarity = log_clarity(cosine_schedule())
        self._steps = np.arange(_CLEAREST, _NOISIEST + 1)
        self._clarity: NDArray[np.float64] = clarity[self._steps - 1]

    @property
    def facts(self) -> Mapping[str, Any]:
        return dict(self._told)

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        taught, usual = self._errors(self.network, self.windows.training, random)
        # a share of each row's own error, so that the liveliest speakers do not drown all others
        return {"left": (taught / (usual + _LEAST)).mean()}

    @torch.no_grad()
    def figures(self, network: nn.Module) -> dict[str, float]:
        """What is left of the error of gains that are the same for all, by band."""
        random = np.random.default_rng(0)
        errors = [self._errors(network, self.windows.held_out, random) for _ in range(self.config.validation_batches)]
        taught, usual = (torch.cat(parts).mean(dim=(0, 2)) for parts in zip(*errors, strict=True))
        return {f"left.{band}": float(share) for band, share in enumerate(taught / usual)}

    def _errors(self, trust: nn.Module, recordings: Recordings, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Mean square errors [2 B, N, 3] of heads by band, with taught gains and with the usual ones, in units of what
        the usual ones should leave.
        """
        assert isinstance(trust, HeadTrust)
        denoiser, shape = self.denoiser, self.windows.shape
        head, count = shape.head_components, shape.window
        with torch.no_grad():
            halves, styles = self.windows.drawn(recordings, random)
            clean, features, past, counts = both_halves(halves)
            rows = len(clean)
            wanted = random.uniform(self._clarity[-1], self._clarity[0], size=rows)
            step = torch.from_numpy(np.rint(np.interp(-wanted, -self._clarity, self._steps))).long()
            noisy = self.windows.noised(clean, step)
            is_styled = torch.from_numpy(random.random(rows) >= self.config.style_taken)
            worn = torch.where(is_styled[:, None], styles, self.windows.model.null_style[:, 0])
            person = self.windows.model.person(clean.new_zeros(rows, shape.identity_count), worn)
            found = denoiser.through_layers(denoiser.tokens(noisy, step, person, past, counts), past, features)
            found, heard = found[:, -count:], denoiser.last_heard(features)
            made = denoiser.motion(found)[:, :, head]
            shown = noisy[:, :, head] / denoiser.signal[step][:, None, None]
            noise = denoiser.noise_ratio[step]
        in_bands, missing = trust.in_bands(shown - made), trust.in_bands(clean[:, :, head] - made)
        unit = trust.band_share * trust.band_error * noise[:, None] / (trust.band_error + noise[:, None])
        counted = counts / counts.sum(dim=1, keepdim=True)

        def error(gains: Tensor) -> Tensor:
            squares = (missing - gains * in_bands).square() / unit[:, :, None, None]
            return (squares * counted[:, None, :, None]).sum(dim=2)

        usual = torch.sigmoid(trust.usual(noise))[:, :, None, None]
        return error(trust.gains(in_bands, found, heard, noise)), error(usual).detach()
