"""Named vertices of the open head: five pairs across the lips, the corners of the mouth, and the 68 of iBUG.

The 68 (Sagonas et al. 2013: jaw line 0-16, brows 17-26, nose 27-35, eyes 36-47, outer lips 48-59, inner lips 60-67;
each group from the subject's right to left, eyes and lips clockwise as the viewer sees them) are found by geometry:
they are the nearest vertices to what the definition asks for, not hand-placed points, good to about 3 mm.
"""

import numpy as np

from facestream_models.flame.crop import Crop, sphere_of
from facestream_models.flame.head import Float64, Int64
from facestream_models.flame.mouth_rings import LIP_RINGS, MouthRings

_GAP_PLACES = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Where the lip gap is measured, as a share of the half width of the mouth."""

_LID_REACH = 0.0012
"""Metres above the eyeball within which the lids' margin lies."""

_OUTER_SHARES, _INNER_SHARES = (-0.68, -0.3, 0.0, 0.3, 0.68), (-0.4, 0.0, 0.4)
_NOSTRIL_SHARES = (-1.0, -0.5, 0.0, 0.5, 1.0)
_NOSTRIL_WIDTH = 0.0145
_NOSTRIL_RISE = np.array([0.0, 0.005, -0.004])
"""Metres from below the septum to the outer foot of the wings of the nose."""


def place_landmarks(template: Float64, crop: Crop, rings: MouthRings) -> dict[str, int]:
    """Landmark name -> vertex index."""
    upper, lower = crop.index_of(rings.upper), crop.index_of(rings.lower)
    half_width = np.abs(template[upper, 0]).max()
    found: dict[str, int] = {}
    for number, place in enumerate(_GAP_PLACES):
        for name, lip in (("upper", upper), ("lower", lower)):
            found[f"lip_{name}_{number}"] = int(lip[np.argmin(np.abs(template[lip, 0] - place * half_width))])
    both = np.union1d(upper, lower)
    found["mouth_corner_right"] = int(both[np.argmin(template[both, 0])])
    found["mouth_corner_left"] = int(both[np.argmax(template[both, 0])])

    points = np.concatenate([group(template, crop) for group in (_jaw_line, _brows, _nose, _eyes)])
    skin, _ = _surface(template, crop)
    ids = [_nearest(template, skin, point) for point in points]
    ids += _outer_lips(template, crop, rings)
    ids += _around(template, upper, lower, _INNER_SHARES)
    return found | {f"ibug_{number:02d}": vertex for number, vertex in enumerate(ids)}


def _nearest(template: Float64, among: Int64, point: Float64) -> int:
    return int(among[np.argmin(np.linalg.norm(template[among] - point, axis=1))])


def _surface(template: Float64, crop: Crop) -> tuple[Int64, Float64]:
    skin = np.unique(crop.parts["skin"])
    return skin, template[skin]


def _jaw_line(template: Float64, crop: Crop) -> Float64:
    """17 points from ear to ear under the chin: the outline of the lower face seen from the front."""
    _, places = _surface(template, crop)
    front = places[(places[:, 2] > -0.005) & (places[:, 1] < 0.03)]
    midline = front[(np.abs(front[:, 0]) < 0.002) & (front[:, 1] < -0.05) & (front[:, 2] > 0.02)]
    chin = midline[np.argmin(midline[:, 1])]
    middle = np.array([0.0, 0.015])
    angles = np.linspace(-np.pi / 2, np.pi / 2, 17)
    line = []
    for angle in angles:
        ray = np.array([np.sin(angle), -np.cos(angle)])
        offset = front[:, :2] - middle
        along = offset @ ray
        aside = np.abs(offset @ np.array([-ray[1], ray[0]]))
        # The neck lies below the chin and further back: it is no outline of the face.
        face = (aside < 0.006) & (front[:, 1] > chin[1] - 0.002) & (np.abs(front[:, 0]) < 0.078)
        line.append(front[face][np.argmax(along[face])])
    return np.array(line)


def _brows(template: Float64, crop: Crop) -> Float64:
    brow = template[np.unique(crop.parts["brows"])]
    points = []
    for side, shares in ((-1, (1.0, 0.75, 0.5, 0.25, 0.0)), (1, (0.0, 0.25, 0.5, 0.75, 1.0))):
        half = brow[side * brow[:, 0] > 0]
        reach = np.abs(half[:, 0])
        for share in shares:
            at = reach.min() + share * np.ptp(reach)
            points.append(half[np.abs(reach - at) < 0.003].mean(axis=0))
    return np.array(points)


def _nose(template: Float64, crop: Crop) -> Float64:
    """Bridge 27-30 down to the tip, then 31-35 along its base."""
    _, places = _surface(template, crop)
    midline = places[(np.abs(places[:, 0]) < 0.002) & (np.abs(places[:, 1]) < 0.035) & (places[:, 2] > 0.03)]
    tip = midline[np.argmax(midline[:, 2])]
    heights = np.linspace(0.028, tip[1], 4)
    bridge = [midline[np.argmin(np.abs(midline[:, 1] - height) - 0.05 * midline[:, 2])] for height in heights]
    below = midline[(midline[:, 1] < tip[1]) & (midline[:, 1] > tip[1] - 0.02)]
    base = below[np.argmin(below[:, 2])]
    aside = np.array([_NOSTRIL_WIDTH, 0, 0])
    base_line = [base + share * aside + abs(share) * _NOSTRIL_RISE for share in _NOSTRIL_SHARES]
    return np.array([*bridge, *base_line])


def _eyes(template: Float64, crop: Crop) -> Float64:
    """Corner, two above, corner, two below; the right eye first."""
    _, places = _surface(template, crop)
    points = []
    for side in ("right", "left"):
        centre, radius = sphere_of(template[np.unique(crop.parts[f"white_{side}"])])
        near = (np.linalg.norm(places - centre, axis=1) < radius + _LID_REACH) & (places[:, 2] > centre[2])
        lid = places[near]
        corners = lid[[np.argmin(lid[:, 0]), np.argmax(lid[:, 0])]]
        for ends, above in ((corners, True), (corners[::-1], False)):
            points.append(ends[0])
            for share in (1 / 3, 2 / 3):
                x = ends[0, 0] + share * (ends[1, 0] - ends[0, 0])
                column = lid[(np.abs(lid[:, 0] - x) < 0.003) & ((lid[:, 1] > centre[1]) == above)]
                # The margin is the part of the lid that lies nearest to the opening.
                points.append(column[np.argmin(np.abs(column[:, 1] - centre[1]))])
    return np.array(points)


def _outer_lips(template: Float64, crop: Crop, rings: MouthRings) -> list[int]:
    border = crop.index_of(np.flatnonzero(rings.lip_ring == LIP_RINGS - 1))
    middle = template[crop.index_of(rings.upper), 1].mean()
    return _around(template, border[template[border, 1] >= middle], border[template[border, 1] < middle], _OUTER_SHARES)


def _around(template: Float64, upper: Int64, lower: Int64, shares: tuple[float, ...]) -> list[int]:
    """Right corner, along the upper lip, left corner, back along the lower lip."""
    both = np.concatenate([upper, lower])
    right, left = both[np.argmin(template[both, 0])], both[np.argmax(template[both, 0])]
    half_width = (template[left, 0] - template[right, 0]) / 2

    def at(lip: Int64, share: float) -> int:
        return int(lip[np.argmin(np.abs(template[lip, 0] - share * half_width))])

    return [int(right), *(at(upper, share) for share in shares), int(left), *(at(lower, -share) for share in shares)]
