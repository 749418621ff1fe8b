"""The denoiser as sampling needs it: the same numbers, without computing anything twice.

- A frame may attend to one frame of audio, so what cross-attention gives it does not depend on the query. It is
  computed once a window (`hear`), for all steps and all guidance branches that hear the same audio.
- The person token attends to all audio; its keys and values are as old as the audio, so they are kept too.
- The embeddings of all steps are computed when the module is made.
- What past frames, indicator and positions add to the tokens is computed once a window (`open`).
- Guidance branches see the same frames, so up to the first self-attention frames are computed for one branch only. Of
  these only what the noisy motion adds to their queries, keys and values depends on the step: one small product with
  both matrices in one (`enter`), where a window is kept.
- Nobody reads what the last layer says of the person and the past, so it is computed for the window alone.
- Frames behind the end of a window are much alike, so in a shorter window a few of them stand for all (`_counts`).

Branches are rows of one batch: all rows of the first, then all of the second. Beyond the first layer self-attention
can not be kept, every token changes at every step.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.diffposetalk.decoder_layer import DecoderLayer
from facestream_models.diffposetalk.denoiser import Denoiser


class LayerAudio(NamedTuple):
    """What one layer hears: `found` [B, P + L, W] is what the frames do.

    The person's token still looks for itself, in `keys` and `values` [B, heads, P + L, H].
    """

    found: Tensor
    keys: Tensor
    values: Tensor


class HeardAudio(NamedTuple):
    """What all layers but the last hear, and `last` [B, L, W], what the last one finds for the frames of the window."""

    layers: tuple[LayerAudio, ...]
    last: Tensor

    def rows(self, index: Tensor) -> "HeardAudio":
        """Rows by number `index` int64 [B]: several branches may hear the same audio."""
        return HeardAudio(
            tuple(LayerAudio(*(part[index] for part in layer)) for layer in self.layers), self.last[index]
        )


class WindowCache(NamedTuple):
    """What `B` windows keep over all their steps, in `G` guidance branches.

    `person` [G B, 1, W] is that token but for the step, `past` [B, P, W] are finished tokens, `frame` [B, L, W] is what
    does not depend on the noisy motion; `audio` is for G B rows. Where a window is shorter than the network's, scores
    of self-attention have a `bias` [G B, 1, 1, 1 + P + L]. `projected` [B, P + L, 3 W] is what the first self-attention
    makes of `past` and `frame`, kept where several steps follow.
    """

    person: Tensor
    past: Tensor
    frame: Tensor
    audio: HeardAudio
    bias: Tensor | None
    projected: Tensor | None


class FastDenoiser(nn.Module):
    """Shares the weights of a `Denoiser`, which it puts in evaluation mode; make a new one after they change.

    Two layers at least.
    """

    step_table: Tensor
    enter: Tensor

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser.eval()
        self.shape = denoiser.shape
        with torch.no_grad():
            self.register_buffer("step_table", denoiser.step(denoiser.step_rows), persistent=False)
            first, motion = self._layers()[0].self_attention.qkv, denoiser.frame.weight[:, :-1]
            self.register_buffer("enter", (first.weight.double() @ motion.double()).float(), persistent=False)

    def hear(self, past_audio: Tensor, audio: Tensor) -> HeardAudio:
        """What every layer hears of `past_audio` [B, P, W] and `audio` [B, L, W]."""
        memory = torch.cat([past_audio, audio], dim=1)
        *early, last = (layer.cross_attention for layer in self._layers())
        layers = (LayerAudio(attention.of_one_key(memory), *attention.keys_values(memory)) for attention in early)
        return HeardAudio(tuple(layers), last.of_one_key(audio))

    def open(
        self, person: Tensor, past_motion: Tensor, indicator: Tensor, audio: HeardAudio, *, is_kept: bool = True
    ) -> WindowCache:
        """Begin windows: `person` [G B, identity + style] and what is heard of `audio` for G B rows, G branches.

        `past_motion` [B, P, D] and `indicator` [B, L] are the same in all branches. A window may be shorter than the
        network's, if only it has some frames behind its end. One that `is_kept` serves several steps.
        """
        network = self.denoiser
        motion_weight, mark_weight = network.frame.weight[:, :-1], network.frame.weight[:, -1]
        positions = network.positions
        first = 1 + self.shape.past
        end = None if indicator.shape[1] == self.shape.window else first + indicator.shape[1]
        branches = person.shape[0] // indicator.shape[0]  # not `len`, which a traced graph would fix
        past = F.linear(past_motion, motion_weight, network.frame.bias) + positions[:, 1:first]
        frame = indicator[:, :, None] * mark_weight + network.frame.bias + positions[:, first:end]
        project = self._layers()[0].self_attention.qkv
        return WindowCache(
            person=network.person(person)[:, None] + positions[:, :1],
            past=past,
            frame=frame,
            audio=audio,
            bias=None if end is None else self._counts(indicator).repeat(branches, 1, 1, 1),
            projected=project(torch.cat([past, frame], dim=1)) if is_kept else None,
        )

    def _counts(self, indicator: Tensor) -> Tensor:
        """What is added to scores of attention to all tokens, `[B, 1, 1, 1 + P + L]`.

        A frame behind the end counts as often as makes a whole window of those that are there. The network never
        learned to do without: with none of them lips followed real speech with r .50 sideways, with eight that count
        once .63, as often as this .78, and in whole windows .75 (student in two steps, 2026-11-22).
        """
        behind = 1.0 - indicator
        count = behind.sum(dim=1, keepdim=True).clamp(min=1.0)
        often = behind * torch.log(1.0 + (self.shape.window - indicator.shape[1]) / count)
        return F.pad(often, (1 + self.shape.past, 0))[:, None, None]

    def forward(self, noisy: Tensor, step: Tensor, window: WindowCache) -> Tensor:
        """The clean motion [G B, L, D] in each branch; `noisy` [B, L, D] at `step` int64 [B] in 1..T."""
        return self.embedded(noisy, step, self.step_table[step], window)

    def embedded(self, noisy: Tensor, step: Tensor, embedding: Tensor, window: WindowCache) -> Tensor:
        """The same where the `embedding` [B, W] of the steps does not come from the table."""
        branches = window.person.shape[0] // noisy.shape[0]
        person = window.person + embedding.repeat(branches, 1)[:, None]
        found = self.found(noisy, window._replace(person=person))
        made: Tensor = self.denoiser.motion(found)
        repeated = noisy.repeat(branches, 1, 1)
        return self.denoiser.weighed_window(made, found, window.audio.last, repeated, step.repeat(branches))

    def found(self, noisy: Tensor, window: WindowCache) -> Tensor:
        """What the layers find [G B, L, W] in a window whose person token knows the step."""
        network = self.denoiser
        first, *early, last = self._layers()
        branches = window.person.shape[0] // noisy.shape[0]

        def with_person(person: Tensor, frames: Tensor) -> Tensor:
            return torch.cat([person, frames.repeat(branches, 1, 1)], dim=1)

        person = window.person
        frames = torch.cat([window.past, F.linear(noisy, network.frame.weight[:, :-1]) + window.frame], dim=1)
        project = first.self_attention.qkv
        if window.projected is None:
            projected = project(frames)
        else:
            count = window.past.shape[1]
            fresh = window.projected[:, count:] + F.linear(noisy, self.enter)
            projected = torch.cat([window.projected[:, :count], fresh], dim=1)
        heard, *heard_early = window.audio.layers
        x = _layer(first, with_person(person, frames), with_person(project(person), projected), heard, window.bias)
        for layer, audio in zip(early, heard_early, strict=True):
            x = _layer(layer, x, layer.self_attention.qkv(x), audio, window.bias)
        return _last_layer(last, x, window.audio.last, window.bias)

    def _layers(self) -> list[DecoderLayer]:
        return [layer for layer in self.denoiser.layers if isinstance(layer, DecoderLayer)]


def _layer(layer: DecoderLayer, x: Tensor, projected: Tensor, audio: LayerAudio, bias: Tensor | None) -> Tensor:
    """`projected` are the queries, keys and values of `x`, [B, 1 + P + L, 3 W]."""
    x = layer.norm1(x + layer.self_attention.among(projected, bias))
    attention = layer.cross_attention
    of_audio = None if bias is None else bias[:, :, :, 1:]
    heard = attention.attend(attention.queries(x[:, :1]), audio.keys, audio.values, of_audio)
    x = layer.norm2(x + torch.cat([heard, audio.found], dim=1))
    y: Tensor = layer.norm3(x + layer.feed_forward(x))
    return y


def _last_layer(layer: DecoderLayer, x: Tensor, found: Tensor, bias: Tensor | None) -> Tensor:
    """The window's frames [B, L, W] of all tokens `x` [B, 1 + P + L, W]."""
    current = x[:, -found.shape[1] :]
    current = layer.norm1(current + layer.self_attention.across(current, x, bias))
    current = layer.norm2(current + found)
    y: Tensor = layer.norm3(current + layer.feed_forward(current))
    return y
