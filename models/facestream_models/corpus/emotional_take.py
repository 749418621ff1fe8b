"""One utterance, acted: its voice and its face moved together by one act of one speaker.

The order in which a face is put together is the order of the functions below: lips in the speaker's manner, what a
conversation adds, the emotion, the eyes, and the closures of the lips as the last word.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facestream.curves import CURVE_COUNT
from facestream.retarget.profile import RigProfile
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.corpus.coarticulation import FRAME_RATE
from facestream_models.corpus.conversation_face import conversation_face
from facestream_models.corpus.emotion_face import draw_expression, sealed, strength_over_time, wear
from facestream_models.corpus.emotion_voice import Voice
from facestream_models.corpus.emotions import Act, course
from facestream_models.corpus.eye_motion import move_eyes
from facestream_models.corpus.head_motion import head_motion
from facestream_models.corpus.prosody import prosody_of
from facestream_models.corpus.speaking_style import TRAITS, SpeakingStyle, style_of
from facestream_models.corpus.spoken_act import chance_of, say_act, take_key
from facestream_models.corpus.store import SAMPLE_RATE, Utterance
from facestream_models.corpus.styled_speech import seal_of, styled_speech

FRAME_RATES = (25, 50)
EXTRAS = ("tongueOut",)
MOTION_SIZE = EXPRESSION_COUNT + JAW_COUNT + len(EXTRAS)
SOURCE = "emotional"


@dataclass(frozen=True, eq=False)
class Take:
    """An acted utterance with everything a network may be asked to make of it.

    `utterance` holds the changed voice with its phone times. Frame j of `curves` float32 [F, 52] (ARKit weights, eyes
    included), `motion` float32 [F, 54] (expression, jaw, `tongueOut` of the head that `EmotionalCorpus` was made for)
    and `head` float32 [F, 3] (axis-angle, radians, see `head_motion`) describes the instant j / frame_rate seconds;
    F = ceil(T * frame_rate / 16000). `traits` float32 [10] are the speaker's, in the order of `TRAITS`.
    """

    utterance: Utterance
    act: Act
    speaker: str
    traits: NDArray[np.float32]
    frame_rate: int
    curves: NDArray[np.float32]
    motion: NDArray[np.float32]
    head: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.frame_rate not in FRAME_RATES:
            raise ValueError(f"frame rate {self.frame_rate}: must be one of {FRAME_RATES}")
        frames = frame_count(len(self.utterance.audio), self.frame_rate)
        for name, size in (("curves", CURVE_COUNT), ("motion", MOTION_SIZE), ("head", 3)):
            shape = getattr(self, name).shape
            if shape != (frames, size):
                raise ValueError(f"take {self.key!r}: {name} must have shape {(frames, size)}, got {shape}")
        if self.traits.shape != (len(TRAITS),):
            raise ValueError(f"take {self.key!r}: traits must be {len(TRAITS)} numbers, got {self.traits.shape}")

    @property
    def key(self) -> str:
        return self.utterance.key

    @property
    def seconds(self) -> float:
        return self.utterance.seconds


def frame_count(samples: int, frame_rate: int) -> int:
    """Frames of a take of that many samples: every instant j / frame_rate before its end."""
    return -(-samples * frame_rate // SAMPLE_RATE)


def act_out(
    voice: Voice,
    emotion: int,
    visit: int,
    speaker: str,
    seed: int,
    profile: RigProfile,
    frame_rate: int = 25,
    other_voices: float = 0.0,
) -> Take:
    """The take of an utterance in `emotion` (index into EMOTIONS) by `speaker`.

    It depends on the arguments only: `visit` is the number of the draw of intensity, mixture, jitter and motion, and of
    whether it is one of the share `other_voices` in another voice (`other_voice`).
    """
    random = chance_of(take_key(voice.utterance, emotion, visit), speaker, seed)
    spoken, f0 = say_act(voice, emotion, visit, speaker, seed, random, other_voices)
    utterance, act, style = replace(spoken.utterance, source=SOURCE), spoken.act, style_of(speaker, seed)
    curves, head = acted_motion(utterance, f0, act, style, random)
    every = FRAME_RATE // frame_rate
    shown = curves[::every].astype(np.float32)
    return Take(
        utterance=utterance,
        act=act,
        speaker=speaker,
        traits=style.traits,
        frame_rate=frame_rate,
        curves=shown,
        motion=profile.motion_of(shown, EXTRAS),
        head=head[::every].astype(np.float32),
    )


def acted_motion(
    utterance: Utterance, f0: NDArray[np.float64], act: Act, style: SpeakingStyle, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Curves `[F, 52]` and head rotation `[F, 3]` at 50 Hz for a voice whose `f0` [M] is known every 5 ms."""
    prosody = prosody_of(utterance, f0)
    seal, speaking = seal_of(utterance), prosody.speaking()
    when = course(prosody.times, prosody.phrases, random)
    expression = draw_expression(act, style, random)
    strength = strength_over_time(when, prosody)
    face = styled_speech(
        utterance,
        style,
        1.0 + when * (expression.jaw_scale - 1.0),
        1.0 + when * (expression.lip_scale - 1.0),
        speaking,
    )
    face = face + conversation_face(prosody, style, random)
    face = wear(face, expression, strength, speaking, seal)
    face = sealed(move_eyes(face, prosody, style, random), seal)
    return face, head_motion(prosody, style, act, when, random)
