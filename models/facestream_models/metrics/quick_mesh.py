"""Squared distance between two motions in square millimetres without making a mesh of either, for losses.

Around one pose a face moves linearly, so the mean square over its points is a quadratic form of what two motions
differ by: 53 numbers a frame in place of thousands. On the mean of frames that talk it is within a twentieth of the
true value.
"""

import torch
from torch import Tensor, nn

from facestream.types import EXPRESSION_COUNT, JAW_COUNT
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.some_points import some_points

_COEFFICIENTS = EXPRESSION_COUNT + JAW_COUNT
_OPEN = 0.08
"""Radians: a jaw half way between shut and a vowel."""


class QuickMesh(nn.Module):
    """Two motions [..., 53] -> mean square [...] over the `chosen` points of `mesh` (a mask [V]; all of them)."""

    root: Tensor

    def __init__(self, mesh: FaceMesh, chosen: Tensor | None = None) -> None:
        super().__init__()
        seen = mesh if chosen is None else some_points(mesh, chosen)
        slope = slope_of(seen).double()
        values, vectors = torch.linalg.eigh(slope.T @ slope / len(seen.points))
        root = vectors * values.clamp(min=0.0).sqrt()
        self.register_buffer("root", root.float(), persistent=False)

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        return ((made - true) @ self.root).square().sum(dim=-1)


def slope_of(mesh: FaceMesh) -> Tensor:
    """How far each point goes for a unit of each coefficient, [3 V, 53] in mm, around a slightly open mouth."""
    pose = torch.zeros(_COEFFICIENTS)
    pose[EXPRESSION_COUNT] = _OPEN
    slope: Tensor = torch.autograd.functional.jacobian(mesh, pose)  # type: ignore[no-untyped-call]
    return slope.flatten(0, 1)
