"""Motion of one window: the loop from noise to motion, with guidance, for a batch of streams."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream.motion.diffposetalk.guidance import Branch, Guidance
from facestream.motion.diffposetalk.noise import Noise, Noise32
from facestream.motion.diffposetalk.samplers.base import Plan
from facestream_models.diffposetalk.denoiser import Past
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser, HeardAudio, WindowCache
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.threshold import DynamicThreshold


@dataclass(frozen=True)
class Recipe:
    """How to sample: a plan (`samplers`), guidance, and a threshold or none."""

    plan: Plan
    guidance: Guidance = field(default_factory=Guidance)
    threshold: DynamicThreshold | None = None


class Person(NamedTuple):
    """Who speaks: normalised `identity` [B, 100] and a `style` [B, 128], or none."""

    identity: Tensor
    style: Tensor | None


class Speech(NamedTuple):
    """What is said in a window: `features` [B, L, W]; `indicator` [B, L] is 1 for frames before the audio ends."""

    features: Tensor
    indicator: Tensor


def speech_up_to(ends: Tensor, features: Tensor, silence: Tensor) -> Speech:
    """`features` [B, L, W] up to `ends` [B], then lasting `silence` [W]."""
    indicator = frames_before(ends, features.shape[1])
    kept = indicator[:, :, None]
    return Speech(features * kept + silence * (1.0 - kept), indicator)


def frames_before(ends: Tensor, count: int) -> Tensor:
    """1 for each of `count` frames [B, L] that lies before `ends` [B], 0 for the others."""
    return (torch.arange(count) < ends[:, None]).float()


class Known(NamedTuple):
    """Frames given out before, at the beginning of a window: `counts` [B, L] is 1 for those, `motion` [B, L, D]."""

    counts: Tensor
    motion: Tensor

    def put_into(self, motion: Tensor) -> Tensor:
        """`motion` [B, L, D] with the known frames in their places."""
        return torch.where(self.counts[:, :, None] > 0.0, self.motion, motion)


class StreamNoise(NamedTuple):
    """Noise of one row, and the number of its window's first frame within the stream."""

    noise: Noise
    first_frame: int


class WindowSampler:
    """Samples windows of one model. Rows do not know each other: batches may mix streams.

    What depends on the weights alone is computed here, once: keep the sampler.
    """

    def __init__(self, model: DiffPoseTalk) -> None:
        self.model = model
        self.fast = FastDenoiser(model.denoiser)

    def __call__(
        self, speech: Speech, person: Person, past: Past, recipe: Recipe, noises: Sequence[StreamNoise]
    ) -> Tensor:
        """Normalised motion [B, L, D]; one entry of `noises` a row."""
        return self.states(speech, person, past, recipe, noises)[-1]

    @torch.no_grad()
    def states(
        self,
        speech: Speech,
        person: Person,
        past: Past,
        recipe: Recipe,
        noises: Sequence[StreamNoise],
        known: Known | None = None,
    ) -> list[Tensor]:
        """Where the plan leads: the starting noise, then what each update makes of it, motion [B, L, D] in the end.

        Frames that are `known` are put back into every guess.
        """
        rows, shape = len(speech.features), self.model.shape
        weights = recipe.guidance.weights(has_style=person.style is not None)
        window = self._open(list(weights), speech, person, past)
        size = (shape.window, shape.motion_count)
        x = _stacked([row.noise.start(row.first_frame, size) for row in noises], speech.features)
        earlier, states = torch.zeros_like(x), [x]
        for update in recipe.plan:
            guesses = self.fast(x, torch.full((rows,), update.step, device=x.device), window)
            if recipe.threshold is not None:
                guesses = recipe.threshold(guesses, shape.head_components)
            guess = sum(
                (weight * part for weight, part in zip(weights.values(), guesses.split(rows), strict=True)),
                start=torch.zeros_like(x),
            )
            if known is not None:
                guess = known.put_into(guess)
            x = update.noisy * x + update.clean * guess
            if update.earlier:
                x = x + update.earlier * earlier
            if update.fresh:
                fresh = [row.noise.fresh(update.step, row.first_frame, size) for row in noises]
                x = x + update.fresh * _stacked(fresh, x)
            earlier = guess
            states.append(x)
        return states

    def _open(self, branches: list[Branch], speech: Speech, person: Person, past: Past) -> WindowCache:
        styles = [person.style if branch.style else None for branch in branches]
        people = torch.cat([self.model.person(person.identity, style) for style in styles])
        return self.fast.open(people, past.motion, speech.indicator, self._hear(branches, speech, past))

    def _hear(self, branches: list[Branch], speech: Speech, past: Past) -> HeardAudio:
        """Branches that are given the same audio share what is heard of it."""
        rows = len(speech.features)
        kinds = sorted({branch.audio for branch in branches})
        audio = [self.model.audio(speech.features if kind else None, rows) for kind in kinds]
        heard = self.fast.hear(past.audio.repeat(len(kinds), 1, 1), torch.cat(audio))
        row = torch.arange(rows, device=past.audio.device)
        return heard.rows(torch.cat([kinds.index(branch.audio) * rows + row for branch in branches]))


def _stacked(noises: Sequence[Noise32], like: Tensor) -> Tensor:
    return torch.from_numpy(np.stack(noises)).to(like)
