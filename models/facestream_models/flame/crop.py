"""From the MakeHuman body to a head: parts, eyeballs, and a clean cut below the neck.

Everything here is linear in the vertices of the body mesh, so one sparse matrix carries the template and every
target over: rows of kept vertices pick one, rows on the cut mix two, rows of eyeballs and teeth mix the
vertices of the coarse ones that they replace.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from facestream_models.flame.brows import Strip, lay_brow
from facestream_models.flame.head import Float64, Int64
from facestream_models.flame.mouth_rings import LIP_RINGS, SLIT_START, MouthRings
from facestream_models.flame.teeth import Arch, lower_arch, upper_arch

BUST_CENTRE = np.array([0.0, 6.75, 0.2])
BUST_RADIUS = 1.42
BUST_TOP = 6.3
"""Below BUST_TOP only what lies within BUST_RADIUS of BUST_CENTRE is kept (dm): the rounded edge of a bust."""

UPPER_LASHES = 2

_EYE_SEGMENTS = 28
_EYE_ANGLES_DEG = (0, 6, 11.5, 13.5, 19, 25, 27.5, 34, 45, 58, 72, 88, 105, 125)
"""Rings of an eyeball by their angle from the gaze axis; no lid ever shows what lies behind the last."""

_PUPIL_EDGE_DEG, _IRIS_EDGE_DEG = 11.5, 25
_CORNEA_BULGE = 0.055
"""How far the cornea stands out before the sphere, as a share of its radius."""


@dataclass(frozen=True)
class Crop:
    """`carry` [V, N] maps body vertices to head vertices, `lift` [V, 3] is added to them; `parts` name -> triangles
    [T, 3] of the head.

    `source` [V] is the body vertex of a head vertex, -1 for those on the cut, eyeballs and teeth.
    """

    carry: csr_array
    lift: Float64
    parts: dict[str, Int64]
    source: Int64

    def index_of(self, body_vertices: Int64) -> Int64:
        """Head vertices of body vertices that were kept."""
        place = np.full(self.carry.shape[1], -1, np.int64)
        kept = self.source >= 0
        place[self.source[kept]] = np.flatnonzero(kept)
        return place[body_vertices]


def crop_head(vertices: Float64, quads: dict[str, Int64], rings: MouthRings) -> Crop:
    """Cut the head off the body `vertices` [N, 3] (decimetres, average adult)."""
    groups = _skin_groups(quads["body"], rings)
    groups["tongue"] = _triangles(quads["helper-tongue"], vertices)
    # The lower lashes are a dark band as wide as the upper ones; without them the eye looks better.
    lashes = [quads[f"helper-{side}-eyelashes-{UPPER_LASHES}"] for side in "lr"]
    groups["lashes"] = _triangles(np.concatenate(lashes), vertices)
    for name in ("skin", "lips", "mouth"):
        groups[name] = _triangles(groups[name], vertices)

    builder = _Builder(vertices)
    inside = _bust_level(vertices)
    parts = {name: builder.add(triangles, inside) for name, triangles in groups.items()}
    slit = vertices[SLIT_START]
    for row, arch in (("upper", upper_arch(slit)), ("lower", lower_arch(slit))):
        coarse = np.unique(quads[f"helper-{row}-teeth"])
        parts |= {f"{name}_{row}": part for name, part in builder.add_arch(coarse, arch).items()}
    brows = []
    for side in ("left", "right"):
        coarse = np.unique(quads[f"helper-{side[0]}-eye"])
        parts |= {f"{layer}_{side}": part for layer, part in builder.add_eyeball(coarse).items()}
        brows.append(builder.add_brow(lay_brow(vertices, groups["skin"], sphere_of(vertices[coarse])[0])))
    parts["brows"] = np.concatenate(brows)
    return builder.finish(parts)


def sphere_of(points: Float64) -> tuple[Float64, float]:
    """Centre [3] and radius of the sphere through `points` [N, 3] (algebraic least squares)."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


def affine_weights(points: Float64, targets: Float64) -> Float64:
    """Smallest weights [M, N] with rows summing to 1 that make `targets` [M, 3] out of `points` [N, 3].

    Targets made this way follow every affine motion of the points exactly.
    """
    centre = points.mean(axis=0)
    system = np.concatenate([(points - centre).T, np.ones((1, len(points)))])
    wanted = np.concatenate([(targets - centre).T, np.ones((1, len(targets)))])
    weights: Float64 = np.linalg.lstsq(system, wanted, rcond=None)[0].T
    return weights


def _skin_groups(body: Int64, rings: MouthRings) -> dict[str, Int64]:
    ring = rings.lip_ring[body]
    mouth = (ring == -1).any(axis=1)
    lips = (ring <= LIP_RINGS).all(axis=1) & ~mouth
    return {"skin": body[~mouth & ~lips], "lips": body[lips], "mouth": body[mouth]}


def _bust_level(vertices: Float64) -> Float64:
    """Above zero where a vertex [N, 3] is kept."""
    level: Float64 = np.maximum(vertices[:, 1] - BUST_TOP, BUST_RADIUS - np.linalg.norm(vertices - BUST_CENTRE, axis=1))
    return level


