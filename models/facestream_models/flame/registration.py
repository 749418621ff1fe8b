"""Lay the open head's skin over another FLAME-format head and carry its ARKit shapes across.

    joints of both ─> similarity ─> non-rigid fit, stiff to soft ─> each vertex of the other head finds its place
    on the fitted skin ─> displacements of that place, turned and scaled

The fit is non-rigid ICP in displacement form (after Amberg et al. 2007): points are drawn to the tangent planes of
their partners while the displacement field stays smooth in the sense of the mesh Laplacian. Partners are sought by
place, by normal and by how much they follow the jaw: both heads know their jaw, and it tells lower from upper lip
where place alone can not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_array, coo_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from facestream_models.flame.head import JAW, LEFT_EYE, NECK, RIGHT_EYE, Float32, Float64, Head, Int64
from facestream_models.flame.rigid import rigid_motion

SKIN_PARTS = ("skin", "lips", "mouth")

FINE = tuple(stiffness for stiffness in (300.0, 100.0, 30.0, 10.0, 3.0, 1.0) for _ in range(3))
"""Stiffness of each round of the fit; a round costs about a second. Six rounds instead of 18 make the errors of round
trips through the profile 1.7 times as large (2026-11-21)."""

_SLIDE = 0.1
"""Share of the pull towards the partner itself; the rest acts along its normal only, so that skin may slide."""

_NORMAL_REACH, _JAW_REACH = 0.010, 0.020
"""Metres that opposite normals, and jaw against skull, count for when partners are sought."""

_MAX_DISTANCE = 0.02
"""Metres beyond which a point has no partner: ears and neck may be cut differently."""

_CANDIDATES = 6


@dataclass(frozen=True)
class Registration:
    """`arkit_dirs` [52, V, 3] of the target head; `scale` target over source; `distance_rms` in metres over the face
    between target vertices and the fitted skin; `covered` [V]: whether a vertex found its place; `nearest`: source
    vertex -> target vertex most like it, for landmarks.
    """

    arkit_dirs: Float64
    scale: float
    distance_rms: float
    covered: npt.NDArray[np.bool_]
    nearest: Mapping[int, int]


def register(source: Head, target: Head, schedule: Sequence[float] = FINE) -> Registration:
    """Carry the ARKit shapes of `source` (the open head) over to `target`, whatever its topology."""
    if source.arkit_dirs is None:
        raise ValueError("the source head must have ARKit shapes")
    triangles = np.concatenate([source.triangles[slice(*source.parts[part])] for part in SKIN_PARTS])
    skin, local = np.unique(triangles, return_inverse=True)
    triangles = local.reshape(-1, 3)
    scale, rotation, shift = _similarity(source.joints, target.joints)
    start = scale * source.template[skin].astype(np.float64) @ rotation.T + shift
    jaw = source.skinning[skin, JAW].astype(np.float64)

    goal = _Surface(target.template.astype(np.float64), target.triangles, target.skinning[:, JAW].astype(np.float64))
    fitted = start + _fit(start, triangles, jaw, goal, scale, schedule)

    surface = _Surface(fitted, triangles, jaw)
    corner, shares, distance = surface.places(goal)
    covered = distance < _MAX_DISTANCE * scale
    moved = source.arkit_dirs[:, skin][:, corner].astype(np.float64)
    carried = np.einsum("cvka,vk->cva", moved, shares * covered[:, None])
    # An expression basis never turns eyeballs: they are left to the eye joints.
    carried[:, target.skinning[:, [LEFT_EYE, RIGHT_EYE]].sum(axis=1) > 0.5] = 0
    active = covered & (np.abs(carried).max(axis=(0, 2)) > 0)
    rms = float(np.sqrt((distance[active] ** 2).mean()))
    partners = goal.tree.query(surface.features)[1]
    nearest = dict(zip(skin.tolist(), partners.tolist(), strict=True))
    return Registration(scale * carried @ rotation.T, scale, rms, covered, nearest)


def _similarity(source: Float32, target: Float32) -> tuple[float, Float64, Float64]:
    """Scale, rotation and shift that carry joints to joints; neck, jaw and eyes alike."""
    joints = [NECK, JAW, LEFT_EYE, RIGHT_EYE]
    before, after = source[joints].astype(np.float64), target[joints].astype(np.float64)
    spread = [np.linalg.norm(points - points.mean(axis=0)) for points in (before, after)]
    scale = float(spread[1] / spread[0])
    rotation, shift = rigid_motion(scale * before, after)
    return scale, rotation, shift


class _Surface:
    """A triangle mesh whose vertices also know their normal and their share of the jaw."""

    def __init__(self, vertices: Float64, triangles: Int64, jaw: Float64) -> None:
        self.vertices, self.triangles = vertices, triangles
        self.normals = _normals(vertices, triangles)
        self.features = np.concatenate([vertices, _NORMAL_REACH / 2 * self.normals, _JAW_REACH * jaw[:, None]], axis=1)
        self.tree = cKDTree(self.features)
        order = np.argsort(triangles.ravel(), kind="stable")
        self._first = np.searchsorted(triangles.ravel()[order], np.arange(len(vertices) + 1))
        self._around = order // 3

    def places(self, other: "_Surface") -> tuple[Int64, Float64, Float64]:
        """Nearest place on this surface for every vertex of `other`: corners [N, 3], shares [N, 3], distance [N].

        Sought on the triangles around the vertices with the most similar features.
        """
        points = other.vertices
        near = self.tree.query(other.features, k=_CANDIDATES)[1]
        best = np.full(len(points), np.inf)
        corners, shares = np.zeros((len(points), 3), np.int64), np.zeros((len(points), 3))
        longest = int(np.diff(self._first).max())
        for candidate in near.T:
            for step in range(longest):
                place = self._first[candidate] + step
                rows = np.flatnonzero(place < self._first[candidate + 1])
                triangle = self.triangles[self._around[place[rows]]]
                weights = _nearest_in_triangle(points[rows], self.vertices[triangle])
                spot = np.einsum("nk,nka->na", weights, self.vertices[triangle])
                distance = np.linalg.norm(spot - points[rows], axis=1)
                closer = distance < best[rows]
                chosen = rows[closer]
                best[chosen], corners[chosen], shares[chosen] = distance[closer], triangle[closer], weights[closer]
        return corners, shares, best


def _fit(
    start: Float64, triangles: Int64, jaw: Float64, goal: _Surface, scale: float, schedule: Sequence[float]
) -> Float64:
    """Displacement [N, 3] of the source's points onto the goal."""
    count = len(start)
    laplacian = _laplacian(triangles, count)
    stiff = laplacian.T @ laplacian
    moved = np.zeros_like(start)
    for stiffness in schedule:
        here = _Surface(start + moved, triangles, jaw)
        corner, shares, distance = goal.places(here)
        partner = np.einsum("nk,nka->na", shares, goal.vertices[corner])
        normal = np.einsum("nk,nka->na", shares, goal.normals[corner])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        agrees = (normal * here.normals).sum(axis=1) > 0.3
        trust = np.where(agrees & (distance < _MAX_DISTANCE * scale), 1.0, 0.0)
        moved = _solve(stiffness * stiff, trust, normal, partner - start)
    return moved


