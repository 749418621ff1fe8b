"""Visemes: the 15 of Oculus as a second reading of the face, for rigs that know no ARKit shapes.

There is no standard table between the two. Here each viseme is a sparse ARKit pose, and its weight is how much of that
pose a frame holds: non-negative least squares over mouth and jaw, the sum at most 1, silence the rest.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.types import Float32

Float64 = npt.NDArray[np.float64]

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""Names in the order of Oculus; column `V` of every viseme array."""

MESH_NAMES = tuple("viseme_" + {"ih": "I", "oh": "O", "ou": "U"}.get(name, name) for name in VISEMES)
"""The same as morph targets of avatars are called."""

_POSES: dict[str, dict[str, float]] = {
    "PP": {"mouthClose": 0.05, "mouthPress*": 0.5, "mouthRollLower": 0.25, "mouthRollUpper": 0.25},
    "FF": {"mouthRollLower": 0.55, "mouthUpperUp*": 0.25, "jawOpen": 0.05},
    "TH": {"jawOpen": 0.15, "tongueOut": 0.35, "mouthUpperUp*": 0.1},
    "DD": {"jawOpen": 0.12, "mouthUpperUp*": 0.15, "mouthLowerDown*": 0.2},
    "kk": {"jawOpen": 0.2, "mouthStretch*": 0.15, "mouthLowerDown*": 0.1},
    "CH": {"mouthFunnel": 0.5, "jawOpen": 0.1, "mouthPucker": 0.15, "mouthUpperUp*": 0.1},
    "SS": {"mouthStretch*": 0.3, "mouthLowerDown*": 0.25, "mouthUpperUp*": 0.1, "jawOpen": 0.04},
    "nn": {"jawOpen": 0.1, "mouthUpperUp*": 0.1, "mouthLowerDown*": 0.08},
    "RR": {"mouthFunnel": 0.3, "mouthPucker": 0.25, "jawOpen": 0.1},
    "aa": {"jawOpen": 0.65, "mouthLowerDown*": 0.2},
    "E": {"jawOpen": 0.3, "mouthSmile*": 0.2, "mouthStretch*": 0.2, "mouthLowerDown*": 0.2},
    "ih": {"jawOpen": 0.18, "mouthSmile*": 0.35, "mouthStretch*": 0.15},
    "oh": {"jawOpen": 0.4, "mouthFunnel": 0.55},
    "ou": {"jawOpen": 0.12, "mouthPucker": 0.7, "mouthFunnel": 0.2},
}
"""The poses of engine-formats section 6; `*` stands for both sides. Silence is no pose."""


def _basis() -> Float32:
    basis = np.zeros((len(VISEMES), CURVE_COUNT), np.float32)
    for name, pose in _POSES.items():
        for curve, weight in pose.items():
            for side in ("Left", "Right") if curve.endswith("*") else ("",):
                basis[VISEMES.index(name), INDEX[curve.removesuffix("*") + side]] = weight
    return basis


BASIS = _basis()
"""ARKit pose `[V, C]` of each full viseme; silence is zero."""

MOUTH = np.array([name.startswith(("jaw", "mouth", "tongue")) for name in ARKIT_NAMES])
"""Columns `[C]` that visemes speak of; the rest of the face is left to ARKit shapes."""


_TOLERANCE = 1e-9

VOWELS = ("aa", "ih", "ou", "E", "oh")
"""Those that VRM avatars have, in VRM's order."""

_VOWEL_COLUMNS = [VISEMES.index(name) for name in VOWELS]


def _vowel_sets() -> Float64:
    """What makes, of the products with the poses, the weights of each set of vowels [sets, 5, 5]; the first is none."""
    poses = BASIS[_VOWEL_COLUMNS][:, MOUTH].astype(np.float64)
    gram, sets = poses @ poses.T, []
    for chosen in product((False, True), repeat=len(VOWELS)):
        places = np.flatnonzero(chosen)
        inverse = np.zeros_like(gram)
        inverse[np.ix_(places, places)] = np.linalg.inv(gram[np.ix_(places, places)])
        sets.append(inverse)
    return np.stack(sets)


_VOWEL_SETS = _vowel_sets()


def visemes_of(weights: Float32) -> Float32:
    """Viseme weights `[F, V]` of ARKit weights `[F, C]`: each 0..1, their sum 1 with silence."""
    poses = BASIS[1:, MOUTH].astype(np.float64)
    found = _nonnegative(poses @ poses.T, weights[:, MOUTH].astype(np.float64) @ poses.T)
    found /= np.maximum(found.sum(axis=1, keepdims=True), 1.0)
    silence = np.maximum(1.0 - found.sum(axis=1, keepdims=True), 0.0)
    return np.concatenate([silence, found], axis=1).astype(np.float32)


def vowels_of(weights: Float32) -> Float32:
    """Weights `[F, 5]` of `VOWELS` alone, for rigs without other shapes of the mouth: each 0..1, their sum at most 1.

    The nearest pose that vowels can make, not the share of vowels among all visemes: where a consonant opens the mouth,
    a vowel must. Fast enough for one frame at a time: the best of the solutions for all 31 sets of vowels.
    """
    poses = BASIS[_VOWEL_COLUMNS][:, MOUTH].astype(np.float64)
    wanted = weights[:, MOUTH].astype(np.float64) @ poses.T
    found = np.einsum("sij,fj->fsi", _VOWEL_SETS, wanted)
    gain = np.where((found >= 0.0).all(axis=2), np.einsum("fsi,fi->fs", found, wanted), -1.0)
    best = found[np.arange(len(found)), gain.argmax(axis=1)]
    return np.asarray(best / np.maximum(best.sum(axis=1, keepdims=True), 1.0), np.float32)


def _nonnegative(gram: Float64, wanted: Float64) -> Float64:
    """X `[F, N]` >= 0 that minimises x G x / 2 - x w for `gram` G `[N, N]` and each row w of `wanted` `[F, N]`.

    The active sets of Lawson and Hanson (Solving Least Squares Problems, chapter 23), of all rows at once: the poses
    are too much alike for descent along gradients or coordinates, which still errs by .15 after 300 sweeps.
    """
    count = len(gram)
    found, free = np.zeros_like(wanted), np.zeros(wanted.shape, bool)
    is_open, is_settled = np.ones((2, len(wanted)), bool)
    for _ in range(4 * count):  # random faces need 15
        pull = np.where(free, -np.inf, wanted - found @ gram)
        is_open &= ~is_settled | (pull.max(axis=1) > _TOLERANCE)
        if not is_open.any():
            break
        grows = np.flatnonzero(is_open & is_settled)
        free[grows, pull[grows].argmax(axis=1)] = True
        rows = np.flatnonzero(is_open)
        best = _free_solution(gram, wanted[rows], free[rows])
        is_low = free[rows] & (best <= 0.0)
        gone = np.where(is_low, found[rows] / np.maximum(found[rows] - best, 1e-30), 1.0)
        share = gone.min(axis=1, keepdims=True)
        free[rows] &= ~(is_low & (gone <= share))
        found[rows] = np.where(free[rows], found[rows] + share * (best - found[rows]), 0.0)
        is_settled[rows] = ~is_low.any(axis=1)
    return found


def _free_solution(gram: Float64, wanted: Float64, free: npt.NDArray[np.bool_]) -> Float64:
    """The minimum `[F, N]` over the free entries of each row; zero elsewhere."""
    both = free[:, :, None] & free[:, None, :]
    system = np.where(both, gram, np.eye(len(gram)))
    return np.linalg.solve(system, np.where(free, wanted, 0.0)[:, :, None])[:, :, 0]
