"""The denoising network: noisy motion, speech, a person and the recent past in, the clean motion out.

    person, step ──> person token ─┐
    past motion ───> past tokens ──┼─> + positions ─> decoder layers ─> motion of past and window
    noisy motion ──> frame tokens ─┘                       │
    past audio, audio ─────────────────────────────────> memory, seen through the alignment bias

Frame j may look at the audio of frame j only, the person token at all of it. The released code says so by a mask; what
the mask leaves to a frame is one element, which needs no attention (`forward`, a fifth faster to train). `masked` is
the released form, and `fast_denoiser` computes the same for sampling at three quarters of its work.

A small network that says the clean motion itself loses what little noise leaves to be seen: at step 50 of 500 its guess
was six times as far off as the noisy motion, sampled heads had a third of their amplitude and styles were lost. What it
says of fast motion, of lips, is good. With a `guess_variance` guess and noisy motion are averaged, each as far as it
can be trusted at every pace (a Wiener filter; with one share for all paces, as Karras et al. 2022 have it, noise stayed
in: heads three times too fast). The guess' error by pace was measured on held-out speakers (2026-11-21). Heads have
gains of their own for each frame, where they were taught (`head_trust`).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.schedule import DIFFUSION_STEPS, cosine_schedule
from facestream_models.diffposetalk.decoder_layer import DecoderLayer
from facestream_models.diffposetalk.head_trust import HeadTrust
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.encoders.speech_attention import sinusoids

_SLOW, _SLOW_HEAD = 3.5, 14.0
"""Half waves in a window from which on the error falls: a second or so of a window of four, a third of one of heads.

What a head does on syllables is up to chance, so that a guess says little of it: with the curve of faces heads had a
tenth of their motion of .2 to .4 s, with their own .3 to .7 of it (2026-11-21).
"""
_FASTEST_HEAD = 0.45
"""Share of all paces above which a head does next to nothing, so that what is shown there is noise: let in as the rest
is, it made heads a tenth faster, and they had 1.7 times as much of the fastest motion as true ones; now .3."""
_QUICKEST_HEAD, _STEEPNESS = 40.0, 12
"""Half waves in a window of 100 frames up to which a head with gains of its own moves: 5 Hz, and 7 Hz not at all.

