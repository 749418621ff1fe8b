"""A FLAME-shaped head of another topology whose truth is known: the open head subdivided, thinned and deformed.

Stands in for licensed FLAME files, which can not be shipped, wherever registration and profiles are checked.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, vstack
from scipy.spatial import cKDTree

from facestream_models.flame.crop import affine_weights
from facestream_models.flame.head import JAW, LEFT_EYE, NECK, RIGHT_EYE, Float64, Head, Int64

_BUMP_RADIUS = 0.06
_BUMPS = 12
_NEIGHBOURS = 32


@dataclass(frozen=True)
class SyntheticHead:
    """`head` without ARKit shapes, parts or landmarks; `arkit_dirs` [52, V, 3] is what registration should find."""

    head: Head
    arkit_dirs: Float64


def synthetic_head(
    source: Head, vertex_count: int, rng: np.random.Generator, *, bump: float = 0.004, scale: float = 1.0
) -> SyntheticHead:
    """Another head made from the open head's skin and eyes, with about `vertex_count` vertices.

    `bump` (metres) is the size of a smooth random deformation; `scale` enlarges the whole head.
    """
    names = (
        "skin",
        "lips",
        "mouth",
        "white_left",
        "iris_left",
        "pupil_left",
        "white_right",
        "iris_right",
        "pupil_right",
    )
    triangles = np.concatenate([source.triangles[slice(*source.parts[name])] for name in names])
    carry, triangles = _rewoven(source, triangles, vertex_count, rng)
    plain = carry @ source.template
    field = _smooth_field(rng, bump)
    template = scale * (plain + field(plain))
    # The deformation's slope is small: directions are carried over unturned.
    carried = {
        name: scale * np.stack([carry @ dirs[..., index] for index in range(dirs.shape[-1])], axis=-1)
        for name, dirs in (("shape", source.shape_dirs), ("expression", source.expression_dirs))
    }
    assert source.arkit_dirs is not None
    arkit = scale * np.stack([carry @ shape for shape in source.arkit_dirs])
    skinning = carry @ source.skinning
    joints = scale * (source.joints + field(source.joints.astype(np.float64)))
    regressor = np.zeros((len(joints), len(template)))
    for joint, place in enumerate(joints):
        near = cKDTree(template).query(place, k=_NEIGHBOURS)[1]
        regressor[joint, near] = affine_weights(template[near], place[None])[0]
    head = Head(
        template=template.astype(np.float32),
        triangles=triangles,
        shape_dirs=carried["shape"].astype(np.float32),
        expression_dirs=carried["expression"].astype(np.float32),
        joint_regressor=regressor.astype(np.float32),
        skinning=(skinning / skinning.sum(axis=1, keepdims=True)).astype(np.float32),
    )
    return SyntheticHead(head, arkit)


def _rewoven(source: Head, triangles: Int64, wanted: int, rng: np.random.Generator) -> tuple[csr_array, Int64]:
    """Subdivide, keep random vertices, and give each triangle's corners to the kept vertex nearest over the mesh."""
    used, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3)
    carry = csr_array(coo_array((np.ones(len(used)), (np.arange(len(used)), used)), (len(used), source.vertex_count)))
    edges, places = np.unique(
        np.sort(np.concatenate([local[:, [0, 1]], local[:, [1, 2]], local[:, [2, 0]]]), axis=1),
        axis=0,
        return_inverse=True,
    )
    middle = places.reshape(3, -1).T + len(used)
    half = coo_array(
        (np.full(2 * len(edges), 0.5), (np.repeat(np.arange(len(edges)), 2), edges.ravel())), (len(edges), len(used))
    )
    fine = csr_array(vstack([carry, csr_array(half) @ carry]))
    a, b, c = local.T
    ab, bc, ca = middle.T
    fine_triangles = np.concatenate(
        [np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    )
    points = fine @ source.template
    # Near over the mesh, not through it: the jaw share keeps the lips apart.
    feature = np.concatenate([points, 0.02 * (fine @ source.skinning)[:, [NECK, JAW, LEFT_EYE, RIGHT_EYE]]], axis=1)
    kept = np.sort(rng.choice(len(points), min(wanted, len(points)), replace=False))
    owner = cKDTree(feature[kept]).query(feature)[1]
    woven = owner[fine_triangles]
    whole = (woven[:, 0] != woven[:, 1]) & (woven[:, 1] != woven[:, 2]) & (woven[:, 2] != woven[:, 0])
    unique = np.unique(np.sort(woven[whole], axis=1), axis=0, return_index=True)[1]
    return csr_array(fine[kept]), woven[whole][np.sort(unique)]


def _smooth_field(rng: np.random.Generator, size: float) -> Callable[[Float64], Float64]:
    centres = rng.normal(0, 0.07, (_BUMPS, 3))
    pushes = rng.normal(0, size, (_BUMPS, 3))

    def field(points: Float64) -> Float64:
        distance = np.linalg.norm(points[:, None] - centres, axis=2)
        return np.asarray(np.exp(-((distance / _BUMP_RADIUS) ** 2)) @ pushes)

    return field
