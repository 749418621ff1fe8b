"""Finer triangles where edges are long: round outlines for pictures, without moving a vertex that is there.

The MakeHuman mesh is dense around eyes and lips and coarse on skull, cheeks and neck, where an edge is up to 36 mm
long. Long edges get a middle that lies on the curve which both ends' normals ask for (the edge of a PN triangle,
Vlachos et al. 2001); triangles are cut where their edges are, so no gap opens beside one that stays whole.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from facestream.head_mesh import HeadMesh
from facestream.types import Float32, Int64

_PASSES = 4
"""Halvings at most: 36 mm become 2.3 mm."""


def refine(mesh: HeadMesh, limits: Mapping[str, float]) -> HeadMesh:
    """Halve edges until those of each part are no longer than its limit (metres); parts without one stay.

    The first vertices are those of `mesh`, unmoved.
    """
    first = mesh.vertex_count
    for _ in range(_PASSES):
        long_edges = _long_edges(mesh, limits)
        if not len(long_edges):
            break
        mesh = _halved(mesh, long_edges)
    return _evened(mesh, first)


def _long_edges(mesh: HeadMesh, limits: Mapping[str, float]) -> Int64:
    """Edges [N, 2], lower vertex first, sorted."""
    found = []
    for part, limit in limits.items():
        edges = edges_of(mesh.part_triangles(part)).reshape(-1, 2)
        length = np.linalg.norm(mesh.template[edges[:, 0]] - mesh.template[edges[:, 1]], axis=1)
        found.append(edges[length > limit])
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def edges_of(triangles: Int64) -> Int64:
    """The three edges [T, 3, 2] of triangles [T, 3], each as the triangle runs."""
    return np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=2)


def _halved(mesh: HeadMesh, edges: Int64) -> HeadMesh:
    middle_of = {(int(a), int(b)): mesh.vertex_count + place for place, (a, b) in enumerate(edges)}
    middle = _curved_middle(mesh, mesh.template, edges)
    moved = [_curved_middle(mesh, mesh.template + shape, edges) - middle for shape in mesh.arkit_dirs]
    # What one shape does not move at either end it does not move between them.
    still = [(np.abs(shape[edges]).max(axis=(1, 2)) == 0) for shape in mesh.arkit_dirs]
    between = np.where(np.stack(still)[:, :, None], np.float32(0), np.stack(moved))
    places = np.concatenate([mesh.template, middle])
    triangles, parts = [], {}
    count = 0
    for part in mesh.parts:
        cut = _cut(mesh.part_triangles(part), middle_of, places)
        triangles.append(cut)
        parts[part] = (count, count + len(cut))
        count += len(cut)
    return replace(
        mesh,
        template=places,
        triangles=np.concatenate(triangles),
        parts=parts,
        arkit_dirs=np.concatenate([mesh.arkit_dirs, between], axis=1),
        colours=np.concatenate([mesh.colours, np.round(mesh.colours[edges].mean(axis=1)).astype(np.uint8)]),
        head_share=np.concatenate([mesh.head_share, mesh.head_share[edges].mean(axis=1)]),
    )


def _evened(mesh: HeadMesh, first: int) -> HeadMesh:
    """Vertices from `first` on half way to the mean of their neighbours: no ripples where long thin triangles were."""
    edges = np.unique(np.sort(edges_of(mesh.triangles).reshape(-1, 2), axis=1), axis=0)
    count = np.maximum(np.bincount(edges.ravel(), minlength=mesh.vertex_count), 1).astype(np.float32)[:, None]

    def evened(values: Float32) -> Float32:
        summed = np.zeros_like(values)
        for here, there in (edges.T, edges.T[::-1]):
            np.add.at(summed, here, values[there])
        mixed = values.copy()
        mixed[first:] = (values[first:] + summed[first:] / count[first:]) / 2
        return mixed

    dirs = np.stack([evened(shape) if shape[first:].any() else shape for shape in mesh.arkit_dirs])
    return replace(mesh, template=evened(mesh.template), arkit_dirs=dirs)


def _curved_middle(mesh: HeadMesh, vertices: Float32, edges: Int64) -> Float32:
    """Middles [N, 3] of the cubic over each edge that leaves both ends at right angles to their normals."""
    normals = mesh.normals(vertices)
    a, b = vertices[edges[:, 0]], vertices[edges[:, 1]]
    rise = np.einsum("ni,ni->n", b - a, normals[edges[:, 0]])[:, None] * normals[edges[:, 0]]
    fall = np.einsum("ni,ni->n", a - b, normals[edges[:, 1]])[:, None] * normals[edges[:, 1]]
    return np.asarray((a + b) / 2 - (rise + fall) / 8, np.float32)


def _cut(triangles: Int64, middle_of: Mapping[tuple[int, int], int], places: Float32) -> Int64:
    """Each triangle in as many as it has cut edges, and one more."""
    kept: list[tuple[int, int, int]] = []
    for a, b, c in triangles.tolist():
        ab, bc, ca = (middle_of.get((min(p, q), max(p, q))) for p, q in ((a, b), (b, c), (c, a)))
        # turned so that a triangle with one cut edge has it at ab, and one with two has them at ab and bc
        while (ab is None and (bc is not None or ca is not None)) or (bc is None and ca is not None):
            a, b, c, ab, bc, ca = b, c, a, bc, ca, ab
        if ab is None:
            kept.append((a, b, c))
        elif bc is None:
            kept += [(a, ab, c), (ab, b, c)]
        elif ca is None:
            # the shorter diagonal, which is the same one in a mirror
            across, other = np.linalg.norm(places[ab] - places[c]), np.linalg.norm(places[bc] - places[a])
            kept += [(ab, b, bc), *([(a, ab, c), (ab, bc, c)] if across < other else [(a, ab, bc), (a, bc, c)])]
        else:
            kept += [(a, ab, ca), (ab, b, bc), (bc, c, ca), (ab, bc, ca)]
    return np.array(kept, np.int64)
