"""A clean lower end for pictures: the neck cut along one smooth surface, with a rounded hem and a closed floor.

The head that moves (`crop.py`) ends in a slice through the shoulders, thin as a blade at its sides; nothing there
speaks. What is shown ends in an ellipsoid around the foot of the neck, and one does not look into it from below.
"""

from dataclasses import replace

import numpy as np

from facestream.head_mesh import HeadMesh
from facestream.types import Float32, Int64
from facestream_models.flame.refinement import edges_of

_CENTRE = np.array([0.0, -0.04, -0.072], np.float32)
_RADII = np.array([0.092, 0.118, 0.088], np.float32)
_HEAD_FROM = -0.09
"""Height, metres, above which everything is kept."""

_HEM = ((0.012, 0.0016), (0.05, 0.0042), (0.12, 0.0058), (0.25, 0.0050), (0.6, -0.004), (1.0, -0.010))
"""Rings of the floor: share of the way to its middle, and metres below the rim."""

_WELDED, _ON_THE_MIDDLE = 0.004, 1e-6
"""Metres."""

_FLOOR_SHADE = (0.97, 0.9, 0.8, 0.65, 0.5, 0.45)


def with_clean_neck(mesh: HeadMesh) -> HeadMesh:
    """The mesh cut and closed; the part `skin` has the floor. Vertices that are cut off are gone."""
    level = np.maximum(
        (mesh.template[:, 1] - _HEAD_FROM) / 0.1, 1 - (((mesh.template - _CENTRE) / _RADII) ** 2).sum(axis=1)
    )
    skin = mesh.part_triangles("skin")
    inside = level > 0
    crossing = np.unique(
        np.sort(edges_of(skin).reshape(-1, 2), axis=1)[
            inside[edges_of(skin)].reshape(-1, 2).sum(axis=1) == 1
        ],
        axis=0,
    )  # fmt: skip
    share = (level[crossing[:, 0]] / (level[crossing[:, 0]] - level[crossing[:, 1]])).astype(np.float32)[:, None]
    cut = mesh.vertex_count + np.arange(len(crossing))
    cut_of = {(int(a), int(b)): int(vertex) for (a, b), vertex in zip(crossing, cut, strict=True)}
    clipped = _clipped(skin, inside, cut_of)

    template = np.concatenate([mesh.template, _mixed(mesh.template, crossing, share)])
    rim, clipped = _welded(template, cut, clipped)
    floor_places, floor = _floor(template, rim)
    colours = np.concatenate([mesh.colours, np.round(_mixed(mesh.colours.astype(np.float32), crossing, share))])
    floor_colours = [colours[rim] * shade for shade in _FLOOR_SHADE[:-1]]
    floor_colours.append(colours[rim].mean(axis=0, keepdims=True) * _FLOOR_SHADE[-1])
    dirs = np.stack([_mixed(shape, crossing, share) for shape in mesh.arkit_dirs])
    extra = len(floor_places)
    whole = {name: mesh.part_triangles(name) for name in mesh.parts} | {"skin": np.concatenate([clipped, floor])}
    ends = np.cumsum([len(part) for part in whole.values()]).tolist()
    return _without_unused(
        replace(
            mesh,
            template=np.concatenate([template, floor_places]),
            triangles=np.concatenate(list(whole.values())),
            parts={name: (end - len(part), end) for (name, part), end in zip(whole.items(), ends, strict=True)},
            arkit_dirs=np.concatenate(
                [mesh.arkit_dirs, dirs, np.zeros((len(dirs), extra, 3), np.float32)], axis=1
            ),
            colours=np.round(np.concatenate([colours, *floor_colours])).astype(np.uint8),
            head_share=np.concatenate(
                [mesh.head_share, _mixed(mesh.head_share[:, None], crossing, share)[:, 0], np.zeros(extra, np.float32)]
            ),
        )
    )  # fmt: skip


def _mixed(values: Float32, pairs: Int64, share: Float32) -> Float32:
    return np.asarray(values[pairs[:, 0]] * (1 - share) + values[pairs[:, 1]] * share, np.float32)


def _around(places: Float32) -> Float32:
    """Angle [N] about the axis of the neck."""
    return np.asarray(np.arctan2(places[:, 0] - _CENTRE[0], places[:, 2] - _CENTRE[2]), np.float32)


def _clipped(triangles: Int64, inside: np.ndarray, cut_of: dict[tuple[int, int], int]) -> Int64:
    kept: list[list[int]] = []
    for triangle in triangles.tolist():
        polygon: list[int] = []
        for a, b in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if inside[a]:
                polygon.append(a)
            if inside[a] != inside[b]:
                polygon.append(cut_of[min(a, b), max(a, b)])
        kept += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
    return np.array(kept, np.int64)


def _welded(template: Float32, rim: Int64, triangles: Int64) -> tuple[Int64, Int64]:
    """Rim and triangles without the short edges that a cut leaves beside a vertex: their ends become one.

    From the middle plane outwards and from the front to the back on either side, so that both sides weld alike.
    """
    stands_for = np.arange(len(template))
    aside = np.abs(template[rim, 0]) > _ON_THE_MIDDLE
    kept: list[int] = []
    for vertex in rim[np.lexsort((np.abs(_around(template[rim])), template[rim, 0] > 0, aside))].tolist():
        near = [other for other in kept if np.linalg.norm(template[vertex] - template[other]) < _WELDED]
        if near:
            stands_for[vertex] = near[0]
        else:
            kept.append(vertex)
    welded = stands_for[triangles]
    whole = (welded != np.roll(welded, 1, axis=1)).all(axis=1)
    ordered = np.array(kept, np.int64)
    return ordered[np.argsort(_around(template[ordered]))], welded[whole]


def _floor(template: Float32, rim: Int64) -> tuple[Float32, Int64]:
    """Vertices and triangles that round off the `rim` (seen from above: against the clock) and close it."""
    edge = template[rim]
    middle = np.array([_CENTRE[0], edge[:, 1].mean(), _CENTRE[2]], np.float32)
    first, count = len(template), len(rim)
    rings = [edge + share * (middle - edge) - np.array([0, drop, 0], np.float32) for share, drop in _HEM[:-1]]
    places = np.concatenate([*rings, middle[None] - np.array([[0, _HEM[-1][1], 0]], np.float32)])
    outer, triangles = rim, []
    for ring in range(len(rings)):
        inner = first + ring * count + np.arange(count)
        outer_next, inner_next = np.roll(outer, -1), np.roll(inner, -1)
        triangles += [np.stack([outer, inner_next, outer_next], axis=1), np.stack([outer, inner, inner_next], axis=1)]
        outer = inner
    centre = np.full(count, first + len(rings) * count)
    triangles.append(np.stack([outer, centre, np.roll(outer, -1)], axis=1))
    return places.astype(np.float32), np.concatenate(triangles)


def _without_unused(mesh: HeadMesh) -> HeadMesh:
    used, triangles = np.unique(mesh.triangles, return_inverse=True)
    return replace(
        mesh,
        template=mesh.template[used],
        triangles=triangles.reshape(-1, 3),
        arkit_dirs=mesh.arkit_dirs[:, used],
        colours=mesh.colours[used],
        head_share=mesh.head_share[used],
    )
