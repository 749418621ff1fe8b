"""FLAME as a torch module: coefficients in, vertices out, for any FLAME-format head (Li et al. 2017, equations 1-5).

Shapes: `B` rows, `V` vertices, `S` shape and `E` expression components, `J` = 5 joints.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from facestream_models.flame.head import JAW, JOINT_COUNT, JOINT_PARENTS, LEFT_EYE, NECK, RIGHT_EYE, ROOT, Head


class Pose(NamedTuple):
    """Axis-angles [B, 3] in radians, each optional; a positive first component of `jaw` opens the mouth."""

    root: Tensor | None = None
    neck: Tensor | None = None
    jaw: Tensor | None = None
    left_eye: Tensor | None = None
    right_eye: Tensor | None = None


class FlameLayer(nn.Module):
    """Vertices of one head. Buffers only, nothing to train; differentiable in all inputs."""

    template: Tensor
    shape_dirs: Tensor
    expression_dirs: Tensor
    pose_dirs: Tensor
    joint_regressor: Tensor
    skinning: Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.has_pose_dirs = head.pose_dirs is not None
        self.landmark_vertices = dict(head.landmarks)
        for name in ("template", "shape_dirs", "expression_dirs", "joint_regressor", "skinning"):
            self.register_buffer(name, torch.from_numpy(getattr(head, name)).contiguous(), persistent=False)
        if head.pose_dirs is not None:
            self.register_buffer("pose_dirs", torch.from_numpy(head.pose_dirs).contiguous(), persistent=False)

    def forward(
        self, shape: Tensor | None = None, expression: Tensor | None = None, pose: Pose | None = None
    ) -> Tensor:
        """Vertices [B, V, 3] in metres for `shape` [B, <= S], `expression` [B, <= E] and `pose`.

        Missing inputs are neutral; fewer coefficients than components leave the others at 0. Without any input one
        neutral row comes back.
        """
        pose = pose or Pose()
        rest = self.template[None]
        if shape is not None:
            rest = rest + torch.einsum("vas,bs->bva", self.shape_dirs[:, :, : shape.shape[1]], shape)
        joints = torch.einsum("jv,bva->bja", self.joint_regressor, rest)
        if expression is not None:
            count = expression.shape[1]
            rest = rest + torch.einsum("vae,be->bva", self.expression_dirs[:, :, :count], expression)
        rows = max([rest.shape[0], *(turn.shape[0] for turn in pose if turn is not None)])
        rotations = self._rotations(pose, rows, rest)
        if self.has_pose_dirs:
            # Correctives of the joints below the root, linear in R - 1 (equation 4).
            feature = (rotations[:, 1:] - torch.eye(3, dtype=rest.dtype, device=rest.device)).reshape(rows, -1)
            rest = rest + torch.einsum("vap,bp->bva", self.pose_dirs, feature)
        return self._skinned(rest.expand(rows, -1, -1), joints.expand(rows, -1, -1), rotations)

    def landmarks(self, vertices: Tensor, *names: str) -> Tensor:
        """Positions [B, len(names), 3] of named landmarks on `vertices` [B, V, 3]."""
        return vertices[:, [self.landmark_vertices[name] for name in names]]

    def _rotations(self, pose: Pose, rows: int, like: Tensor) -> Tensor:
        turns = like.new_zeros(rows, JOINT_COUNT, 3)
        by_joint = {ROOT: pose.root, NECK: pose.neck, JAW: pose.jaw, LEFT_EYE: pose.left_eye, RIGHT_EYE: pose.right_eye}
        parts = [turns[:, joint] if turn is None else turn.expand(rows, 3) for joint, turn in sorted(by_joint.items())]
        return rotation_matrices(torch.stack(parts, dim=1))

    def _skinned(self, rest: Tensor, joints: Tensor, rotations: Tensor) -> Tensor:
        """Linear blend skinning of `rest` [B, V, 3] by `rotations` [B, J, 3, 3] about `joints` [B, J, 3]."""
        turns: list[Tensor] = []
        places: list[Tensor] = []
        for joint, parent in enumerate(JOINT_PARENTS):
            if parent < 0:
                turns.append(rotations[:, joint])
                places.append(joints[:, joint])
                continue
            offset = joints[:, joint] - joints[:, parent]
            turns.append(turns[parent] @ rotations[:, joint])
            places.append(places[parent] + (turns[parent] @ offset[:, :, None])[:, :, 0])
        turn, place = torch.stack(turns, dim=1), torch.stack(places, dim=1)
        shift = place - (turn @ joints[..., None])[..., 0]
        blended_turn = torch.einsum("vj,bjac->bvac", self.skinning, turn)
        blended_shift = torch.einsum("vj,bja->bva", self.skinning, shift)
        return (blended_turn @ rest[..., None])[..., 0] + blended_shift


def rotation_matrices(axis_angle: Tensor) -> Tensor:
    """Rodrigues' formula: axis-angle [..., 3] -> [..., 3, 3], with gradients that are finite at 0."""
    squared = (axis_angle * axis_angle).sum(-1)[..., None, None]
    small = squared < 1e-8
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    first = torch.where(small, 1 - squared / 6, torch.sin(angle) / angle)
    second = torch.where(small, 0.5 - squared / 24, (1 - torch.cos(angle)) / (angle * angle))
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*axis_angle.shape[:-1], 3, 3)
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    rotation: Tensor = identity + first * cross + second * (cross @ cross)
    return rotation
