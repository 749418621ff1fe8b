"""Motion of a deeptalk network, and what a face in motion shows: the ground that its figures stand on.

`Actor` makes motion, `Face` looks at it. Whatever is compared, a true take, `live`, an argmax or a sample, goes through
the same `Face`: points in millimetres, ARKit weights by the runtime's own solver, visemes read off the lips, emotion
read off single frames. Motion is [F, 53] at 25 Hz unless it says otherwise; frame j is at 40 j ms.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from facestream.curves import CURVE_COUNT
from facestream.retarget.profile import load_profile
from facestream.retarget.solver import Retargeter
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_bench.quality_systems import STEP, Heard, curves_of
from facestream_models.corpus.phones import MERGED
from facestream_models.deeptalk.audio import CODE_SAMPLES, SAMPLE_RATE, audible_frames, pad_to_codes
from facestream_models.deeptalk.code_choice import BOTTOM, TOP, gumbel_noise
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.stages.generator import Judges
from facestream_models.metrics.lip_reader import LipReader

COEFFICIENTS = EXPRESSION_COUNT + JAW_COUNT
LONGEST_HEARD_S = 10
READ_FRAMES = 48
"""The lip reader is trained on windows of so many frames and takes its bearings from their mean."""

Float32 = NDArray[np.float32]
_CLASS_OF_MERGED = np.array([MERGED.index(number) for number in range(max(MERGED) + 1)])


class Motion(NamedTuple):
    """`values` [F, 53], and the codes they were decoded from: `top` [K], `bottom` [2 K]."""

    values: Float32
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]


class Actor:
    """A compact network as a clip is made with it. Speakers that it was not trained on are given place 0."""

    def __init__(self, network: CompactDeepTalk) -> None:
        self.network = network.eval()

    @torch.no_grad()
    def hear(self, audio: Float32, seconds: float = LONGEST_HEARD_S) -> EmotionGaussian:
        """The emotion of `audio` [T], of up to so many seconds from its middle: whole codes, padded if it has none."""
        heard = min(round(seconds * SAMPLE_RATE), len(audio)) // CODE_SAMPLES * CODE_SAMPLES
        first = (len(audio) - heard) // 2
        piece = torch.from_numpy(audio[first : first + heard].copy())[None]
        return self.network.hear_emotion(piece if heard else pad_to_codes(torch.from_numpy(audio.copy())[None]))

    @torch.no_grad()
    def move(self, audio: Float32, emotion: Tensor | None = None, seed: int | None = None,
             temperature: float = 1.0) -> Motion:  # fmt: skip
        """Motion of `audio` [T] in `emotion` [1, 128], by default its own; the likeliest, or with `seed` a sample."""
        padded = pad_to_codes(torch.from_numpy(audio.copy())[None])
        emotion = self.hear(audio).mean if emotion is None else emotion
        shape = self.network.shape.generator
        count = padded.shape[1] // CODE_SAMPLES
        noises = [
            torch.zeros(1, length, shape.codes)
            if seed is None
            else temperature * torch.from_numpy(gumbel_noise(level, seed, 0, length, shape.codes))[None]
            for level, length in ((TOP, count), (BOTTOM, 2 * count))
        ]
        actor = F.one_hot(torch.zeros(1, dtype=torch.long), shape.actors).float()
        made = self.network(padded, emotion, actor, *noises)
        top, bottom = ((logits + noise).argmax(dim=2)[0].numpy()
                       for logits, noise in zip((made.top, made.bottom), noises, strict=True))  # fmt: skip
        return Motion(made.motion[0, : audible_frames(len(audio))].numpy(), top, bottom)


class Onlookers(NamedTuple):
    """Who tells emotions and visemes: networks that no loss of a generator or a prior ever asked."""

    frame_emotion: FrameEmotion
    reader: LipReader


class Face:
    """Looks at motion on the shipped head. The embedding of `judges` says which faces are alike; `onlookers` tell
    emotions and visemes.
    """

    def __init__(self, judges: Judges, onlookers: Onlookers) -> None:
        self.judges, self.onlookers = judges, onlookers
        self.profile = load_profile()
        self.retargeter = Retargeter(self.profile, (), temporal_weight=0.0)
        self.is_lip, self.is_upper = judges.mesh.is_lip.numpy(), judges.mesh.is_upper.numpy()
        self.rest = self.points(np.zeros((1, COEFFICIENTS), np.float32))[0]
        for network in (*judges, *onlookers):
            network.eval()

    @torch.no_grad()
    def points(self, motion: Float32) -> Float32:
        """Points [F, V, 3] in mm."""
        return np.asarray(self.judges.mesh(torch.from_numpy(np.ascontiguousarray(motion))).numpy(), np.float32)

    def weights(self, motion: Float32) -> Float32:
        """ARKit weights [F, 52], each frame for itself."""
        return self.retargeter.solve(motion[:, :COEFFICIENTS], np.zeros((len(motion), CURVE_COUNT), np.float32))

    @torch.no_grad()
    def emotion_logits(self, motion: Float32) -> Float32:
        """Emotion logits of each frame [F, 8]."""
        return np.asarray(self.onlookers.frame_emotion(torch.from_numpy(motion[:, :COEFFICIENTS].copy())).numpy())

    @torch.no_grad()
    def visemes(self, motion: Float32) -> NDArray[np.int64]:
        """Merged class that the lips show at each frame [F], read in windows of `READ_FRAMES`."""
        lips = torch.from_numpy(self.points(motion)[:, self.is_lip])
        frames = len(lips)
        read = np.zeros(frames, np.int64)
        for first in range(0, frames, READ_FRAMES):
            first = max(min(first, frames - READ_FRAMES), 0)
            window = lips[None, first : first + READ_FRAMES]
            read[first : first + READ_FRAMES] = self.onlookers.reader(window)[0].argmax(dim=1).numpy()
        return read

    def heard(self, motion: Float32, samples: int) -> Heard:
        """Speech curves, and classes read off the lips, at 0, 20, 40 ... ms of a clip of `samples`."""
        return self._heard(curves_of(self.weights(to_50_hz(motion, samples))), self.visemes(motion), samples)

    def heard_weights(self, weights: Float32, samples: int) -> Heard:
        """The same of ARKit weights [F, 52] at 50 Hz."""
        motion: Float32 = self.profile.motion_of(weights[::2])
        return self._heard(curves_of(weights), self.visemes(motion), samples)

    def heard_50_hz(self, motion: Float32, samples: int) -> Heard:
        """The same of motion at 50 Hz, of which the lip reader is shown every other frame."""
        motion = motion[:, :COEFFICIENTS]
        return self._heard(curves_of(self.weights(motion)), self.visemes(motion[::2]), samples)

    @staticmethod
    def _heard(curves: Float32, visemes: NDArray[np.int64], samples: int) -> Heard:
        frames = samples // STEP + 1
        nearest = np.minimum(np.arange(frames) // 2, len(visemes) - 1)
        return Heard(curves[:frames], _CLASS_OF_MERGED[visemes[nearest]])


def to_50_hz(motion: Float32, samples: int) -> Float32:
    """Motion [F, D] at 25 Hz on the straight lines between its frames, at 0, 20 ... ms; the last frame stays."""
    place = np.minimum(np.arange(samples // STEP + 1) / 2.0, len(motion) - 1)
    before = place.astype(np.int64)
    share = (place - before).astype(np.float32)[:, None]
    after = motion[np.minimum(before + 1, len(motion) - 1)]
    between: Float32 = motion[before] + share * (after - motion[before])
    return between
