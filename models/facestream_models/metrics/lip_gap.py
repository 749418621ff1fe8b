"""The gap between the lips, straight from motion, for losses: what `corpus.coarticulation.lip_gap` says of curves.

For motion that shapes of the head can make it is the same number; of any other it takes the nearest such motion, in
the metric by which the runtime solves weights, but without its bounds.
"""

import numpy as np
import torch
from torch import Tensor, nn

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.retarget.profile import RigProfile

_OPENING = {
    "jawOpen": 1.0, "mouthClose": -1.0, "mouthLowerDownLeft": 0.15, "mouthLowerDownRight": 0.15,
    "mouthUpperUpLeft": 0.125, "mouthUpperUpRight": 0.125,
}  # fmt: skip
_LEAST_MM = 0.02
_RIDGE = 1e-4


class LipGap(nn.Module):
    """`motion` [..., 53] -> gap [...], 0 or more; below 0.04 looks shut. Differentiable where the lips are apart."""

    opening: Tensor

    def __init__(self, profile: RigProfile) -> None:
        super().__init__()
        names = profile.motion_rows()
        weights = dict(zip(profile.row_names, profile.coefficient_weights, strict=True))
        metric = np.sqrt([max(float(weights[name]), _LEAST_MM) for name in names])
        seen = [index for index, name in enumerate(ARKIT_NAMES) if not name.startswith("eyeLook")]
        columns = metric[:, None] * profile.rows(names)[:, seen].astype(np.float64)
        solved = np.linalg.solve(columns.T @ columns + _RIDGE * np.eye(len(seen)), columns.T * metric)
        row = np.zeros(CURVE_COUNT)
        for name, share in _OPENING.items():
            row[INDEX[name]] = share
        self.register_buffer("opening", torch.tensor(row[seen] @ solved, dtype=torch.float32), persistent=False)

    def forward(self, motion: Tensor) -> Tensor:
        return torch.relu(motion @ self.opening)