Heads have a hundredth of their speed's energy above 7.5 Hz; in a guess it is what noise leaves, small, quick and at any
moment. With it heads came to rest 6.5 times a second where true ones do 5 times, and less often on loud syllables;
without it 5.2 times (2026-11-22)."""


class Past(NamedTuple):
    """What came before a window: `motion` [B, P, D], clean and normalised, and `audio` features [B, P, W]."""

    motion: Tensor
    audio: Tensor

    def followed_by(self, motion: Tensor, audio: Tensor) -> "Past":
        """The past of what follows `motion` [B, F, D] and `audio` [B, F, W]; F may be less than P."""
        count = self.motion.shape[1]
        return Past(
            torch.cat([self.motion, motion], dim=1)[:, -count:],
            torch.cat([self.audio, audio], dim=1)[:, -count:],
        )


class Denoiser(nn.Module):
    """See the module text. Weights of the released models fit (`official_weights`)."""

    step_rows: Tensor
    frequency: Tensor
    alignment: Tensor
    paces: Tensor
    guess_error: Tensor
    head_share: Tensor
    signal: Tensor
    noise_ratio: Tensor

    def __init__(self, shape: DenoiserShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.register_buffer("step_rows", sinusoids(DIFFUSION_STEPS + 1, width), persistent=False)
        fall = -math.log(10_000.0) / width
        self.register_buffer("frequency", torch.exp(torch.arange(0, width, 2) * fall), persistent=False)
        self.register_buffer("alignment", alignment_bias(shape.memory_count), persistent=False)
        kept = torch.from_numpy(cosine_schedule(DIFFUSION_STEPS).kept)
        for name, values in (
            ("paces", cosines(shape.window)),
            ("guess_error", guess_errors(shape)),
            ("head_share", head_shares(shape.window)),
            ("signal", kept.sqrt().float()),
            ("noise_ratio", ((1.0 - kept) / kept).float()),
        ):
            self.register_buffer(name, values, persistent=False)
        self.step = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.person = nn.Linear(shape.identity_count + shape.style_count, width)
        self.frame = nn.Linear(shape.motion_count + 1, width)
        self.positions = nn.Parameter(torch.randn(1, 1 + shape.memory_count, width))
        self.layers = nn.ModuleList(
            DecoderLayer(width, shape.heads, shape.hidden, shape.dropout) for _ in range(shape.layers)
        )
        self.motion = nn.Sequential(nn.Linear(width, width // 2), nn.GELU(), nn.Linear(width // 2, shape.motion_count))
        self.head_trust: HeadTrust | None = None
        """Is taught when the rest is (stage `trust`)."""

    def forward(
        self, noisy: Tensor, step: Tensor, person: Tensor, past: Past, audio: Tensor, indicator: Tensor
    ) -> Tensor:
        """The clean motion of past and window [B, P + L, D], of which sampling uses the last L frames.

        `noisy` [B, L, D] at `step` int64 [B] in 1..T; `person` [B, identity + style], both normalised; `audio`
        [B, L, W]; `indicator` [B, L] is 1 for real frames and 0 for those after the end.
        """
        found = self.through_layers(self.tokens(noisy, step, person, past, indicator), past, audio)
        return self.weighed(found, audio, noisy, step)

    def masked(
        self, noisy: Tensor, step: Tensor, person: Tensor, past: Past, audio: Tensor, indicator: Tensor
    ) -> Tensor:
        """The same with every frame's attention computed and masked, as the released code does it."""
        found = self.through_layers(self.tokens(noisy, step, person, past, indicator), past, audio, self.alignment)
        return self.weighed(found, audio, noisy, step)

    def weighed(self, found: Tensor, audio: Tensor, noisy: Tensor, step: Tensor) -> Tensor:
        """The guess [B, P + L, D] of what the layers `found` [B, P + L, W]; that of the window is weighed against the
        noisy one.
        """
        made: Tensor = self.motion(found)
        if not self.shape.guess_variance:
            return made
        count = noisy.shape[1]
        heard = None if self.head_trust is None else self.last_heard(audio)
        window = self.weighed_window(made[:, -count:], found[:, -count:], heard, noisy, step)
        return torch.cat([made[:, :-count], window], dim=1)

    def weighed_window(self, made: Tensor, found: Tensor, heard: Tensor | None, noisy: Tensor, step: Tensor) -> Tensor:
        """What was `made` of a window [B, L, D] averaged with what the `noisy` one [B, L, D] shows.

        `found` [B, L, W] by the layers, the last of which `heard` [B, L, W]; only the head's own gains need them.
        """
        if not self.shape.guess_variance:
            return made
        noise = self.noise_ratio[step]
        off = noisy / self.signal[step][:, None, None] - made
        trusted = self.guess_error / (self.guess_error + noise[:, None, None])  # [B, window, D], by pace
        # behind the end of a shorter window nothing is off
        paces = self.paces if off.shape[1] == self.shape.window else self.paces[:, : off.shape[1]]
        guess = made + paces.T @ (trusted * (paces @ off))
        if self.head_trust is None:
            return guess
        assert heard is not None
        head = self.shape.head_components
        turned = made[:, :, head] + self.head_trust(off[:, :, head], found, heard, noise)
        turned = self.paces.T @ (self.head_share * (self.paces @ turned))
        return torch.cat([guess[:, :, : head.start], turned, guess[:, :, head.stop :]], dim=2)

    def last_heard(self, audio: Tensor) -> Tensor:
        """What frames of the last layer hear of `audio` [B, L, W]."""
        last = self.layers[-1]
        assert isinstance(last, DecoderLayer)
        return last.cross_attention.of_one_key(audio)

    def fresh_head_trust(self) -> HeadTrust:
        """Gains of this denoiser's head that are not taught yet."""
        return HeadTrust(self.shape, self.paces, self.guess_error[:, self.shape.head_components.start])

    def codes(self, step: Tensor) -> Tensor:
        """Rows [B, W] of the table of steps, computed: a graph need not store it."""
        angle = step[:, None] * self.frequency
        return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)

    def embedded(self, step: Tensor) -> Tensor:
        """What steps [B] add to the person's token [B, W], without the table."""
        embedding: Tensor = self.step(self.codes(step))
        return embedding

    def tokens(self, noisy: Tensor, step: Tensor, person: Tensor, past: Past, indicator: Tensor) -> Tensor:
        """What goes into the layers, `[B, 1 + P + L, W]`: person and step, the past, the window."""
        token = self.person(person) + self.step(self.step_rows[step])
        # The past carries indicator 0, like frames after the end: so the network tells it from what it shall make.
        marks = torch.cat([indicator.new_zeros(past.motion.shape[:2]), indicator], dim=1)
        frames = torch.cat([past.motion, noisy], dim=1)
        frames = self.frame(torch.cat([frames, marks[:, :, None]], dim=2))
        return torch.cat([token[:, None], frames], dim=1) + self.positions

    def through_layers(self, x: Tensor, past: Past, audio: Tensor, alignment: Tensor | None = None) -> Tensor:
        """What the layers find [B, P + L, W] of past and window in tokens `x` that hear `past` and `audio`."""
        memory = torch.cat([past.audio, audio], dim=1)
        for layer in self.layers:
            x = layer(x, memory, alignment)
        return x[:, 1:]


