"""Stages `generator-1` and `generator-2`: from what is said, how and by whom, to codes of motion (section 1.5).

Stage 1 learns to reconstruct. Stage 2 goes on from it and learns emotion: the motion's emotion must agree with the
speech's, also when each row borrows the emotion of its neighbour while what is said stays, and the lips must read the
same both times. Encoders, prior, embedding and lip reader are frozen and never in training mode (section 3, no. 12).

Beside the paper's terms there is `codes`: cross-entropy with the codes that the prior gives to the true motion. It
needs no gradient through a sampled choice, and so learns much faster than reconstruction alone; 0 leaves it out.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream_models.deeptalk.audio import FRAMES_PER_CODE, emotion_waveform
from facestream_models.deeptalk.compact import CompactDeepTalk, CompactShape
from facestream_models.deeptalk.emotion_distance import consistency_loss
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.generator import Generated, GeneratorShape
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.lip_reader import LipReader, reading_loss
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class GeneratorConfig:
    """Windows of `frames` (32 in the paper), an even number `rows` of them a batch; a weight for each term.

    Errors are in square millimetres, so the weights are not the paper's (section 3, no. 27). The temperature of the
    sampled codes falls linearly from `hottest` to `coldest` over the run.
    """

    rows: int = 16
    frames: int = 32
    face: float = 1.0
    lips: float = 1.0
    codes: float = 0.0
    emotion: float = 0.0
    swapped_emotion: float = 0.0
    reading: float = 0.0
    swapped_reading: float = 0.0
    hottest: float = 2.0
    coldest: float = 0.1
    validation_frames: int = 64
    run: RunConfig = field(default_factory=RunConfig)
    shape: GeneratorShape = field(default_factory=lambda: CompactShape().generator)

    @property
    def swaps(self) -> bool:
        """Whether a second motion with borrowed emotion is made."""
        return self.swapped_emotion > 0.0 or self.swapped_reading > 0.0


class Judges(NamedTuple):
    """The frozen networks that say what a motion is worth."""

    mesh: FaceMesh
    embedding: EmotionEmbedding
    frame_emotion: FrameEmotion
    reader: LipReader

    def emotion_of(self, motion: Tensor) -> EmotionGaussian:
        """The emotion that `motion` [B, F, 53] shows."""
        gaussian: EmotionGaussian = self.embedding.expression(self.frame_emotion.features(motion))
        return gaussian


class GeneratorStage:
    """Sound and emotion in, codes out; only the generator's own layers learn."""

    def __init__(
        self,
        config: GeneratorConfig,
        training: TakeWindows,
        held_out: TakeWindows,
        system: CompactDeepTalk,
        judges: Judges,
    ) -> None:
        if config.rows % 2 or config.frames % FRAMES_PER_CODE:
            raise ValueError(
                f"rows {config.rows} must be even and frames {config.frames} whole codes of {FRAMES_PER_CODE}"
            )
        self.config, self.training, self.held_out, self.judges = config, training, held_out, judges
        self.system = system.eval().requires_grad_(False)
        self.system.generator.requires_grad_(True)
        for judge in judges:
            judge.eval().requires_grad_(False)

    @property
    def network(self) -> nn.Module:
        return self.system.generator

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.system.shape), "training_seconds": round(self.training.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        config = self.config
        heat = config.hottest + progress * (config.coldest - config.hottest)
        windows = self.training.draw(config.rows, config.frames, random)
        felt, content = self._hear(windows)
        actor = self._actors(windows)
        own = self.system.generator.train_step(content, felt.mean, actor, self.system.prior, heat)
        terms = self._reconstruction(own, windows)
        if config.emotion:
            terms["emotion"] = config.emotion * self._agreement(felt, own)
        if config.reading:
            terms["reading"] = config.reading * self._reading(own, windows)
        if config.swaps:
            lent = EmotionGaussian(*(_swapped(part) for part in felt))
            other = self.system.generator.train_step(content, lent.mean, actor, self.system.prior, heat)
            terms["swapped_emotion"] = config.swapped_emotion * self._agreement(lent, other)
            terms["swapped_reading"] = config.swapped_reading * self._reading(other, windows)
        return terms

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Errors in mm on held-out takes by the most likely codes, and the emotion that their motion shows."""
        del network  # it is the system's generator
        face, lips, shown = [], [], []
        for windows in self.held_out.in_order(self.config.validation_frames):
            motion = self._most_likely(windows)
            distance = point_errors_mm(self.judges.mesh(motion), self.judges.mesh(windows.motion))
            face.append(distance.mean(dim=(1, 2)))
            lips.append(distance[..., self.judges.mesh.is_lip].mean(dim=(1, 2)))
            votes = self.judges.frame_emotion(motion.flatten(0, 1)).reshape(*motion.shape[:2], -1).mean(dim=1)
            shown.append((votes.argmax(dim=1) == windows.emotion).float())
        return {
            "face_mm": float(torch.cat(face).mean()),
            "lips_mm": float(torch.cat(lips).mean()),
            "emotion_accuracy": float(torch.cat(shown).mean()),
        }

    @torch.no_grad()
    def _hear(self, windows: Windows) -> tuple[EmotionGaussian, Tensor]:
        return self.judges.embedding.speech(emotion_waveform(windows.audio)), self.system.content(windows.audio)

    def _actors(self, windows: Windows) -> Tensor:
        return F.one_hot(
            windows.speaker % self.system.shape.generator.actors, self.system.shape.generator.actors
        ).float()

    def _reconstruction(self, made: Generated, windows: Windows) -> dict[str, Tensor]:
        mesh, config = self.judges.mesh, self.config
        squares = (mesh(made.motion) - mesh(windows.motion)).square().sum(dim=-1)
        terms = {"face": config.face * squares.mean(), "lips": config.lips * squares[..., mesh.is_lip].mean()}
        if config.codes:
            true = self.system.prior(windows.motion)
            terms["codes"] = config.codes * (
                F.cross_entropy(made.top.flatten(0, 1), true.top_codes.flatten())
                + F.cross_entropy(made.bottom.flatten(0, 1), true.bottom_codes.flatten())
            )
        return terms

    def _agreement(self, felt: EmotionGaussian, made: Generated) -> Tensor:
        embedding = self.judges.embedding
        return consistency_loss(felt, self.judges.emotion_of(made.motion), embedding.scale, embedding.shift)

    def _reading(self, made: Generated, windows: Windows) -> Tensor:
        mesh = self.judges.mesh
        lips = [mesh(motion)[:, :, mesh.is_lip] for motion in (made.motion, windows.motion)]
        return reading_loss(self.judges.reader, *lips)

    def _most_likely(self, windows: Windows) -> Tensor:
        felt, content = self._hear(windows)
        count = windows.motion.shape[1] // FRAMES_PER_CODE
        quiet = content.new_zeros(len(content), count, self.system.shape.generator.codes)
        actor = self._actors(windows)
        made = self.system.generator(content, felt.mean, actor, self.system.prior, quiet, quiet.repeat(1, 2, 1))
        motion: Tensor = made.motion
        return motion


def _swapped(x: Tensor) -> Tensor:
    """Neighbouring rows of `x` [B, ...] change places: 0 with 1, 2 with 3 ..."""
    return x.reshape(-1, 2, *x.shape[1:]).flip(1).reshape(x.shape)
