"""Stage `prior`: the motion prior learns to say motion in codes (specification, section 1.4).

The error is that of the face in millimetres, not of coefficients; the lips, few of its points and all of its speech,
count by a weight of their own.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.retarget.profile import load_profile
from facestream_models.corpus.phones import SILENCE
from facestream_models.deeptalk.frame_emotion import FrameEmotion
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.deeptalk.stages.windows import TakeWindows
from facestream_models.metrics.closure import SHUT_GAP
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.lip_gap import LipGap
from facestream_models.metrics.lip_reader import LipReader
from facestream_models.metrics.quick_mesh import QuickMesh
from facestream_models.metrics.quick_reader import QuickReader, quick_reading_loss
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig

_LEAST_SPREAD = 0.02
"""Of coefficients in `coefficients`: the jaw hardly ever turns aside, and would count for all the rest."""


@dataclass(frozen=True)
class PriorConfig:
    """Windows of `frames` (32 in the paper), `rows` of them a batch; weights of the terms.

    `gap` weighs the error of the gap between the lips (a square, and the gap is 0..1), which is a tenth of a
    millimetre of the lips' error and all of a closure. `contacts` is what lips and gap weigh more while they are shut
    in speech. `coefficients` weighs the error of motion itself, in spreads: many coefficients hardly move a point, and
    who judges motion by them must not meet arbitrary ones. `emotion` and `reading` ask judges that were trained on the
    codes of an earlier prior: the emotion of each frame, and what is read off the lips, must stay. Millimetres alone
    do not tell a mild act from a neutral face. `begin_with` names a folder beside the output: a prior to go on from.
    """

    rows: int = 32
    frames: int = 32
    face: float = 1.0
    lips: float = 1.0
    commitment: float = 1.0
    gap: float = 0.0
    contacts: float = 0.0
    coefficients: float = 0.0
    emotion: float = 0.0
    reading: float = 0.0
    begin_with: str = ""
    validation_frames: int = 64
    run: RunConfig = field(default_factory=RunConfig)
    shape: MotionPriorShape = field(default_factory=MotionPriorShape)

    @property
    def judged(self) -> bool:
        """Whether judges are asked."""
        return self.emotion > 0.0 or self.reading > 0.0


class PriorJudges(nn.Module):
    """Frozen networks that say what codes must not lose."""

    def __init__(self, frame_emotion: FrameEmotion, reader: LipReader) -> None:
        super().__init__()
        self.frame_emotion, self.reader = frame_emotion, reader

    def emotion_lost(self, made: Tensor, true: Tensor) -> Tensor:
        """Divergence of the emotions that frames of `made` [B, F, 53] show from those of `true`, per frame."""
        shown = F.log_softmax(self.frame_emotion(made.flatten(0, 1)), dim=1)
        with torch.no_grad():
            wanted = F.log_softmax(self.frame_emotion(true.flatten(0, 1)), dim=1)
        return F.kl_div(shown, wanted, reduction="batchmean", log_target=True)


class PriorStage:
    """Motion in, motion out, through two codebooks."""

    def __init__(
        self,
        config: PriorConfig,
        training: TakeWindows,
        held_out: TakeWindows,
        mesh: FaceMesh,
        judges: "PriorJudges | None" = None,
    ) -> None:
        self.config, self.training, self.held_out, self.mesh = config, training, held_out, mesh
        self.face, self.lips = QuickMesh(mesh), QuickMesh(mesh, mesh.is_lip)
        self.gap = LipGap(load_profile())
        self.spread = training.spread().clamp(min=_LEAST_SPREAD)
        self.prior = MotionPrior(config.shape)
        self.judges = judges
        if judges:
            judges.eval().requires_grad_(False)
            self.reader = QuickReader(judges.reader, some_points(mesh, mesh.is_lip))

    @property
    def network(self) -> nn.Module:
        return self.prior

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.config.shape), "training_seconds": round(self.training.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        config = self.config
        windows = self.training.draw(config.rows, config.frames, random)
        made = self.prior(windows.motion)
        gap = self.gap(windows.motion)
        shut = (gap < SHUT_GAP) & (windows.classes != SILENCE)
        meeting = 1.0 + config.contacts * shut
        terms = {
            "face": config.face * self.face(made.motion, windows.motion).mean(),
            "lips": config.lips * (meeting * self.lips(made.motion, windows.motion)).mean(),
        }
        if config.gap:
            terms["gap"] = config.gap * (meeting * (self.gap(made.motion) - gap).square()).mean()
        if config.coefficients:
            terms["coefficients"] = config.coefficients * ((made.motion - windows.motion) / self.spread).square().mean()
        terms["commitment"] = config.commitment * made.commitment
        if self.judges:
            terms["emotion"] = config.emotion * self.judges.emotion_lost(made.motion, windows.motion)
            terms["reading"] = config.reading * quick_reading_loss(self.reader, made.motion, windows.motion)
        return terms

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Mean errors in mm on held-out takes, frames shut of those that are, and how many codes are in use."""
        errors, lips, worst, top, bottom, shut, closed = [], [], [], [], [], [], []
        for window in self.held_out.in_order(self.config.validation_frames):
            made = network(window.motion)
            distance = point_errors_mm(self.mesh(made.motion), self.mesh(window.motion))
            errors.append(distance.mean(dim=(1, 2)))
            lips.append(distance[..., self.mesh.is_lip].mean(dim=(1, 2)))
            worst.append(distance[..., self.mesh.is_lip].amax(dim=-1).mean(dim=1))
            closed.append(((self.gap(window.motion) < SHUT_GAP) & (window.classes != SILENCE)).flatten())
            shut.append((self.gap(made.motion) < SHUT_GAP).flatten())
            top.append(made.top_codes.flatten())
            bottom.append(made.bottom_codes.flatten())
        prior = self.prior
        return {
            "face_mm": float(torch.cat(errors).mean()),
            "lips_mm": float(torch.cat(lips).mean()),
            "lips_worst_mm": float(torch.cat(worst).mean()),
            "frames_shut": float(torch.cat(shut)[torch.cat(closed)].float().mean()),
            "top_perplexity": float(prior.top_codebook.perplexity(torch.cat(top))),
            "bottom_perplexity": float(prior.bottom_codebook.perplexity(torch.cat(bottom))),
            "top_codes": float(len(torch.unique(torch.cat(top)))),
            "bottom_codes": float(len(torch.unique(torch.cat(bottom)))),
        }
