"""What the denoiser is trained for (specification, section 7.2): coefficients, the face in millimetres, the head.

All terms are means of squares over the frames and components that count. The paper measures the face in metres; a
square metre is 1e6 square millimetres, so its weights 2e6, 1e7 and 1e5 are 2, 10 and 0.1 here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from facestream.types import EXPRESSION_COUNT
from facestream_models.diffposetalk.compact import NormalisedMotion
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.metrics.face_mesh import FaceMesh

_AROUND = 3
"""Frames on each side of a seam that the transition looks at."""
_LEAST_REACH = 1e-4
"""Of its square, a hundredth of what is usual of a component."""
_LIVELY, _LEAST_SPEED = 5, 1e-5
"""Frames over which a head's speed is taken, and the least of its square, a hundredth of a slow head's."""


@dataclass(frozen=True)
class LossWeights:
    """Of each term; the paper's, which has none of jerk, liveliness, reach, style and traits."""

    simple: float = 1.0
    vertex: float = 2.0
    velocity: float = 10.0
    smooth: float = 0.1
    head: float = 0.05
    head_velocity: float = 5.0
    head_smooth: float = 0.5
    head_transition: float = 0.5
    head_jerk: float = 0.0
    liveliness: float = 0.0
    reach: float = 0.0
    style: float = 0.0
    traits: float = 0.0


class MotionPoints(nn.Module):
    """Points of the face in mm [B, F, V, 3] of normalised motion [B, F, D], the head held still."""

    def __init__(self, space: NormalisedMotion, mesh: FaceMesh) -> None:
        super().__init__()
        self.space, self.mesh = space, mesh

    def forward(self, motion: Tensor) -> Tensor:
        restored = self.space.restored(motion)
        still = restored.new_zeros(*restored.shape[:2], 2)
        face = torch.cat([restored[..., :EXPRESSION_COUNT], restored[..., -1:], still], dim=2)
        points: Tensor = self.mesh(face)
        return points


def motion_terms(
    made: Tensor, true: Tensor, counts: Tensor, shape: DenoiserShape, points: MotionPoints, weights: LossWeights
) -> dict[str, Tensor]:
    """Weighted terms for motion `made` and `true` [B, F, D], normalised; `counts` [B, F] is 0 beyond the end of a row.

    A difference of frames counts where all of them do; rows end once, so where its last one does.
    """
    here, there = points(made), points(true)
    terms = {
        "simple": weights.simple * mean_square(made - true, counts),
        "vertex": weights.vertex * mean_square(here - there, counts),
        "velocity": weights.velocity * mean_square((here - there).diff(dim=1), counts[:, 1:]),
        "smooth": weights.smooth * mean_square(here.diff(n=2, dim=1), counts[:, 2:]),
    }
    if shape.head_rotation:
        head = made[..., shape.head_components]
        error = head - true[..., shape.head_components]
        terms |= {
            "head": weights.head * mean_square(error, counts),
            "head_velocity": weights.head_velocity * mean_square(error.diff(dim=1), counts[:, 1:]),
            "head_smooth": weights.head_smooth * mean_square(head.diff(n=2, dim=1), counts[:, 2:]),
        }
    if shape.head_rotation and weights.head_jerk > 0.0:
        terms["head_jerk"] = weights.head_jerk * mean_square(error.diff(n=3, dim=1), counts[:, 3:])
    if shape.head_rotation and weights.liveliness > 0.0:
        theirs = true[..., shape.head_components]
        terms["liveliness"] = weights.liveliness * less_lively(head, theirs, counts)
    if weights.reach > 0.0:
        terms["reach"] = weights.reach * sum(
            (less_far(made[..., part], true[..., part], counts) for part in _parts(shape)), start=made.new_zeros(())
        )
    return terms


def head_transition(past: Tensor, made: Tensor, counts: Tensor, shape: DenoiserShape) -> Tensor:
    """How the head goes on from true `past` [B, P, D] into `made` [B, L, D]; `counts` [B, L] as above. Not weighted.

    Over the three frames on each side: the change of velocity at both ends of the step across the seam, and the three
    changes of acceleration.
    """
    across = torch.cat([past[:, -_AROUND:], made[:, :_AROUND]], dim=1)[..., shape.head_components]
    whole = counts[:, _AROUND - 1 : _AROUND]
    turns = across.diff(n=2, dim=1)[:, 1:3]
    jerks = across.diff(n=3, dim=1)
    return mean_square(turns, whole.expand(-1, 2)) + mean_square(jerks, whole.expand(-1, 3))


def less_lively(made: Tensor, true: Tensor, counts: Tensor) -> Tensor:
    """How much faster or slower heads `made` [B, F, 3] are than `true` ones, whichever way they go. Not weighed.

    Speeds are those of `_LIVELY` frames around, root mean square. A network that can not tell which way a nod goes is
    nearest to it, in the mean of squares, with half of it or none; its speed it can tell.
    """
    squares = (head.diff(dim=1).square().sum(dim=2) * counts[:, 1:] for head in (made, true))
    around = (F.avg_pool1d(one[:, None], _LIVELY, 1, _LIVELY // 2) for one in squares)
    ours, theirs = (torch.sqrt(one + _LEAST_SPEED) for one in around)
    return mean_square((ours - theirs).transpose(1, 2), counts[:, 1:])


def less_far(made: Tensor, true: Tensor, counts: Tensor) -> Tensor:
    """How much further or less far components of `made` [B, F, D] go over time than those of `true`. Not weighed."""

    def reach(motion: Tensor) -> Tensor:
        count = counts.sum(dim=1, keepdim=True).clamp(min=1.0)
        share = (counts / count)[:, :, None]
        middle = (share * motion).sum(dim=1, keepdim=True)
        return torch.sqrt((share * (motion - middle).square()).sum(dim=1) + _LEAST_REACH)

    return (reach(made) - reach(true)).square().mean()


def _parts(shape: DenoiserShape) -> list[slice]:
    """The face without the opening of the jaw, and the head where there is one: each counts as one."""
    face = slice(0, EXPRESSION_COUNT)
    return [face, shape.head_components] if shape.head_rotation else [face]


def mean_square(values: Tensor, counts: Tensor) -> Tensor:
    """Mean square of `values` [B, F, ...] over the frames that `counts` [B, F] marks with 1; 0 where it marks none."""
    squares = values.square().flatten(2).mean(dim=2)
    return (squares * counts).sum() / counts.sum().clamp(min=1.0)
