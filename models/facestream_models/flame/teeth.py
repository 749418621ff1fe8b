"""Two dental arches: fourteen rounded crowns and a strip of gum each.

MakeHuman's teeth are one bent band of 48 quads and hide behind the lips. These take their place: crowns along a
half ellipse, sized after the mean crown widths of adults (Wheeler's Dental Anatomy), edges just below the line
where the lips meet, so that a parted mouth shows the upper teeth and an open one both rows. Decimetres.
"""

from dataclasses import dataclass

import numpy as np

from facestream_models.flame.head import Float64, Int64

_UPPER_WIDTHS = (0.085, 0.066, 0.076, 0.070, 0.068, 0.100, 0.095)
_LOWER_WIDTHS = (0.054, 0.059, 0.070, 0.071, 0.071, 0.108, 0.103)
_HEIGHTS = (0.098, 0.086, 0.096, 0.080, 0.076, 0.070, 0.066)
"""Crowns from the middle outwards: width along the arch, and height above the gum."""

_ARCH_HALF_WIDTH, _ARCH_DEPTH = 0.265, 0.46
_THICKNESS = 0.065
_GUM_HEIGHT = 0.075
_SETBACK = 0.068
"""From the slit of the lips back to the front of the upper teeth; the lips' inner side is 0.02 to 0.03 behind it."""

_LOWER_BEHIND = 0.03
_UPPER_EDGE, _LOWER_EDGE = -0.028, -0.022
"""Cutting edges above (+) the slit; the upper row covers the lower one a little."""

_COLUMNS = np.array([0.04, 0.2, 0.5, 0.8, 0.96])
_ROUNDING = np.array([0.016, 0.004, 0.0, 0.004, 0.016])
"""Across a crown: places along its width, and how far the surface falls back there."""


@dataclass(frozen=True)
class Arch:
    """`points` [P, 3]; `crowns` and `gums` [T, 3] index them."""

    points: Float64
    crowns: Int64
    gums: Int64


def upper_arch(slit: Float64) -> Arch:
    """The upper row for lips that meet at `slit` [3] (middle of the mouth)."""
    return _arch(slit + np.array([0, _UPPER_EDGE, -_SETBACK]), _UPPER_WIDTHS, upwards=1.0)


def lower_arch(slit: Float64) -> Arch:
    """The lower row."""
    return _arch(slit + np.array([0, _LOWER_EDGE, -_SETBACK - _LOWER_BEHIND]), _LOWER_WIDTHS, upwards=-1.0)


def _arch(edge: Float64, half_widths: tuple[float, ...], upwards: float) -> Arch:
    widths = np.array([*half_widths[::-1], *half_widths])
    heights = np.array([*_HEIGHTS[::-1], *_HEIGHTS])
    starts = np.concatenate([[0.0], np.cumsum(widths)]) - widths.sum() / 2
    points: list[Float64] = []
    crowns: list[Int64] = []
    count = 0
    for start, width, height in zip(starts[:-1], widths, heights, strict=True):
        place, outwards = _along_arch(start + width * _COLUMNS)
        profile = [  # up from the cutting edge, out from the arch
            (height * 1.12, -0.6 * _THICKNESS),
            (height, -0.012),
            (height * 0.55, 0.0),
            (0.012, -0.006),
            (0.0, -0.02),
            (0.004, -_THICKNESS * 0.7),
            (height * 0.9, -_THICKNESS),
        ]
        scallop = np.array([0.80, 0.95, 1.0, 0.95, 0.80])
        for up, out in profile:
            rise = upwards * (up * (scallop if up > height * 0.8 else 1.0) + (_ROUNDING * 0.6 if up < 0.02 else 0))
            row = place + outwards * (out - _ROUNDING)[:, None]
            row[:, 1] += rise
            points.append(row)
        crowns.append(count + _grid(len(profile), len(_COLUMNS), turned=upwards < 0))
        count += len(profile) * len(_COLUMNS)

    along = np.linspace(starts[0] - 0.02, starts[-1] + 0.02, 57)
    place, outwards = _along_arch(along)
    gum_line = np.interp(along, (starts[:-1] + starts[1:]) / 2, heights)
    for up, out in ((0.72 * gum_line, -0.03), (0.86 * gum_line, -0.006), (gum_line + _GUM_HEIGHT, 0.0)):
        row = place + outwards * out
        row[:, 1] += upwards * up
        points.append(row)
    gums = count + _grid(3, len(along), turned=upwards > 0)
    return Arch(np.concatenate(points) + edge, np.concatenate(crowns), gums)


def _along_arch(distance: Float64) -> tuple[Float64, Float64]:
    """Points and outward normals [N, 3] at signed `distance` along the arch from its middle."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    x, z = _ARCH_HALF_WIDTH * np.sin(angle), _ARCH_DEPTH * (np.cos(angle) - 1)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    at = np.interp(distance, length - length[-1] / 2, angle)
    zero = np.zeros_like(at)
    points = np.stack([_ARCH_HALF_WIDTH * np.sin(at), zero, _ARCH_DEPTH * (np.cos(at) - 1)], axis=1)
    normals = np.stack([np.sin(at) / _ARCH_HALF_WIDTH, zero, np.cos(at) / _ARCH_DEPTH], axis=1)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _grid(rows: int, columns: int, *, turned: bool) -> Int64:
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    quads = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1)
    if not turned:
        quads = quads[:, ::-1]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)
