"""Random windows of acted takes: motion, sound and emotion cut alike.

Takes are kept as they are on disk (float16 motion, int16 audio): two hours take about 0.3 GB. Their motion is that
of `taught_motion`: smoothed, without blinks and gaze.
"""

import copy
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.phones import SILENCE
from facestream_models.deeptalk.audio import FRAME_RATE, FRAME_SAMPLES, FRAMES_PER_CODE
from facestream_models.deeptalk.motion_prior import MotionPrior
from facestream_models.deeptalk.taught_motion import taught_motion

_VALIDATION_ROWS = 16
_LEAST_SPREAD = 1e-3


class Windows(NamedTuple):
    """`motion` [B, F, 53], `audio` [B, F * 640] in -1..1, `classes` [B, F] (phone class at each frame's instant),
    `emotion` [B] (index), `intensity` [B], `speaker` [B]; `take` [B] is the number of the take, `first` [B] the frame
    of it that the window begins with.
    """

    motion: Tensor
    audio: Tensor
    classes: Tensor
    emotion: Tensor
    intensity: Tensor
    speaker: Tensor
    take: Tensor
    first: Tensor


@dataclass(frozen=True, eq=False)
class _Kept:
    motion: np.ndarray
    audio: np.ndarray
    classes: np.ndarray
    emotion: int
    intensity: float
    speaker: int
    number: int


class SeenTakes(NamedTuple):
    """Takes as they are and as a prior says them in codes: who judges motion must know both."""

    true: "TakeWindows"
    in_codes: "TakeWindows"

    def either(self, random: np.random.Generator) -> "TakeWindows":
        """One of the two, by chance."""
        return self.true if random.random() < 0.5 else self.in_codes


class TakeWindows:
    """Takes to cut from. Raises ValueError where there is none, or one of another frame rate."""

    def __init__(self, takes: Iterable[Take]) -> None:
        self.speakers: list[str] = []
        self._takes = [self._keep(take, number) for number, take in enumerate(takes)]
        if not self._takes:
            raise ValueError("no takes to train on; make some with `python -m facestream_models.corpus.emotional`")

    @property
    def seconds(self) -> float:
        return sum(len(take.motion) for take in self._takes) / FRAME_RATE

    def in_codes(self, prior: MotionPrior) -> "TakeWindows":
        """The same takes with their motion as `prior` says it in codes."""
        prior.eval()
        said = copy.copy(self)
        said._takes = [replace(take, motion=_said(take.motion, prior)) for take in self._takes]
        return said

    def spread(self) -> Tensor:
        """Standard deviation of each coefficient [53] over all frames."""
        every = np.concatenate([take.motion for take in self._takes]).astype(np.float32)
        return torch.from_numpy(every.std(axis=0) + _LEAST_SPREAD)

    def draw(self, rows: int, frames: int, random: np.random.Generator) -> Windows:
        """Windows of F frames from random takes; a take that is shorter is followed by its last pose in silence."""
        return _stacked(
            [self._cut(self._takes[int(n)], frames, random) for n in random.integers(len(self._takes), size=rows)]
        )

    def draw_frames(self, rows: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Single frames [B, 53] of random takes and the emotion [B] of those takes."""
        takes = [self._takes[int(n)] for n in random.integers(len(self._takes), size=rows)]
        motion = np.stack([take.motion[int(random.integers(len(take.motion)))] for take in takes]).astype(np.float32)
        return torch.from_numpy(motion), torch.tensor([take.emotion for take in takes])

    def one_of_each(self, emotions: int, frames: int, random: np.random.Generator) -> Windows:
        """One random window of each emotion 0, 1 ... Raises ValueError where one has no take."""
        by_emotion = [[take for take in self._takes if take.emotion == number] for number in range(emotions)]
        if not all(by_emotion):
            raise ValueError(f"no take of emotion {[bool(takes) for takes in by_emotion].index(False)}")
        return _stacked([self._cut(takes[int(random.integers(len(takes)))], frames, random) for takes in by_emotion])

    def whole(self) -> Iterable[Windows]:
        """Every take at its full length, one a batch."""
        for take in self._takes:
            yield _stacked([_window(take, 0, len(take.motion))])

    def in_order(self, frames: int) -> Iterable[Windows]:
        """Every whole window of every take, once, a few a batch: what validation measures."""
        cuts = (
            _window(take, first, frames)
            for take in self._takes
            for first in range(0, len(take.motion) - frames + 1, frames)
        )
        while batch := list(itertools.islice(cuts, _VALIDATION_ROWS)):
            yield _stacked(batch)

    def _keep(self, take: Take, number: int) -> _Kept:
        if take.frame_rate != FRAME_RATE:
            raise ValueError(
                f"take {take.key!r} has {take.frame_rate} frames a second; DEEPTalk is trained at {FRAME_RATE}"
            )
        if take.speaker not in self.speakers:
            self.speakers.append(take.speaker)
        motion = taught_motion(take)
        speaker = self.speakers.index(take.speaker)
        said = take.utterance
        instants = np.searchsorted(said.ends, np.arange(len(motion)) * FRAME_SAMPLES, side="right")
        classes = said.classes[np.minimum(instants, len(said.classes) - 1)]
        return _Kept(
            motion.astype(np.float16), said.audio, classes, take.act.emotion, take.act.intensity, speaker, number
        )

    @staticmethod
    def _cut(take: _Kept, frames: int, random: np.random.Generator) -> "_Cut":
        return _window(take, int(random.integers(max(len(take.motion) - frames, 0) + 1)), frames)


@torch.no_grad()
def _said(motion: np.ndarray, prior: MotionPrior) -> np.ndarray:
    whole = np.pad(motion, ((0, -len(motion) % FRAMES_PER_CODE), (0, 0)), mode="edge").astype(np.float32)
    made: np.ndarray = prior(torch.from_numpy(whole)[None]).motion[0, : len(motion)].numpy()
    return made.astype(np.float16)


class _Cut(NamedTuple):
    motion: np.ndarray
    audio: np.ndarray
    classes: np.ndarray
    take: _Kept
    first: int


def _window(take: _Kept, first: int, frames: int) -> _Cut:
    motion = take.motion[first : first + frames].astype(np.float32)
    motion = np.pad(motion, ((0, frames - len(motion)), (0, 0)), mode="edge")
    audio = take.audio[first * FRAME_SAMPLES : (first + frames) * FRAME_SAMPLES]
    audio = np.pad(audio, (0, frames * FRAME_SAMPLES - len(audio))).astype(np.float32) / 32768.0
    classes = take.classes[first : first + frames]
    classes = np.pad(classes, (0, frames - len(classes)), constant_values=SILENCE)
    return _Cut(motion, audio, classes, take, first)


def _stacked(cuts: Sequence[_Cut]) -> Windows:
    return Windows(
        torch.from_numpy(np.stack([cut.motion for cut in cuts])),
        torch.from_numpy(np.stack([cut.audio for cut in cuts])),
        torch.from_numpy(np.stack([cut.classes for cut in cuts]).astype(np.int64)),
        torch.tensor([cut.take.emotion for cut in cuts]),
        torch.tensor([cut.take.intensity for cut in cuts]),
        torch.tensor([cut.take.speaker for cut in cuts]),
        torch.tensor([cut.take.number for cut in cuts]),
        torch.tensor([cut.first for cut in cuts]),
    )
