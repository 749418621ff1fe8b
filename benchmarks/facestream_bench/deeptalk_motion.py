"""Motion of a deeptalk network, and what a face in motion shows: the ground that its figures stand on.

`Actor` makes motion, `Face` looks at it. Whatever is compared, a true take, `live`, an argmax or a sample, goes through
the same `Face` (see `seen_face`), which here also tells an emotion by single frames.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from facestream.motion.heard_emotion import spoken
from facestream_bench.seen_face import COEFFICIENTS, SeenFace
from facestream_models.deeptalk.audio import CODE_SAMPLES, FRAMES_PER_CODE, SAMPLE_RATE, audible_frames, pad_to_codes
from facestream_models.deeptalk.code_choice import BOTTOM, TOP, gumbel_noise
from facestream_models.deeptalk.compact import CompactDeepTalk
from facestream_models.deeptalk.emotion_embedding import EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.stages.generator import Judges
from facestream_models.metrics.lip_reader import LipReader

LONGEST_HEARD_S = 10

Float32 = NDArray[np.float32]


class Motion(NamedTuple):
    """`values` [F, 53], and the codes they were decoded from: `top` [K], `bottom` [2 K]."""

    values: Float32
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]


class Actor:
    """A compact network as a clip is made with it. Speakers that it was not trained on are given place 0."""

    def __init__(self, network: CompactDeepTalk) -> None:
        self.network = network.eval()
        self._contents: dict[bytes, Tensor] = {}

    @torch.no_grad()
    def hear(self, audio: Float32, seconds: float = LONGEST_HEARD_S) -> EmotionGaussian:
        """The emotion of `audio` [T], of up to so many seconds from the middle of its speech, in whole codes."""
        padded = np.pad(audio, (0, -len(audio) % CODE_SAMPLES)).astype(np.float32)[None]
        speech = spoken(padded, CODE_SAMPLES)
        heard = min(round(seconds * SAMPLE_RATE) // CODE_SAMPLES * CODE_SAMPLES, speech.shape[1])
        first = (speech.shape[1] - heard) // 2
        return self.network.hear_emotion(torch.from_numpy(np.ascontiguousarray(speech[:, first : first + heard])))

    @torch.no_grad()
    def move(self, audio: Float32, emotion: Tensor | None = None, seed: int | None = None,
             temperature: float = 1.0) -> Motion:  # fmt: skip
        """Motion of `audio` [T] in `emotion` [1, 128], by default its own; the likeliest, or with `seed` a sample."""
        content = self._content(audio)
        emotion = self.hear(audio).mean if emotion is None else emotion
        shape = self.network.shape.generator
        count = content.shape[1] // FRAMES_PER_CODE
        noises = [
            torch.zeros(1, length, shape.codes)
            if seed is None
            else temperature * torch.from_numpy(gumbel_noise(level, seed, 0, length, shape.codes))[None]
            for level, length in ((TOP, count), (BOTTOM, 2 * count))
        ]
        actor = F.one_hot(torch.zeros(1, dtype=torch.long), shape.actors).float()
        made = self.network.generator(content, emotion, actor, self.network.prior, *noises)
        top, bottom = ((logits + noise).argmax(dim=2)[0].numpy()
                       for logits, noise in zip((made.top, made.bottom), noises, strict=True))  # fmt: skip
        return Motion(made.motion[0, : audible_frames(len(audio))].numpy(), top, bottom)

    def _content(self, audio: Float32) -> Tensor:
        """What is said in `audio` [T], heard once however often it is asked for."""
        key = hashlib.blake2b(audio.tobytes()).digest()
        if key not in self._contents:
            self._contents[key] = self.network.content(pad_to_codes(torch.from_numpy(audio.copy())[None]))
        return self._contents[key]


class Onlookers(NamedTuple):
    """Who tells emotions and visemes: networks that no loss of a generator or a prior ever asked."""

    frame_emotion: FrameEmotion
    reader: LipReader


class Face(SeenFace):
    """Looks at motion on the shipped head. The embedding of `judges` says which faces are alike; `onlookers` tell
    emotions and visemes.
    """

    def __init__(self, judges: Judges, onlookers: Onlookers) -> None:
        super().__init__(judges.mesh, onlookers.reader)
        self.judges, self.onlookers = judges, onlookers
        for network in (*judges, *onlookers):
            network.eval()

    @torch.no_grad()
    def emotion_logits(self, motion: Float32) -> Float32:
        """Emotion logits of each frame [F, 8]."""
        return np.asarray(self.onlookers.frame_emotion(torch.from_numpy(motion[:, :COEFFICIENTS].copy())).numpy())
