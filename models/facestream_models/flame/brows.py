"""Eyebrows: two thin strips that lie on the skin and follow it.

MakeHuman's brows are hair cards outside the wheel. A strip vertex is a mix of the three corners of the skin
triangle under it, so every target moves it with the skin, plus a fixed lift of half a millimetre. Decimetres.
"""

from dataclasses import dataclass

import numpy as np

from facestream_models.flame.head import Float64, Int64

LENGTHWISE, ACROSS = 25, 5
_CENTRE_LINE = np.array([[-0.185, 0.155], [-0.07, 0.195], [0.06, 0.222], [0.15, 0.195], [0.235, 0.135]])
"""From nose to temple: sideways and upwards from the centre of the eye."""

_HALF_WIDTHS = (0.022, 0.034, 0.032, 0.022, 0.006)
_LIFT = 0.006


@dataclass(frozen=True)
class Strip:
    """`corners` [P, 3] skin vertices and `shares` [P, 3] of each point; `lift` [P, 3]; `triangles` [T, 3]."""

    corners: Int64
    shares: Float64
    lift: Float64
    triangles: Int64


def lay_brow(
    vertices: Float64, skin: Int64, eye: Float64, *, lengthwise: int = LENGTHWISE, across: int = ACROSS
) -> Strip:
    """The brow above `eye` [3], on the `skin` triangles [T, 3] of `vertices` [N, 3].

    Its points run across from the eye upwards, `across` of them at each of `lengthwise` places from nose to temple.
    """
    outwards = np.sign(eye[0])
    knots = np.linspace(0, 1, len(_CENTRE_LINE))
    along = np.linspace(0, 1, lengthwise)
    centre = np.stack([np.polyval(np.polyfit(knots, _CENTRE_LINE[:, axis], 3), along) for axis in (0, 1)], axis=1)
    tangent = np.gradient(centre, axis=0)
    upwards = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    width = np.interp(along, knots, _HALF_WIDTHS)
    offsets = np.linspace(-1, 1, across)
    flat = centre[:, None] + upwards[:, None] * (width[:, None] * offsets)[..., None]
    places = eye[:2] + flat.reshape(-1, 2) * [outwards, 1.0]
    corners, shares = _under(places, vertices, skin)
    # Highest along the middle, at the skin's level along the rim: no visible edge from the side.
    rise = np.broadcast_to(_LIFT * (1.2 - offsets**2), (lengthwise, across)).reshape(-1, 1)
    normal = _normals(vertices[corners])
    return Strip(corners, shares, normal * rise, _grid(lengthwise, across, mirrored=outwards < 0))


def _under(places: Float64, vertices: Float64, skin: Int64) -> tuple[Int64, Float64]:
    """Foremost skin triangle at each place [P, 2] (x, y) and the barycentric shares there."""
    a, b, c = (vertices[skin[:, i]] for i in range(3))
    area = _cross(b - a, c - a)
    forward = np.abs(area) > 1e-9
    corners, shares = [], []
    for x, y in places:
        p = np.array([x, y, 0.0])
        weights = np.stack([_cross(b - p, c - p), _cross(c - p, a - p), _cross(a - p, b - p)], axis=1)
        weights = weights / np.where(forward, area, np.inf)[:, None]
        hit = forward & (weights >= -1e-9).all(axis=1)
        depth = np.where(hit, (weights * np.stack([a[:, 2], b[:, 2], c[:, 2]], axis=1)).sum(axis=1), -np.inf)
        best = int(np.argmax(depth))
        corners.append(skin[best])
        shares.append(weights[best])
    return np.array(corners), np.array(shares)


def _cross(u: Float64, v: Float64) -> Float64:
    area: Float64 = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return area


def _normals(corner: Float64) -> Float64:
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True))


def _grid(lengthwise: int, across: int, *, mirrored: bool) -> Int64:
    corner = (np.arange(lengthwise - 1)[:, None] * across + np.arange(across - 1)).ravel()
    quads = np.stack([corner, corner + across, corner + across + 1, corner + 1], axis=1)
    if mirrored:
        quads = quads[:, ::-1]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)
