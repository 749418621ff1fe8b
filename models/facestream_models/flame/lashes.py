"""Upper lashes as single hairs, in the place of MakeHuman's band.

The band is a grid of 13 columns and 5 rows on each eye: its first row lies behind the margin of the lid, its last is
where lashes end. Hairs run from the second row to the last, so whatever moves the band moves them; the strip between
the first two rows stays as the dark line along the lid.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from facestream.types import Float32, Int64
from facestream_models.flame.head import Float64
from facestream_models.flame.refinement import edges_of

_COLUMNS, _ROWS = 13, 5
_HAIRS = 40
_ROOT_WIDTH = 0.0003
_SAG = np.array([0.0, -0.13, 0.05])
"""How far a hair's middle hangs below the straight line from root to tip, as a share of its length: lashes curl up."""

_LENGTHS = (0.94, 1.06, 0.86, 1.0, 1.1, 0.9)
_LEANS = (0.0, 0.25, -0.2, 0.12, -0.1, 0.3)
"""Unevenness that repeats: no two neighbours alike. A lean is in columns of the band."""


@dataclass(frozen=True)
class Hairs:
    """`mix` [P, band vertices] makes points of the band's vertices, `offset` [P, 3] is added; `triangles` [T, 3]."""

    mix: Float64
    offset: Float64
    triangles: Int64


def comb_lashes(vertices: Float32, band: Int64) -> Hairs:
    """Hairs of one eye; `band` [T, 3] are its triangles, `vertices` [V, 3] in metres. Columns of `mix` are all `V`."""
    rows = _rows(vertices, band)
    places = np.arange(_HAIRS)
    root_at = np.linspace(0.4, _COLUMNS - 1.1, _HAIRS)
    tip_at = np.clip(root_at + np.resize(_LEANS, _HAIRS), 0, _COLUMNS - 1)
    root = _along(rows[1], root_at, len(vertices))
    tip = root + np.resize(_LENGTHS, _HAIRS)[:, None] * (_along(rows[2], tip_at, len(vertices)) - root)
    middle = (root + tip) / 2
    run = np.gradient(_along(rows[0], root_at, len(vertices)) @ vertices, axis=0)
    beside = (run / np.linalg.norm(run, axis=1, keepdims=True)) * (_ROOT_WIDTH / 2)
    length = np.linalg.norm((tip - root) @ vertices, axis=1, keepdims=True)
    sag = length * _SAG
    line = np.zeros((2 * _COLUMNS, len(vertices)))
    line[np.arange(2 * _COLUMNS), np.concatenate(rows[:2])] = 1
    mix = np.concatenate([root, root, middle, middle, tip, line])
    offset = np.concatenate(
        [-beside, beside, sag - beside * 0.7, sag + beside * 0.7, 0 * sag, np.zeros((len(line), 3))]
    )
    a, b, c, d, e = (places + number * _HAIRS for number in range(5))
    first = 5 * _HAIRS + np.arange(_COLUMNS - 1)
    second = first + _COLUMNS
    triangles = [
        np.stack([a, b, d], 1), np.stack([a, d, c], 1), np.stack([c, d, e], 1),
        np.stack([first, first + 1, second + 1], 1), np.stack([first, second + 1, second], 1),
    ]  # fmt: skip
    joined = np.concatenate(triangles)
    if vertices[band, 0].mean() < 0:
        joined = joined[:, ::-1]
    return Hairs(mix, offset, joined)


def _along(row: Int64, places: np.ndarray, count: int) -> np.ndarray:
    """Mixes [P, count] of the two vertices of `row` beside each place."""
    low = np.minimum(places.astype(int), len(row) - 2)
    mix = np.zeros((len(places), count))
    np.add.at(mix, (np.arange(len(places)), row[low]), 1 - (places - low))
    np.add.at(mix, (np.arange(len(places)), row[low + 1]), places - low)
    return mix


def _rows(vertices: Float32, band: Int64) -> tuple[Int64, Int64, Int64]:
    """The band's first, second and last row, each from the nose outwards."""
    rim = _rim(band)
    before, after = np.roll(rim, 1), np.roll(rim, -1)
    ahead, behind = vertices[after] - vertices[rim], vertices[rim] - vertices[before]
    straight = np.einsum("ni,ni->n", ahead, behind) / np.linalg.norm(ahead, axis=1) / np.linalg.norm(behind, axis=1)
    corners = np.array([0, _COLUMNS - 1, _COLUMNS + _ROWS - 2, 2 * _COLUMNS + _ROWS - 3])
    turned = [straight[(corners + start) % len(rim)].sum() for start in range(len(rim))]
    rim = np.roll(rim, -int(np.argmin(turned)))
    sides = [rim[:_COLUMNS], rim[corners[2] : corners[3] + 1]]
    lid, tips = (_outwards(vertices, side) for side in sorted(sides, key=lambda side: float(vertices[side, 2].mean())))
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b in edges_of(band).reshape(-1, 2).tolist():
        neighbours[a].add(b)
        neighbours[b].add(a)
    second = []
    for vertex in lid.tolist():
        free = sorted(neighbours[vertex] - set(lid.tolist()))
        second.append(free[int(np.argmin(np.linalg.norm(vertices[free] - vertices[vertex], axis=1)))])
    return lid, np.array(second, np.int64), tips


def _outwards(vertices: Float32, row: Int64) -> Int64:
    return row if abs(vertices[row[0], 0]) < abs(vertices[row[-1], 0]) else row[::-1]


def _rim(band: Int64) -> Int64:
    """The closed loop of edges that belong to one triangle only."""
    edges = edges_of(band).reshape(-1, 2)
    count = Counter(frozenset(edge) for edge in edges.tolist())
    following = {a: b for a, b in edges.tolist() if count[frozenset((a, b))] == 1}
    loop = [min(following)]
    while (ahead := following[loop[-1]]) != loop[0]:
        loop.append(ahead)
    return np.array(loop, np.int64)