def cosines(frames: int) -> Tensor:
    """Orthonormal cosines [F, F], slowest first (DCT-II): `cosines(F) @ x` are the paces of `x` [F, D]."""
    number, place = torch.arange(frames, dtype=torch.float64)[:, None], torch.arange(frames, dtype=torch.float64)
    waves: Tensor = torch.cos(torch.pi * number * (place + 0.5) / frames) * (2.0 / frames) ** 0.5
    waves[0] *= 0.5**0.5
    return waves.float()


def guess_errors(shape: DenoiserShape) -> Tensor:
    """Mean square error [L, D] of a guess by pace and component."""
    errors = errors_by_pace(shape.window, shape.guess_variance)[:, None].repeat(1, shape.motion_count)
    if shape.head_variance:
        pace = torch.arange(shape.window, dtype=torch.float64) / (_FASTEST_HEAD * shape.window)
        heads = errors_by_pace(shape.window, shape.head_variance, _SLOW_HEAD) / (1.0 + pace**8)
        errors[:, shape.head_components] = heads.float()[:, None]
    return errors


def head_shares(frames: int) -> Tensor:
    """Share [F, 1] that a guess of the head keeps of each pace."""
    pace = torch.arange(frames, dtype=torch.float64) * (100.0 / frames)
    return (1.0 / (1.0 + (pace / _QUICKEST_HEAD) ** _STEEPNESS)).float()[:, None]


def errors_by_pace(frames: int, variance: float, slow: float = _SLOW) -> Tensor:
    """Mean square error [F] of a guess by pace, `variance` on average: slow motion is guessed worst."""
    falling = 1.0 / (1.0 + (torch.arange(frames, dtype=torch.float64) / slow) ** 3)
    return (variance * falling / falling.mean()).float()


def alignment_bias(frames: int) -> Tensor:
    """`[1 + frames, frames]`: the person (row 0) may attend to every frame of audio, frame j (row 1 + j) to frame j.

    0 where attention is allowed, minus infinity where it is not.
    """
    bias = torch.full((1 + frames, frames), float("-inf"))
    bias[0] = 0.0
    bias[1:].fill_diagonal_(0.0)
    return bias
