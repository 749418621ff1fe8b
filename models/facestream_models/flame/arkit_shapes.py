"""The 52 ARKit shapes of the open head: face units made symmetric, rigid where bone moves, and lips that meet.

The face units are used as their author drew them, with four corrections, each applied to the whole set alike:

1. left and right twins become mirror images (they differ by up to 0.6 mm in the source);
2. the upper teeth never move, the lower teeth move with the jaw only, each eyeball turns rigidly about its centre;
3. `mouthClose` is corrected by up to 0.4 mm along the slit so that `jawOpen = mouthClose` brings the lips together
   at every opening;
4. the tongue lies flat in the floor of the mouth when the jaw is open, and `tongueOut` goes far enough to be seen.
"""

import numpy as np
from scipy.sparse import csr_array

from facestream.curves import ARKIT_NAMES, INDEX, MIRROR_PAIRS
from facestream_models.flame.head import Float64, Int64
from facestream_models.flame.mouth_rings import MouthRings

JAW_SHAPES = ("jawOpen", "jawForward", "jawLeft", "jawRight")
_SPREAD_STEPS = 30
_TONGUE_FLATNESS, _TONGUE_BACK, _TONGUE_RISE = 0.7, 0.09, 0.02
_TONGUE_DROP, _TONGUE_REACH = 0.35, 1.6
_TONGUE_NARROWING, _TONGUE_LIFT = 0.35, 0.12


def mirrored(displacements: Float64, mirror: Int64) -> Float64:
    """Displacements [..., N, 3] of the other side of the face."""
    flipped: Float64 = displacements[..., mirror, :] * np.array([-1.0, 1.0, 1.0])
    return flipped


def made_symmetric(shapes: Float64, mirror: Int64) -> Float64:
    """The mean of each shape [52, N, 3] and the mirror image of its twin (of itself where it has none)."""
    twin = {name: name for name in ARKIT_NAMES}
    twin |= dict(MIRROR_PAIRS) | {right: left for left, right in MIRROR_PAIRS}
    order = [INDEX[twin[name]] for name in ARKIT_NAMES]
    return (shapes + mirrored(shapes[order], mirror)) / 2


def keep_teeth_on_bone(shapes: Float64, upper: Int64, lower: Int64) -> None:
    """Stop the teeth in every shape but, for the lower ones, those of the jaw. In place."""
    shapes[:, upper] = 0
    others = [index for index, name in enumerate(ARKIT_NAMES) if name not in JAW_SHAPES]
    shapes[np.array(others)[:, None], lower] = 0


def rest_tongue(body: Float64, tongue: Int64) -> None:
    """Lay the tongue behind the lower teeth, flatter than MakeHuman has it (it fills the mouth). In place, dm."""
    floor = body[tongue, 1].min()
    body[tongue, 1] = floor + _TONGUE_FLATNESS * (body[tongue, 1] - floor) + _TONGUE_RISE
    body[tongue, 2] -= _TONGUE_BACK


def move_tongue(shapes: Float64, body: Float64, tongue: Int64) -> None:
    """Press the tongue down as the jaw opens, and let `tongueOut` reach past the lips from its new rest. In place."""
    height = body[tongue, 1] - body[tongue, 1].min()
    shapes[INDEX["jawOpen"], tongue, 1] -= _TONGUE_DROP * height
    out = shapes[INDEX["tongueOut"]]
    out[tongue] *= _TONGUE_REACH
    forward = np.clip(out[tongue, 2], 0, None)
    out[tongue, 0] -= _TONGUE_NARROWING * body[tongue, 0] * forward / forward.max()
    out[tongue, 1] += _TONGUE_LIFT * forward


def close_lips(shapes: Float64, vertices: Float64, rings: MouthRings, adjacency: csr_array) -> float:
    """Make lower and upper lip travel together under jawOpen + mouthClose, by correcting mouthClose. In place.

    `adjacency` [N, N] averages over a vertex' neighbours (rows sum to 1); the correction fades with it into the
    lips. Returns the largest gap change that was corrected, in the units of `vertices`.
    """
    together = shapes[INDEX["jawOpen"]] + shapes[INDEX["mouthClose"]]
    upper, lower = rings.upper, rings.lower
    apart = (
        np.stack(
            [np.interp(vertices[lower, 0], vertices[upper, 0], together[upper, axis]) for axis in range(3)], axis=1
        )
        - together[lower]
    )
    fixed = np.concatenate([upper, lower])
    correction = np.zeros_like(vertices)
    correction[lower] = apart
    for _ in range(_SPREAD_STEPS):
        kept = correction[fixed]
        correction = 0.9 * (adjacency @ correction)
        correction[fixed] = kept
    shapes[INDEX["mouthClose"]] += correction
    return float(np.abs(apart).max())
