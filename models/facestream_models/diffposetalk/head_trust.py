"""How far what noise shows of a head is trusted, frame by frame: much while someone speaks, next to nothing in pauses.

A guess is weighed against the noisy motion with one gain for each pace (`Denoiser.weighed`), for all frames and
speakers alike. What a head does of itself then has the same size everywhere: with true energy at every pace, heads
moved in pauses at .75 of their mean speed where true ones do at .3, and the deviation of speed was .65 of the true one.
It is lost where little noise is left: sampled down from true motion at step 90 of 500 it was .78 already (2026-11-22).
A nod is a degree or two and that noise 1.5, and a denoiser that has not learned such detail can not tell them apart;
where in the window there is more than noise, and who speaks how loudly, tells it.

So gains are said by a small network of what the denoiser's last layer has found, of the speech, and of how much more
than expected the noisy motion differs from the guess around a frame. It is taught behind the finished denoiser.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.diffposetalk.shape import DenoiserShape

_CENTRES = (2.0, 4.0, 7.0, 12.0, 20.0, 35.0, 60.0)
"""Half waves in a window of 100 frames at which bands of paces lie; each passes over into the next, which keeps apart
what lies apart in time. What is as quick as the last one or quicker is not trusted at all."""
BANDS = len(_CENTRES) - 1
AXES = 3
_HIDDEN, _FRAMES = 64, 9
_LIFT = (1.4, 1.2, 1.1, 1.0, 1.2, 1.0)
_LIVELIER, _MOST, _CALMER = (0.0, 0.3, 1.5, 2.5, 2.5, 2.5), (1.0, 1.0, 1.0, 1.0, 1.4, 1.6), 4.0
"""What sampling makes of what was taught: log odds by band on top, times as far up by band and the most that it goes
up, times as far down. A guess is the mean of what might be, so that each step keeps too little of what it is about;
pauses, in which gains go down, pay for what is put on top. But guidance by style overdoes what speakers differ in, and
without a bound the style `nodding` went from 13.5 to 23 degrees, where the liveliest speakers have 9. Chosen by 120
takes of new faces on the voices held out, the last of them with a look at those voices' own faces, for an audio scale
of 1.5, at which heads are 7 % faster and pauses calmer than at 1 (2026-11-22)."""
_LEAST_NOISE, _LEAST_ENERGY = 1e-4, 1e-5


class HeadTrust(nn.Module):
    """`error` [L] is what a guess of the head is usually off by at each pace, in mean square; gains begin with it."""

    bands: Tensor
    band_error: Tensor
    band_share: Tensor
    band_lift: Tensor
    band_livelier: Tensor
    band_most: Tensor

    def __init__(self, shape: DenoiserShape, paces: Tensor, error: Tensor) -> None:
        super().__init__()
        shares = pace_bands(shape.window)
        for name, values in (
            ("bands", torch.cat([paces.T @ (share[:, None] * paces) for share in shares])),
            ("band_error", (shares @ error / shares.sum(dim=1).clamp(min=_LEAST_ENERGY)).clamp(min=_LEAST_ENERGY)),
            ("band_share", shares.square().mean(dim=1)),
            ("band_lift", torch.tensor(_LIFT)[:, None, None]),
            ("band_livelier", torch.tensor(_LIVELIER)[:, None, None]),
            ("band_most", torch.tensor(_MOST)[:, None, None]),
        ):
            self.register_buffer(name, values, persistent=False)
        self.enter = nn.Linear(2 * shape.width + (AXES + 1) * BANDS, _HIDDEN)
        self.around = nn.Conv1d(_HIDDEN, _HIDDEN, _FRAMES, padding=_FRAMES // 2)
        self.out = nn.Linear(_HIDDEN, AXES * BANDS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, off: Tensor, found: Tensor, heard: Tensor, noise: Tensor) -> Tensor:
        """What is to be added to the guess [B, L, 3] where it is `off` [B, L, 3] from what the noisy motion shows.

        `found` [B, L, W] is what the last layer says, `heard` [B, L, W] what it heard, `noise` [B] the variance of
        noise over that of the signal.
        """
        in_bands = self.in_bands(off)
        usual, more = self.usual(noise), self.learned(in_bands, found, heard, noise)
        told = torch.where(more > 0.0, self.band_livelier, _CALMER) * more
        odds = usual[:, :, None, None] + self.band_lift + torch.minimum(told, self.band_most)
        return (torch.sigmoid(odds) * in_bands).sum(dim=1)

    def in_bands(self, off: Tensor) -> Tensor:
        """`off` [B, L, 3] taken apart into `BANDS` [B, N, L, 3] of paces."""
        return (self.bands @ off).reshape(off.shape[0], BANDS, off.shape[1], AXES)

    def gains(self, in_bands: Tensor, found: Tensor, heard: Tensor, noise: Tensor) -> Tensor:
        """Gains 0 to 1 [B, N, L, 3] as they are taught; see `forward`."""
        usual = self.usual(noise)[:, :, None, None]
        return torch.sigmoid(usual + self.learned(in_bands, found, heard, noise))

    def learned(self, in_bands: Tensor, found: Tensor, heard: Tensor, noise: Tensor) -> Tensor:
        """What is added to the usual log odds [B, N, L, 3]."""
        rows, _, frames, _ = in_bands.shape
        energy = in_bands.square().transpose(2, 3).reshape(rows, BANDS * AXES, frames)
        around = F.avg_pool1d(energy, _FRAMES, 1, _FRAMES // 2, count_include_pad=False)
        expected = (self.band_share * (self.band_error + noise[:, None])).repeat_interleave(AXES, dim=1)
        surprise = torch.log((around + _LEAST_ENERGY) / (expected[:, :, None] + _LEAST_ENERGY)).transpose(1, 2)
        usual = (self.usual(noise) / 3.0).clamp(-3.0, 3.0)[:, None].expand(-1, frames, -1)
        x = torch.cat([found / 2.0, heard / 2.0, surprise, usual], dim=2)
        x = F.gelu(self.around(F.gelu(self.enter(x)).transpose(1, 2)).transpose(1, 2))
        more: Tensor = self.out(x).reshape(rows, frames, BANDS, AXES).transpose(1, 2)
        return more

    def usual(self, noise: Tensor) -> Tensor:
        """Log odds [B, N] of the gains that a guess' usual error asks for at that `noise` [B]."""
        return torch.log(self.band_error) - torch.log(noise.clamp(min=_LEAST_NOISE))[:, None]


def pace_bands(frames: int) -> Tensor:
    """How much each of `BANDS` has of each pace [N, F]: triangles over the logarithm, which add up to 1."""
    pace = torch.log((torch.arange(frames, dtype=torch.float64) * (100.0 / frames)).clamp(min=1.0))
    centres = [math.log(centre) for centre in _CENTRES]
    shares = []
    for number, centre in enumerate(centres[:-1]):
        falling = ((centres[number + 1] - pace) / (centres[number + 1] - centre)).clamp(0.0, 1.0)
        rising = torch.ones_like(pace)
        if number:
            rising = ((pace - centres[number - 1]) / (centre - centres[number - 1])).clamp(0.0, 1.0)
        shares.append(torch.minimum(rising, falling))
    return torch.stack(shares).float()
