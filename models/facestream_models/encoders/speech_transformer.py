"""wav2vec2-base and HuBERT-base, which are one graph: 16 kHz audio in, 768 features every 20 ms out.

    waveform -> seven convolutions (50 Hz, 512) -> norm, linear 768 -> + positional convolution -> norm
        -> 12 post-norm layers, every frame sees every frame

(arXiv 2006.11477 section 2, arXiv 2106.07447 section 3; the group-norm variant.) The families cut it in different
places: DEEPTalk resamples the convolutions' output to 25 Hz and runs the layers there, DiffPoseTalk halves the rate of
the layers' output. So the two halves are two methods, `features` and `context`, and resampling is the caller's.

The first convolution is normalised over the whole clip and attention looks both ways: features of a moment depend on
which audio is around it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.encoders.speech_attention import PostNormLayer

FRAME_SAMPLES = 320
"""One feature frame in samples, 20 ms."""

_REFLECTED = 20


@dataclass(frozen=True)
class SpeechTransformerShape:
    """Sizes; the defaults are wav2vec2-base and HuBERT-base. Both dropouts act in training only."""

    channels: int = 512
    kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    width: int = 768
    layers: int = 12
    heads: int = 12
    hidden: int = 3072
    position_kernel: int = 128
    position_groups: int = 16
    dropout: float = 0.1
    layer_drop: float = 0.1

    @property
    def receptive_samples(self) -> int:
        """Samples that one feature frame hears: 400."""
        heard, step = 1, 1
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            heard += (kernel - 1) * step
            step *= stride
        return heard

    def frame_count(self, samples: int) -> int:
        """Frames that `features` makes of `samples`: `floor((samples - 400) / 320) + 1` for the base sizes."""
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            samples = (samples - kernel) // stride + 1
        return max(samples, 0)


class SpeechTransformer(nn.Module):
    """See the module text. Weights under their published names are renamed by `speech_weights.SPEECH_TRANSFORMER`."""

    def __init__(self, shape: SpeechTransformerShape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or SpeechTransformerShape()
        sources = (1, *([shape.channels] * (len(shape.kernels) - 1)))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(source, shape.channels, kernel, stride, bias=False)
            for source, kernel, stride in zip(sources, shape.kernels, shape.strides, strict=True)
        )
        self.clip_norm = nn.GroupNorm(shape.channels, shape.channels)
        self.feature_norm = nn.LayerNorm(shape.channels)
        self.project = nn.Linear(shape.channels, shape.width)
        self.mask_embedding = nn.Parameter(torch.rand(shape.width))
        self.position = nn.Conv1d(
            shape.width,
            shape.width,
            shape.position_kernel,
            padding=shape.position_kernel // 2,
            groups=shape.position_groups,
        )
        self.norm = nn.LayerNorm(shape.width)
        self.dropout = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList(
            PostNormLayer(shape.width, shape.heads, shape.hidden, "gelu", shape.dropout) for _ in range(shape.layers)
        )

    def forward(self, waveform: Tensor) -> Tensor:
        """`waveform` float [B, T] at 16 kHz, normalised by the caller -> [B, F, width] at 50 Hz."""
        return self.context(self.features(waveform))

    def features(self, waveform: Tensor) -> Tensor:
        """The convolutions: `waveform` [B, T] -> [B, `shape.frame_count(T)`, channels]."""
        x = waveform[:, None]
        for number, convolution in enumerate(self.convolutions):
            x = convolution(x)
            x = F.gelu(self.clip_norm(x) if number == 0 else x)
        return x.transpose(1, 2)

    def spaced_features(self, waveform: Tensor, spacing: int) -> Tensor:
        """The features of the frames at every `spacing` samples only: `waveform` [B, F * spacing] -> [B, F, channels].

        They are those of `features`; `spacing` is a multiple of 320, and larger than `shape.receptive_samples`. What
        lies between the frames is heard by none of them but counts in the norm over the clip, which therefore is taken
        from the covariance of the samples under a kernel instead of from what the first convolution makes of all.
        With every other frame it saves two fifths of the work.
        """
        rows = waveform.shape[0]
        stride = self.shape.strides[0]
        heard = waveform.reshape(rows, -1, spacing)[:, :, : self.shape.receptive_samples]
        taps = _taps(heard.reshape(rows, heard.shape[1], -1, stride))
        scale, shift = self._clip_scale(_taps(waveform.reshape(rows, -1, stride)))
        weights = [self.get_parameter(f"convolutions.{number}.weight") for number in range(len(self.convolutions))]
        kernel = weights[0][:, 0].T * scale[:, None]
        x = (taps.flatten(1, 2) @ kernel + shift[:, None]).reshape(*taps.shape[:3], self.shape.channels)
        x = F.gelu(x)
        for weight, step in zip(weights[1:], self.shape.strides[1:], strict=True):
            x = F.gelu(_strided(weight, step, x))
        return x[:, :, 0]

    def _clip_scale(self, taps: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift [B, channels] of the norm, from the samples [B, n, kernel] under the first kernel.

        In double precision: a filter that passes little of the sound has a variance far below that of the samples.
        """
        exact = taps.double()
        mean = exact.mean(dim=1)
        apart = exact - mean[:, None]
        covariance = apart.transpose(1, 2) @ apart / apart.shape[1]
        kernel = self.get_parameter("convolutions.0.weight")[:, 0].double()
        variance = ((kernel @ covariance) * kernel).sum(dim=2)
        scale = self.clip_norm.weight.double() / torch.sqrt(variance + self.clip_norm.eps)
        shift = self.clip_norm.bias.double() - (mean @ kernel.T) * scale
        return scale.float(), shift.float()

    def context(self, features: Tensor, masked: Tensor | None = None) -> Tensor:
        """Projection, positions and layers: `features` [B, F, channels] -> [B, F, width].

        `masked` bool [B, F] puts the learned mask embedding in the place of frames (SpecAugment over time).
        """
        entered = self.dropout(self.project(self.feature_norm(features)))
        if masked is not None:
            entered = torch.where(masked[..., None], self.mask_embedding, entered)
        # An even kernel with half of it as padding gives one frame too many, the last one.
        position = F.gelu(self.position(entered.transpose(1, 2))[..., :-1]).transpose(1, 2)
        x: Tensor = self.dropout(self.norm(entered + position))
        for layer in self.layers:
            if not (self.training and torch.rand(()) < self.shape.layer_drop):
                x = layer(x)
        return x


