"""Stages `generator-1` and `generator-2`: from what is said, how and by whom, to codes of motion (section 1.5).

Stage 1 learns to reconstruct. Stage 2 goes on from it and learns emotion: the motion's emotion must agree with the
speech's, also when each row borrows the emotion of its neighbour while what is said stays, and the lips must read the
same both times. Encoders, prior, embedding and lip reader are frozen and never in training mode (section 3, no. 12).

Beside the paper's terms there is `codes`: cross-entropy with the codes that the prior gives to the true motion, bottom
codes as they go with the true top codes in half of the rows and with those that were predicted in the others: in use
it is these that bottom codes have to put right. It needs no gradient through a sampled choice, and so learns much
faster than reconstruction alone; 0 leaves it out. And there is `shown`: cross-entropy of the emotion that the judge of
frames sees with the take's own. Speech that is heard between two emotions is then acted in the likelier one.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.retarget.profile import load_profile
from facestream_models.corpus.phones import SILENCE
from facestream_models.deeptalk.audio import FRAMES_PER_CODE, emotion_waveform
from facestream_models.deeptalk.compact import CompactDeepTalk, CompactShape
from facestream_models.deeptalk.emotion_distance import consistency_loss
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.generator import Generated, GeneratorShape
from facestream_models.deeptalk.stages.heard_takes import HeardTakes
from facestream_models.deeptalk.stages.windows import TakeWindows, Windows
from facestream_models.metrics.closure import SHUT_GAP
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.lip_gap import LipGap
from facestream_models.metrics.lip_reader import LipReader, visemes_of
from facestream_models.metrics.quick_mesh import QuickMesh
from facestream_models.metrics.quick_reader import QuickReader, quick_reading_loss
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class GeneratorConfig:
    """Windows of `frames` (32 in the paper), an even number `rows` of them a batch; a weight for each term.

    Errors are in square millimetres, so the weights are not the paper's (section 3, no. 27). `gap` and `contacts` are
    those of `PriorConfig`. `softness` is how far codes that would do nearly as well are right too
    (`Codebook.likeness`). A share `content_dropout` of what is heard is left out in training: takes are few, and the
    trunk knows their voices. The temperature of the sampled codes falls linearly from `hottest` to `coldest`.
    """

    rows: int = 16
    frames: int = 32
    face: float = 1.0
    lips: float = 1.0
    gap: float = 0.0
    contacts: float = 0.0
    codes: float = 0.0
    emotion: float = 0.0
    swapped_emotion: float = 0.0
    shown: float = 0.0
    reading: float = 0.0
    swapped_reading: float = 0.0
    hottest: float = 2.0
    coldest: float = 0.1
    softness: float = 0.0
    content_dropout: float = 0.0
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
        self.face_error, self.lip_error = QuickMesh(judges.mesh), QuickMesh(judges.mesh, judges.mesh.is_lip)
        self.gap = LipGap(load_profile())
        self.lips = some_points(judges.mesh, judges.mesh.is_lip)
        self.reader = QuickReader(judges.reader, self.lips)
        self.heard = HeardTakes(training, system.content, self._hear_emotion)

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
        felt, content, actor = self.heard.emotion(windows, random), self.heard.content(windows), self._actors(windows)
        content = F.dropout(content, config.content_dropout)
        generator, prior = self.system.generator, self.system.prior
        face = generator.face_features(content, felt.mean, actor)
        own = generator.train_step(face, prior, heat)
        terms = self._reconstruction(own, windows)
        if config.codes:
            top = prior.top_likeness(windows.motion, config.softness)
            given = torch.where(torch.rand(config.rows, 1) < 0.5, top.argmax(dim=2), own.top.argmax(dim=2))
            bottom = prior.bottom_likeness(windows.motion, given, config.softness)
            said = generator.known_bottom(face, prior, given)
            terms["top_codes"] = config.codes * F.cross_entropy(own.top.flatten(0, 1), top.flatten(0, 1))
            terms["bottom_codes"] = config.codes * F.cross_entropy(said.flatten(0, 1), bottom.flatten(0, 1))
        if config.emotion:
            terms["emotion"] = config.emotion * self._agreement(felt, own)
        if config.shown:
            terms["shown"] = config.shown * F.cross_entropy(self._shown_logits(own.motion), windows.emotion)
        if config.reading:
            terms["reading"] = config.reading * self._reading(own, windows)
        if config.swaps:
            lent = EmotionGaussian(*(_swapped(part) for part in felt))
            other = generator.train_step(generator.face_features(content, lent.mean, actor), prior, heat)
            terms["swapped_emotion"] = config.swapped_emotion * self._agreement(lent, other)
            terms["swapped_reading"] = config.swapped_reading * self._reading(other, windows)
        return terms

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Errors in mm on held-out takes by the most likely codes; frames shut of those that are, and visemes read off
        the lips; and how often motion shows an emotion.

        Shown is the emotion of the take, heard in the window itself, and one that is asked for by a preset.
        """
        del network  # it is the system's generator
        mesh, presets = self.judges.mesh, self.heard.presets
        face, lips, shown, obeyed, shut, true_shut, read = [], [], [], [], [], [], []
        for windows in self.held_out.in_order(self.config.validation_frames):
            content, actor = self.system.content(windows.audio), self._actors(windows)
            motion = self._most_likely(content, self._hear_emotion(windows.audio).mean, actor)
            distance = point_errors_mm(mesh(motion), mesh(windows.motion))
            face.append(distance.mean(dim=(1, 2)))
            lips.append(distance[..., mesh.is_lip].mean(dim=(1, 2)))
            true_shut.append(((self.gap(windows.motion) < SHUT_GAP) & (windows.classes != SILENCE)).flatten())
            shut.append((self.gap(motion) < SHUT_GAP).flatten())
            seen = self.judges.reader(self.lips(motion)).argmax(dim=2) == visemes_of(windows.classes)
            read.append(seen[windows.classes != SILENCE])
            shown.append((self._shown(motion) == windows.emotion).float())
            wanted = torch.arange(len(motion)) % len(presets)
            obeyed.append((self._shown(self._most_likely(content, presets[wanted], actor)) == wanted).float())
        return {
            "face_mm": float(torch.cat(face).mean()),
            "lips_mm": float(torch.cat(lips).mean()),
            "frames_shut": float(torch.cat(shut)[torch.cat(true_shut)].float().mean()),
            "viseme_accuracy": float(torch.cat(read).float().mean()),
            "emotion_accuracy": float(torch.cat(shown).mean()),
            "preset_accuracy": float(torch.cat(obeyed).mean()),
        }

    def _hear_emotion(self, audio: Tensor) -> EmotionGaussian:
        gaussian: EmotionGaussian = self.judges.embedding.speech(emotion_waveform(audio))
        return gaussian

    def _shown(self, motion: Tensor) -> Tensor:
        """The emotion [B] that `motion` [B, F, 53] shows, by the mean logits of its frames."""
        return self._shown_logits(motion).argmax(dim=1)

    def _shown_logits(self, motion: Tensor) -> Tensor:
        """Logits [B, 8] of the emotions of `motion` [B, F, 53], mean of its frames'."""
        logits: Tensor = self.judges.frame_emotion(motion.flatten(0, 1)).reshape(*motion.shape[:2], -1).mean(dim=1)
        return logits

    def _actors(self, windows: Windows) -> Tensor:
        return F.one_hot(
            windows.speaker % self.system.shape.generator.actors, self.system.shape.generator.actors
        ).float()

    def _reconstruction(self, made: Generated, windows: Windows) -> dict[str, Tensor]:
        config, true = self.config, windows.motion
        gap = self.gap(true)
        meeting = 1.0 + config.contacts * ((gap < SHUT_GAP) & (windows.classes != SILENCE))
        terms = {
            "face": config.face * self.face_error(made.motion, true).mean(),
            "lips": config.lips * (meeting * self.lip_error(made.motion, true)).mean(),
        }
        if config.gap:
            terms["gap"] = config.gap * (meeting * (self.gap(made.motion) - gap).square()).mean()
        return terms

    def _agreement(self, felt: EmotionGaussian, made: Generated) -> Tensor:
        embedding = self.judges.embedding
        return consistency_loss(felt, self.judges.emotion_of(made.motion), embedding.scale, embedding.shift)

    def _reading(self, made: Generated, windows: Windows) -> Tensor:
        return quick_reading_loss(self.reader, made.motion, windows.motion)

    def _most_likely(self, content: Tensor, emotion: Tensor, actor: Tensor) -> Tensor:
        quiet = content.new_zeros(len(content), content.shape[1] // FRAMES_PER_CODE, self.system.shape.generator.codes)
        made = self.system.generator(content, emotion, actor, self.system.prior, quiet, quiet.repeat(1, 2, 1))
        motion: Tensor = made.motion
        return motion


def _swapped(x: Tensor) -> Tensor:
    """Neighbouring rows of `x` [B, ...] change places: 0 with 1, 2 with 3 ..."""
    return x.reshape(-1, 2, *x.shape[1:]).flip(1).reshape(x.shape)
