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

from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.deeptalk.stages.windows import TakeWindows
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig


@dataclass(frozen=True)
class PriorConfig:
    """Windows of `frames` (32 in the paper), `rows` of them a batch; weights of the terms.

    Losses are taken on one in `every_point` points of the face, figures on all.
    """

    rows: int = 32
    frames: int = 32
    face: float = 1.0
    lips: float = 1.0
    commitment: float = 1.0
    every_point: int = 4
    validation_frames: int = 64
    run: RunConfig = field(default_factory=RunConfig)
    shape: MotionPriorShape = field(default_factory=MotionPriorShape)


class PriorStage:
    """Motion in, motion out, through two codebooks."""

    def __init__(self, config: PriorConfig, training: TakeWindows, held_out: TakeWindows, mesh: FaceMesh) -> None:
        self.config, self.training, self.held_out, self.mesh = config, training, held_out, mesh
        self.coarse = some_points(mesh, slice(None, None, config.every_point))
        self.prior = MotionPrior(config.shape)

    @property
    def network(self) -> nn.Module:
        return self.prior

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.config.shape), "training_seconds": round(self.training.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        motion = self.training.draw(self.config.rows, self.config.frames, random).motion
        made = self.prior(motion)
        squares = (self.coarse(made.motion) - self.coarse(motion)).square().sum(dim=-1)
        return {
            "face": self.config.face * squares.mean(),
            "lips": self.config.lips * squares[..., self.coarse.is_lip].mean(),
            "commitment": self.config.commitment * made.commitment,
        }

    def figures(self, network: nn.Module) -> dict[str, float]:
        """Mean errors in mm on held-out takes, and how many codes are in use."""
        errors, lips, worst, top, bottom = [], [], [], [], []
        for window in self.held_out.in_order(self.config.validation_frames):
            made = network(window.motion)
            distance = point_errors_mm(self.mesh(made.motion), self.mesh(window.motion))
            errors.append(distance.mean(dim=(1, 2)))
            lips.append(distance[..., self.mesh.is_lip].mean(dim=(1, 2)))
            worst.append(distance[..., self.mesh.is_lip].amax(dim=-1).mean(dim=1))
            top.append(made.top_codes.flatten())
            bottom.append(made.bottom_codes.flatten())
        prior = self.prior
        return {
            "face_mm": float(torch.cat(errors).mean()),
            "lips_mm": float(torch.cat(lips).mean()),
            "lips_worst_mm": float(torch.cat(worst).mean()),
            "top_perplexity": float(prior.top_codebook.perplexity(torch.cat(top))),
            "bottom_perplexity": float(prior.bottom_codebook.perplexity(torch.cat(bottom))),
            "top_codes": float(len(torch.unique(torch.cat(top)))),
            "bottom_codes": float(len(torch.unique(torch.cat(bottom)))),
        }
