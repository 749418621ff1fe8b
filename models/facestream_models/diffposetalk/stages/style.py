"""Stage `style`: two stretches of one speaker's motion shall have one style (specification, section 5).

The emotion changes along a recording and a window lasts four seconds, so what both stretches share is how the speaker
moves and, mostly, the emotion: a style says both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.retarget.profile import load_profile
from facestream.types import EXPRESSION_COUNT
from facestream_models.corpus.speaking_style import TRAITS
from facestream_models.diffposetalk.compact import COMPACT, NormalisedMotion
from facestream_models.diffposetalk.contrast import nt_xent
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.style_encoder import STYLE_FRAMES, StyleEncoder
from facestream_models.diffposetalk.trait_reader import TraitReader
from facestream_models.training.run import RunConfig

_LEAST_MOVED_MM = 0.02
"""RMS over the face. A component that moves it less is not blown up to the size of the others."""
_LEAST_TURNED = 1e-3


@dataclass(frozen=True)
class StyleConfig:
    """`rows` speakers a batch, `gap` frames between the two stretches; figures among `rivals` speakers.

    With a `traits_weight` a style is to tell the speakers' traits, too. Heads are made up to `head_range` times as
    lively or as calm as they were recorded, so that what a head does is not known by the face.
    """

    rows: int = 32
    gap: int = 10
    traits_weight: float = 0.0
    head_range: float = 1.0
    rivals: int = 20
    rounds: int = 10
    run: RunConfig = field(default_factory=RunConfig)
    shape: DenoiserShape = field(default_factory=lambda: COMPACT)

    @property
    def frames(self) -> int:
        """Of both stretches and the gap."""
        return 2 * STYLE_FRAMES + self.gap


class StyleNetwork(nn.Module):
    """The encoder with the space of its motion and, where styles were asked for traits, what reads them."""

    def __init__(self, shape: DenoiserShape, *, tells_traits: bool = False) -> None:
        super().__init__()
        self.space = NormalisedMotion(shape.motion_count)
        self.encoder = StyleEncoder(shape, legacy_positions=False)
        self.width = shape.style_count
        self.traits = TraitReader(shape.style_count) if tells_traits else None

    def forward(self, motion: Tensor) -> Tensor:
        """Style [B, S] of `motion` [B, 100, 54] as recorded."""
        style: Tensor = self.encoder(self.space(motion))
        return style


class StyleStage:
    """Motion in, style out. The space of motion is measured on the training recordings."""

    def __init__(self, config: StyleConfig, training: Recordings, held_out: Recordings) -> None:
        usable = training.long_enough(config.frames)
        if len(usable) < config.rows:
            raise ValueError(
                f"rows {config.rows}: {len(usable)} speakers have {config.frames} frames or more; ask for fewer rows"
            )
        self.config, self.training, self.held_out = config, training, held_out
        self.styles = StyleNetwork(config.shape, tells_traits=config.traits_weight > 0.0)
        set_space(self.styles.space, training)
        if self.styles.traits is not None:
            self.styles.traits.measure(torch.from_numpy(training.traits))

    @property
    def network(self) -> nn.Module:
        return self.styles

    @property
    def facts(self) -> Mapping[str, Any]:
        return {
            "shape": asdict(self.config.shape),
            "training_seconds": round(self.training.seconds),
            "speakers": len(self.training.speakers),
            "tells_traits": self.styles.traits is not None,
        }

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        config, reader = self.config, self.styles.traits
        drawn = self.training.draw(config.rows, config.frames, random, distinct=True)
        livelier = head_factors(config.rows, config.head_range, random)
        first, second = self._both(self.styles, with_heads(drawn.motion, livelier, config.shape))
        terms = {"contrast": nt_xent(first, second)}
        if reader is not None:
            traits = torch.from_numpy(self.training.traits)[drawn.recording]
            traits[:, TRAITS.index("head_amplitude")] += livelier.log()
            terms["traits"] = config.traits_weight * reader.error(torch.cat([first, second]), traits.repeat(2, 1))
        return terms

    def figures(self, network: nn.Module) -> dict[str, float]:
        """On held-out speakers: how often a style's nearest among `rivals` is that of the same speaker.

        `rank1` with the stretch that follows, `rank1_anywhere` with any other of the speaker, `chance` for comparison.
        `r.TRAIT` is the correlation over stretches of what a style tells of a trait with the truth.
        """
        assert isinstance(network, StyleNetwork)
        random = np.random.default_rng(0)
        count = min(self.config.rivals, len(self.held_out.long_enough(self.config.frames)))
        following, anywhere = [], []
        told, true = [], []
        for _ in range(self.config.rounds):
            motion = self.held_out.draw(count, self.config.frames, random, distinct=True)
            first, second = self._both(network, motion.motion)
            following.append(_retrieved(first, second))
            if network.traits is not None:
                told.append(network.traits(first))
                true.append(torch.from_numpy(self.held_out.traits)[motion.recording])
            places = [(int(n), self.held_out.random_place(int(n), STYLE_FRAMES, random)) for n in motion.recording]
            anywhere.append(_retrieved(first, network(self.held_out.cut(places, STYLE_FRAMES).motion)))
        return {
            "rank1": float(torch.stack(following).mean()),
            "rank1_anywhere": float(torch.stack(anywhere).mean()),
            "chance": 1.0 / count,
            **(_correlations(torch.cat(told), torch.cat(true)) if told else {}),
        }

    @staticmethod
    def _both(network: StyleNetwork, motion: Tensor) -> tuple[Tensor, Tensor]:
        styles: Tensor = network(torch.cat([motion[:, :STYLE_FRAMES], motion[:, -STYLE_FRAMES:]]))
        first, second = styles.chunk(2)
        return first, second


def set_space(space: NormalisedMotion, recordings: Recordings) -> None:
    """Mean and deviation over all frames; the deviation has a floor in what it moves.

    The released statistics hold deviations within short crops. Over all frames they are of unit size for a face that
    holds an emotion, too, and the noise of diffusion is measured against them.
    """
    motion = recordings.motion()
    weights = load_profile().coefficient_weights[:EXPRESSION_COUNT]
    floor = np.full(motion.shape[1], _LEAST_TURNED, np.float32)
    floor[:EXPRESSION_COUNT] = _LEAST_MOVED_MM / np.maximum(weights, 1e-6)
    space.mean.copy_(torch.from_numpy(motion.mean(axis=0)))
    space.deviation.copy_(torch.from_numpy(np.maximum(motion.std(axis=0), floor)))


def head_factors(rows: int, most: float, random: np.random.Generator) -> Tensor:
    """How much livelier heads shall be [B], from 1 / `most` to `most`, evenly in logarithms."""
    return torch.from_numpy(most ** random.uniform(-1.0, 1.0, size=rows)).float()


def with_heads(motion: Tensor, livelier: Tensor, shape: DenoiserShape) -> Tensor:
    """`motion` [B, F, D] as recorded whose heads are so many times [B] as far from where they are on average."""
    head = shape.head_components
    mean = motion[:, :, head].mean(dim=1, keepdim=True)
    varied = motion.clone()
    varied[:, :, head] = mean + livelier[:, None, None] * (motion[:, :, head] - mean)
    return varied


def _correlations(told: Tensor, true: Tensor) -> dict[str, float]:
    own, theirs = (values - values.mean(dim=0) for values in (told, true))
    found = F.cosine_similarity(own, theirs, dim=0)
    return {f"r.{trait}": float(value) for trait, value in zip(TRAITS, found, strict=True)}


def _retrieved(first: Tensor, second: Tensor) -> Tensor:
    likeness = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    return (likeness.argmax(dim=1) == torch.arange(len(first))).float().mean()