def _solve(stiff: csr_array, trust: Float64, normal: Float64, wanted: Float64) -> Float64:
    """Displacement that minimises smoothness + pull towards tangent planes (and a little towards the partners)."""
    count = len(trust)
    pull = trust[:, None, None] * ((1 - _SLIDE) * normal[:, :, None] * normal[:, None, :] + _SLIDE * np.eye(3))
    blocks = [[diags_array(pull[:, a, b]) + (stiff if a == b else 0 * stiff) for b in range(3)] for a in range(3)]
    system = block_array(blocks).tocsc() + 1e-6 * eye_array(3 * count, format="csc")
    right = np.einsum("nab,nb->na", pull, wanted)
    return np.asarray(splu(system).solve(right.T.ravel()).reshape(3, count).T)


def _laplacian(triangles: Int64, count: int) -> csr_array:
    """Umbrella Laplacian: mean of the neighbours minus the vertex."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    ends = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    degree = np.bincount(ends[:, 0], minlength=count)
    mean = coo_array((1.0 / degree[ends[:, 0]], (ends[:, 0], ends[:, 1])), shape=(count, count))
    return csr_array(mean - eye_array(count))


def _normals(vertices: Float64, triangles: Int64) -> Float64:
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _nearest_in_triangle(points: Float64, corners: Float64) -> Float64:
    """Barycentric shares [N, 3] of the point of each triangle [N, 3, 3] that is nearest to `points` [N, 3]."""
    origin, first, second = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    offset = points - origin
    d11, d12, d22 = ((a * b).sum(axis=1) for a, b in ((first, first), (first, second), (second, second)))
    p1, p2 = (first * offset).sum(axis=1), (second * offset).sum(axis=1)
    area = np.maximum(d11 * d22 - d12 * d12, 1e-18)
    u, v = (d22 * p1 - d12 * p2) / area, (d11 * p2 - d12 * p1) / area
    inside = np.stack([1 - u - v, u, v], axis=1)
    # Outside, the nearest point lies on an edge: the best of the three.
    best = inside
    outside = np.flatnonzero((inside < 0).any(axis=1))
    if len(outside):
        best = inside.copy()
        shortest = np.full(len(outside), np.inf)
        for i, j in ((0, 1), (1, 2), (2, 0)):
            a, b = corners[outside, i], corners[outside, j]
            edge = b - a
            along = ((points[outside] - a) * edge).sum(axis=1) / np.maximum((edge**2).sum(axis=1), 1e-18)
            along = np.clip(along, 0, 1)
            distance = np.linalg.norm(a + along[:, None] * edge - points[outside], axis=1)
            closer = distance < shortest
            shortest[closer] = distance[closer]
            shares = np.zeros((int(closer.sum()), 3))
            shares[:, i], shares[:, j] = 1 - along[closer], along[closer]
            best[outside[closer]] = shares
    return best
