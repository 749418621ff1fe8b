"""`diffposetalk-compact`: the paper's denoiser and style encoder, small, behind the frozen trunk of `live`.

Its motion is that of the open head: no identity, and a frame describes the instant at which its 40 ms begin.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from facestream.motion.diffposetalk.space import MotionStatistics
from facestream_models.diffposetalk.heard_speech import HEARD_WIDTH, LEVELS, HeardSpeech
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.shape import EXPRESSION_COUNT, DenoiserShape
from facestream_models.diffposetalk.voice_beats import CONTEXT, VoiceBeats
from facestream_models.live.network import LiveNetwork, State

COMPACT = replace(
    DenoiserShape(),
    width=160,
    layers=4,
    heads=5,
    hidden=640,
    identity_count=0,
    style_count=64,
    dropout=0.0,
    guess_variance=0.03,
    head_variance=0.045,
)
BEATS_STATE = "beats"
_IDENTITY_COUNT = 100


class ContentMap(nn.Module):
    """From what is heard [B, F, C] to features [B, F, W]: what of the speech side is trained."""

    def __init__(self, width: int, content_width: int = HEARD_WIDTH) -> None:
        super().__init__()
        self.map = nn.Linear(content_width, width)
        self.beats = VoiceBeats(width)

    def forward(self, heard: Tensor) -> Tensor:
        features: Tensor = self.map(heard) + self.beats(heard[:, :, -LEVELS:])
        return features

    def lasting(self, heard: Tensor) -> Tensor:
        """Features [W] of what is `heard` [C] for seconds."""
        features: Tensor = self(heard.expand(1, CONTEXT + 1, -1))[0, -1]
        return features


class CompactSpeech(nn.Module):
    """Raw `waveform` [B, 640 F] -> features [B, F, W]: what is heard, mapped."""

    def __init__(self, content: HeardSpeech, content_map: ContentMap) -> None:
        super().__init__()
        self.content = content
        self.map = content_map.map
        self.beats = content_map.beats

    def forward(self, waveform: Tensor) -> Tensor:
        return self.features(self.content(waveform))

    def features(self, heard: Tensor) -> Tensor:
        """Of what the content encoder heard, see `ContentMap`."""
        features: Tensor = self.map(heard) + self.beats(heard[:, :, -LEVELS:])
        return features

    def fresh_state(self, rows: int) -> State:
        """Of streams that begin, see `hear`."""
        return {**self.content.fresh_state(rows), BEATS_STATE: torch.zeros(rows, CONTEXT, LEVELS)}

    def hear(self, pcm: Tensor, state: State) -> tuple["HeardHops", State]:
        """`pcm` [B, 640 H] behind what `state` has heard, and the next state; for frames see `HeardSpeech.hear`."""
        heard, following = self.content.hear(pcm, state)
        beats, following[BEATS_STATE] = self.beats.hear(heard[:, :, -LEVELS:], state[BEATS_STATE])
        seal, lips = self.content.hear_seal(heard, state)
        return HeardHops(self.map(heard) + beats, self.content.phones(heard), seal), {**following, **lips}


class HeardHops(NamedTuple):
    """Of H frames: `features` [B, H, W], probabilities of phone classes `phone` [B, H, C] and `seal` [B, H]."""

    features: Tensor
    phone: Tensor
    seal: Tensor


class NormalisedMotion(nn.Module):
    """Mean and deviation [D] of the motion that a compact model speaks, kept beside its weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("deviation", torch.ones(count))

    def forward(self, motion: Tensor) -> Tensor:
        return (motion - self.mean) / self.deviation

    def restored(self, motion: Tensor) -> Tensor:
        """The motion that `forward` made `motion` of."""
        return motion * self.deviation + self.mean

    @property
    def statistics(self) -> MotionStatistics:
        """The same under the released names; identity is left as it is."""
        mean, deviation = self.mean.numpy(), self.deviation.numpy()
        pose_mean, pose_deviation = torch.zeros(6), torch.ones(6)
        moved = len(mean) - EXPRESSION_COUNT
        pose_mean[4 - moved : 4], pose_deviation[4 - moved : 4] = (
            self.mean[EXPRESSION_COUNT:],
            self.deviation[EXPRESSION_COUNT:],
        )
        return MotionStatistics(
            shape_mean=torch.zeros(_IDENTITY_COUNT).numpy(),
            shape_std=torch.ones(_IDENTITY_COUNT).numpy(),
            exp_mean=mean[:EXPRESSION_COUNT],
            exp_std=deviation[:EXPRESSION_COUNT],
            pose_mean=pose_mean.numpy(),
            pose_std=pose_deviation.numpy(),
        )


def compact_model(trained: DiffPoseTalk, live: LiveNetwork) -> DiffPoseTalk:
    """`trained` on contents (its `speech` a `ContentMap`) as a model that hears audio; shares its weights."""
    assert isinstance(trained.speech, ContentMap)
    whole = DiffPoseTalk(trained.shape, CompactSpeech(HeardSpeech(live), trained.speech))
    whole.load_state_dict(trained.state_dict(), strict=False)
    return whole.eval()