def _triangles(quads: Int64, vertices: Float64) -> Int64:
    """Two triangles a quad [2 Q, 3], along the shorter diagonal: mirror-image quads split alike."""
    corners = vertices[quads]
    first = np.linalg.norm(corners[:, 0] - corners[:, 2], axis=1)
    second = np.linalg.norm(corners[:, 1] - corners[:, 3], axis=1)
    turned = np.where((first <= second)[:, None], quads, np.roll(quads, -1, axis=1))
    return np.stack([turned[:, [0, 1, 2]], turned[:, [0, 2, 3]]], axis=1).reshape(-1, 3)


class _Builder:
    """Collects head vertices as rows of the carry matrix."""

    def __init__(self, vertices: Float64) -> None:
        self._vertices = vertices
        self._rows: list[tuple[Int64, Float64, Float64]] = []
        self._row_of: dict[tuple[int, int], int] = {}

    def add(self, triangles: Int64, level: Float64) -> Int64:
        """Triangles clipped at level zero, in head vertices."""
        kept: list[list[int]] = []
        for triangle in triangles.tolist():
            polygon: list[int] = []
            for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
                if level[a] > 0:
                    polygon.append(self._vertex(a, a, 0.0))
                if (level[a] > 0) != (level[b] > 0):
                    # Ordered, so that both triangles at an edge get the same vertex.
                    low, high = min(a, b), max(a, b)
                    polygon.append(self._vertex(low, high, float(level[low] / (level[low] - level[high]))))
            kept += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
        return np.array(kept, np.int64)

    def add_eyeball(self, coarse: Int64) -> dict[str, Int64]:
        """A round eye with pupil, iris and white in the place of MakeHuman's `coarse` eye vertices."""
        centre, radius = sphere_of(self._vertices[coarse])
        angles = np.radians(_EYE_ANGLES_DEG)
        turns = np.arange(_EYE_SEGMENTS) * (2 * np.pi / _EYE_SEGMENTS)
        edge = np.radians(_IRIS_EDGE_DEG)
        bulge = 1 + _CORNEA_BULGE * np.clip(1 - (angles / edge) ** 2, 0, None)
        flat = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        rings = [np.concatenate([np.sin(angle) * flat, np.full((len(turns), 1), np.cos(angle))], axis=1) * rise
                 for angle, rise in zip(angles[1:], bulge[1:], strict=True)]  # fmt: skip
        points = centre + radius * np.concatenate([[[0, 0, bulge[0]]], *rings])
        first = len(self._rows)
        self._rows += [(coarse, row, np.zeros(3)) for row in affine_weights(self._vertices[coarse], points)]

        def ring(number: int) -> Int64:
            return first + 1 + (number - 1) * _EYE_SEGMENTS + np.arange(_EYE_SEGMENTS)

        layers: dict[str, list[Int64]] = {"pupil": [], "iris": [], "white": []}
        for number in range(1, len(angles)):
            outer, here = ring(number), np.roll(ring(number), -1)
            name = "pupil" if _EYE_ANGLES_DEG[number] <= _PUPIL_EDGE_DEG else (
                "iris" if _EYE_ANGLES_DEG[number] <= _IRIS_EDGE_DEG else "white")  # fmt: skip
            if number == 1:
                layers[name].append(np.stack([np.full_like(outer, first), outer, here], axis=1))
                continue
            inner, inner_next = ring(number - 1), np.roll(ring(number - 1), -1)
            layers[name] += [np.stack([inner, outer, here], axis=1), np.stack([inner, here, inner_next], axis=1)]
        return {name: np.concatenate(triangles) for name, triangles in layers.items()}

    def add_arch(self, coarse: Int64, arch: Arch) -> dict[str, Int64]:
        """Crowns and gums that follow MakeHuman's `coarse` teeth vertices."""
        first = len(self._rows)
        self._rows += [(coarse, row, np.zeros(3)) for row in affine_weights(self._vertices[coarse], arch.points)]
        return {"teeth": first + arch.crowns, "gums": first + arch.gums}

    def add_brow(self, strip: Strip) -> Int64:
        """A strip on the skin."""
        first = len(self._rows)
        self._rows += list(zip(strip.corners, strip.shares, strip.lift, strict=True))
        return first + strip.triangles

    def finish(self, parts: dict[str, Int64]) -> Crop:
        counts = [len(columns) for columns, *_ in self._rows]
        carry = coo_array(
            (
                np.concatenate([weights for _, weights, _ in self._rows]),
                (np.repeat(np.arange(len(counts)), counts), np.concatenate([columns for columns, *_ in self._rows])),
            ),
            shape=(len(counts), len(self._vertices)),
        )
        source = np.array([columns[0] if len(columns) == 1 else -1 for columns, *_ in self._rows], np.int64)
        lift = np.array([lift for *_, lift in self._rows])
        return Crop(csr_array(carry), lift, parts, source)

    def _vertex(self, a: int, b: int, share: float) -> int:
        key = (a, b)
        if key not in self._row_of:
            self._row_of[key] = len(self._rows)
            if a == b:
                self._rows.append((np.array([a]), np.ones(1), np.zeros(3)))
            else:
                self._rows.append((np.array([a, b]), np.array([1 - share, share]), np.zeros(3)))
        return self._row_of[key]
