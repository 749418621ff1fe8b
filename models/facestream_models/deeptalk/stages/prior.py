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

from facestream_models.corpus.phones import INDEX
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.deeptalk.stages.windows import TakeWindows
from facestream_models.metrics.face_mesh import FaceMesh, point_errors_mm
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import RunConfig

_MEETING = INDEX["PP"]


@dataclass(frozen=True)
class PriorConfig:
    """Windows of `frames` (32 in the paper), `rows` of them a batch; weights of the terms.

    Losses are taken on one in `every_point` points of the face, figures on all. `contacts` is what lips weigh more
    while they must meet. `coefficients` weighs the error of motion itself, in spreads: many coefficients hardly move a
    point, and who judges motion by them must not meet arbitrary ones. `codes_of` names a folder beside the output: a
    prior whose codes, and all that was trained to say them, stay while their decoding is learned anew.
    """

    rows: int = 32
    frames: int = 32
    face: float = 1.0
    lips: float = 1.0
    commitment: float = 1.0
    contacts: float = 0.0
    coefficients: float = 0.0
    codes_of: str = ""
    every_point: int = 4
    validation_frames: int = 64
    run: RunConfig = field(default_factory=RunConfig)
    shape: MotionPriorShape = field(default_factory=MotionPriorShape)


class PriorStage:
    """Motion in, motion out, through two codebooks."""

    def __init__(self, config: PriorConfig, training: TakeWindows, held_out: TakeWindows, mesh: FaceMesh) -> None:
        self.config, self.training, self.held_out, self.mesh = config, training, held_out, mesh
        self.coarse = some_points(mesh, slice(None, None, config.every_point))
        self.spread = training.spread()
        self.prior = MotionPrior(config.shape)
        self._kept: list[nn.Module] = []

    def keep_codes(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with the `weights` of a prior, and let nothing learn but what turns its codes into motion."""
        prior = self.prior
        prior.load_state_dict(weights)
        self._kept = [
            prior.bottom_encoder, prior.top_encoder, prior.top_codebook, prior.top_decoder, prior.bottom_codebook,
        ]  # fmt: skip
        for part in self._kept:
            part.requires_grad_(False)

    @property
    def network(self) -> nn.Module:
        return self.prior

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"shape": asdict(self.config.shape), "training_seconds": round(self.training.seconds)}

    def terms(self, random: np.random.Generator, progress: float) -> dict[str, Tensor]:
        del progress
        config, mesh = self.config, self.coarse
        for part in self._kept:
            part.eval()
        windows = self.training.draw(config.rows, config.frames, random)
        made = self.prior(windows.motion)
        squares = (mesh(made.motion) - mesh(windows.motion)).square().sum(dim=-1)
        meeting = 1.0 + config.contacts * (windows.classes == _MEETING)
        terms = {
            "face": config.face * squares.mean(),
            "lips": config.lips * (meeting * squares[..., mesh.is_lip].mean(dim=2)).mean(),
        }
        if config.coefficients:
            terms["coefficients"] = config.coefficients * ((made.motion - windows.motion) / self.spread).square().mean()
        if not self._kept:
            terms["commitment"] = config.commitment * made.commitment
        return terms

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
