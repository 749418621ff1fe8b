"""Array aliases and the two values that travel through the whole pipeline.

Shape legend of the repository: `B` rows, `T` samples, `F` frames, `C` curves (52), `D` features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facestream.curves import CURVE_COUNT

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

State = Mapping[str, Float32]
"""Model state of one stream: name -> array without the batch axis."""

EXPRESSION_COUNT = 50
"""Expression coefficients of a motion vector (FLAME convention, architecture section 3)."""

JAW_COUNT = 3
"""Jaw axis-angle, radians; a positive first component opens the mouth."""

HEAD_COUNT = 3
"""Head rotation as axis-angle, radians, where a model moves the head."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Head and eye rotation beside the curves: quaternions x y z w, right-handed, +Y up, +Z forward.

    Each array has shape `[F, 4]` and is relative to the neutral head.
    """

    head: Float32
    left_eye: Float32
    right_eye: Float32


@dataclass(frozen=True, slots=True)
class Frames:
    """A run of consecutive animation frames of one stream.

    `weights` is `[F, C]` in canonical ARKit order, 0..1. Frame `first_index + i` belongs to the audio
    sample that `timebase.FrameClock.sample_of` names.
    """

    first_index: int
    weights: Float32
    pose: Pose | None = None
    extras: Mapping[str, Float32] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return int(self.weights.shape[0])

    @property
    def end_index(self) -> int:
        """Index of the frame after the last one."""
        return self.first_index + self.count


def joined_frames(runs: Sequence[Frames], curve_count: int = CURVE_COUNT) -> Frames:
    """Consecutive runs of one stream as one; no runs give zero frames.

    Pose and extras are kept where every run has them.
    """
    if not runs:
        return Frames(0, np.zeros((0, curve_count), np.float32))
    poses = [run.pose for run in runs if run.pose is not None]
    pose = None
    if len(poses) == len(runs):
        pose = Pose(
            head=np.concatenate([one.head for one in poses]),
            left_eye=np.concatenate([one.left_eye for one in poses]),
            right_eye=np.concatenate([one.right_eye for one in poses]),
        )
    names = set.intersection(*(set(run.extras) for run in runs))
    return Frames(
        next((run for run in runs if run.count), runs[0]).first_index,
        np.concatenate([run.weights for run in runs]),
        pose,
        {name: np.concatenate([run.extras[name] for run in runs]) for name in sorted(names)},
    )
