"""The part of a head that speaks, as points in millimetres: what motion errors and losses are measured on.

Coefficients are no measure of a face: a unit of one moves the lips by millimetres, a unit of another nothing at all.
All of the lips and an even sample of the skin that any coefficient moves are enough, at a tenth of the cost of a head.
"""

import numpy as np
import torch
from torch import Tensor, nn

from facestream.retarget.profile import shipped_profile_path
from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.flame.head import JAW, Head, load_head
from facestream_models.flame.layer import rotation_matrices

_MILLIMETRES = 1000.0
_STILL_MM = 1.0
_NOSE_TIP = "ibug_30"


class FaceMesh(nn.Module):
    """Points of a head with a neutral identity: `motion` [..., 53 or more] (expression, jaw) -> [..., V, 3] in mm.

    Linear in the expression, a rotation of the jaw (FLAME without pose correctives, as the open head is). `is_lip` [V]
    marks the points of the lips, `is_upper` [V] those above the tip of the nose. Nothing to train; differentiable.
    """

    points: Tensor
    expression: Tensor
    share_of_jaw: Tensor
    joint: Tensor
    is_lip: Tensor
    is_upper: Tensor

    def __init__(self, head: Head, skin_points: int = 400) -> None:
        super().__init__()
        if head.pose_dirs is not None:
            raise ValueError("heads with pose correctives need the whole FLAME layer: their points are not kept apart")
        chosen, is_lip = _moving_points(head, skin_points)
        for name, value in (
            ("points", head.template[chosen] * _MILLIMETRES),
            ("expression", head.expression_dirs[chosen].transpose(2, 0, 1) * _MILLIMETRES),
            ("share_of_jaw", head.skinning[chosen, JAW, None]),
            ("joint", head.joints[JAW] * _MILLIMETRES),
            ("is_lip", is_lip),
            ("is_upper", head.template[chosen, 1] > head.template[head.landmarks[_NOSE_TIP], 1]),
        ):
            kind = np.bool_ if value.dtype == np.bool_ else np.float32
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, dtype=kind)), persistent=False)

    def forward(self, motion: Tensor) -> Tensor:
        expression = motion[..., :EXPRESSION_COUNT]
        jaw = motion[..., EXPRESSION_COUNT : EXPRESSION_COUNT + JAW_COUNT]
        count, points = self.expression.shape[0], self.expression.shape[1]
        moved = (expression @ self.expression.reshape(count, -1)).reshape(*expression.shape[:-1], points, 3)
        rest = self.points + moved
        turned = (rest - self.joint) @ rotation_matrices(jaw).transpose(-1, -2) + self.joint
        return torch.lerp(rest, turned, self.share_of_jaw)


def shipped_mesh() -> FaceMesh:
    """The face of the shipped head."""
    return FaceMesh(load_head(shipped_profile_path().parent / "open_head.npz"))


def _moving_points(head: Head, skin_points: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of all points of the lips and an even sample of the moving skin, and which of them are lips."""
    lips = head.part_vertices("lips")
    skin = np.setdiff1d(head.part_vertices("skin"), lips)
    reach = _MILLIMETRES * np.linalg.norm(head.expression_dirs[skin], axis=1).max(axis=1)
    moving = skin[(reach > _STILL_MM) | (head.skinning[skin, JAW] > 0.02)]
    sample = moving[np.linspace(0, len(moving) - 1, min(skin_points, len(moving))).round().astype(np.intp)]
    return np.concatenate([lips, sample]), np.arange(len(lips) + len(sample)) < len(lips)


def point_errors_mm(predicted: Tensor, true: Tensor) -> Tensor:
    """Distance of each point [..., V] between two runs of points [..., V, 3]."""
    distance: Tensor = torch.linalg.vector_norm(predicted - true, dim=-1)
    return distance
