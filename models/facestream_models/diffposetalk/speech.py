"""Speech features of DiffPoseTalk: HuBERT-base at 50 Hz, pairs averaged to the 25 frames of video, 512 wide."""

import torch
from torch import Tensor, nn

from facestream_models.encoders.speech_transformer import (
    SpeechTransformer,
    SpeechTransformerShape,
    reflect_to_whole_frames,
)

FROZEN_LAYERS = 2
_FEATURES_PER_FRAME = 2
_FLOOR = 1e-5


class SpeechFeatures(nn.Module):
    """Waveform to features, one for each frame of 40 ms.

    Frame i is centred on sample 640 i + 320. Every frame hears the whole waveform: what is around a moment, and how
    much of it, changes its features.
    """

    def __init__(self, width: int, shape: SpeechTransformerShape | None = None) -> None:
        super().__init__()
        self.encoder = SpeechTransformer(shape)
        self.map = nn.Linear(self.encoder.shape.width, width)

    def forward(self, waveform: Tensor) -> Tensor:
        """`waveform` [B, 640 F] at 16 kHz, normalised (`normalised`) -> [B, F, width]."""
        context = self.encoder(reflect_to_whole_frames(waveform, self.encoder.shape))
        # A linear resize by exactly one half is the mean of neighbours.
        pairs = context.reshape(context.shape[0], -1, _FEATURES_PER_FRAME, context.shape[2]).mean(dim=2)
        features: Tensor = self.map(pairs)
        return features

    def freeze_lower(self) -> None:
        """Keep from training what the released models kept: convolutions, projection and the two lowest layers."""
        encoder = self.encoder
        lower = [encoder.convolutions, encoder.clip_norm, encoder.feature_norm, encoder.project]
        for module in [*lower, *encoder.layers[:FROZEN_LAYERS]]:
            module.requires_grad_(False)


def normalised(waveform: Tensor) -> Tensor:
    """`waveform` [B, T] with mean 0 and deviation 1, each row for itself over its whole length.

    The deviation is the unbiased one with a small floor, as the released models were trained with.
    """
    deviation, mean = torch.std_mean(waveform, dim=1, keepdim=True)
    return (waveform - mean) / (deviation + _FLOOR)