def _taps(blocks: Tensor) -> Tensor:
    """Samples under a kernel of two strides: `blocks` [..., n + 1, stride] -> [..., n, 2 * stride]."""
    return torch.cat([blocks[..., :-1, :], blocks[..., 1:, :]], dim=-1)


def _strided(weight: Tensor, stride: int, x: Tensor) -> Tensor:
    """The convolution of frames `x` [..., T, C] with `weight` [out, C, stride or one more], as products of frames."""
    kernel = weight.shape[2]
    count = (x.shape[-2] - kernel) // stride + 1
    taps = weight.permute(2, 1, 0)
    blocks = x[..., : count * stride, :].reshape(*x.shape[:-2], count, stride * x.shape[-1])
    y = blocks @ taps[:stride].flatten(0, 1)
    return y if kernel == stride else y + x[..., stride::stride, :] @ taps[stride]


def reflect_to_whole_frames(waveform: Tensor, shape: SpeechTransformerShape | None = None) -> Tensor:
    """Pad `waveform` [B, T] so that the convolutions give `floor(T / 320)` frames instead of one fewer.

    Reflects 20 samples at each side, as often as it takes: twice where T is a multiple of 320, frame k is then centred
    on sample 320 k + 160 (diffposetalk specification, section 3). Two reflections of 20 are not one of 40.
    """
    shape = shape or SpeechTransformerShape()
    wanted = waveform.shape[1] // FRAME_SAMPLES
    while shape.frame_count(waveform.shape[1]) < wanted:
        waveform = F.pad(waveform, (_REFLECTED, _REFLECTED), mode="reflect")
    return waveform
