"""The open head as pictures show it: what moves is the head's own, what is seen is finer.

head mesh ─> clean neck ─> long edges refined ─> brows and lashes of hairs ─> colours ─> folds taken out
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.head_mesh import HeadMesh
from facestream.types import Float32, Int64
from facestream_models.flame.brows import Strip, lay_brow
from facestream_models.flame.bust import with_clean_neck
from facestream_models.flame.lashes import Hairs, comb_lashes
from facestream_models.flame.makehuman import METRES_PER_UNIT
from facestream_models.flame.refinement import edges_of, refine

_EDGE_LIMITS = {"skin": 0.013, "tongue": 0.006}
_BROW_SIZE = (33, 7)
_LIP_BLUSH = 0.62
"""How much of the colour of `paint` the lips keep; the rest is the skin's."""

_SCLERA = np.array([0.90, 0.87, 0.85])
_EVENED = ("skin", "lips", "mouth", "tongue", "lashes")
_SAME_PLACE = 1e-5
_FLIP = np.array([-1, 1, 1], np.float32)
_UNFOLDING_STEPS = 20


@dataclass(frozen=True)
class Portrait:
    """`mesh`, and the `opacity` [V] of its vertices: 1 but where brows thin out."""

    mesh: HeadMesh
    opacity: Float32


def make_portrait(head: HeadMesh) -> Portrait:
    """Of the open head; a second or two, the same every time."""
    mesh = refine(_halves_alike(with_clean_neck(head)), _EDGE_LIMITS)
    mesh, opacity = _with_brows(_with_lashes(mesh))
    mesh = replace(mesh, colours=_toned(mesh))
    for name in ("lips", "skin", "tongue"):
        mesh = unfolded(mesh, name)
    return Portrait(mesh, opacity)


def folded(mesh: HeadMesh, triangles: Int64, places: Float32) -> npt.NDArray[np.bool_]:
    """Which of the `triangles` [T, 3] face away from the surface around them where the vertices are at `places`."""
    a, b, c = (places[triangles[:, corner]] for corner in range(3))
    around = mesh.normals(places)[triangles].mean(axis=1)
    return np.asarray(np.einsum("ti,ti->t", np.cross(b - a, c - a), around) <= 0)


def unfolded(mesh: HeadMesh, part: str) -> HeadMesh:
    """Even out the rest pose and each shape around triangles of the part that are inside out, until none is.

    There lids pass each other at the corner of an eye, or the tongue folds: 3 mm are moved at most (2026-11-21).
    Raises `ValueError` for what does not come apart.
    """
    triangles = mesh.part_triangles(part)
    edges = edges_of(triangles).reshape(-1, 2)
    template, dirs = mesh.template.copy(), mesh.arkit_dirs.copy()
    for index in range(-1, CURVE_COUNT):
        for _ in range(_UNFOLDING_STEPS):
            worn = template + dirs[index] if index >= 0 else template
            wrong = folded(mesh, triangles, worn)
            if not wrong.any():
                break
            chosen = np.isin(np.arange(len(worn)), triangles[wrong])
            change = (_averaged(worn, edges) - worn)[chosen]
            (dirs[index] if index >= 0 else template)[chosen] += change
        else:
            raise ValueError(f"{part} stays folded in {ARKIT_NAMES[index] if index >= 0 else 'the rest pose'}")
    return replace(mesh, template=template, arkit_dirs=dirs)


def _halves_alike(mesh: HeadMesh) -> HeadMesh:
    """Triangles of the left half on both sides: where both diagonals of a quad are as long, they differ by chance."""
    image = _mirror_images(mesh)
    mesh = replace(mesh, template=np.asarray((mesh.template + mesh.template[image] * _FLIP) / 2, np.float32))
    for part in _EVENED:
        triangles = mesh.part_triangles(part)
        left = triangles[mesh.template[triangles, 0].mean(axis=1) > 0]
        if 2 * len(left) != len(triangles):
            raise ValueError(f"{part} has {len(left)} of {len(triangles)} triangles on the left")
        mesh = _with_part(mesh, part, np.concatenate([left, image[left][:, ::-1]]))
    return mesh


def _mirror_images(mesh: HeadMesh) -> Int64:
    distance, image = cKDTree(mesh.template).query(mesh.template * _FLIP)
    if distance.max() > _SAME_PLACE:
        raise ValueError(f"a vertex without a mirror image: {distance.max() * 1000:.3f} mm off")
    return np.asarray(image, np.int64)


def _averaged(field: Float32, edges: Int64) -> Float32:
    """Mean [V, 3] of each vertex and its neighbours."""
    summed, count = field.copy(), np.ones(len(field), np.float32)
    for here, there in (edges.T, edges.T[::-1]):
        np.add.at(summed, here, field[there])
        np.add.at(count, here, 1)
    return np.asarray(summed / count[:, None], np.float32)


def _with_lashes(mesh: HeadMesh) -> HeadMesh:
    band = mesh.part_triangles("lashes")
    first = mesh.vertex_count
    triangles = []
    for side in (1, -1):
        hairs = comb_lashes(mesh.template, band[side * mesh.template[band, 0].mean(axis=1) > 0])
        colour = mesh.colours[band[0, 0]]

        def mixed(values: Float32, hairs: Hairs = hairs) -> Float32:
            return np.asarray(hairs.mix @ values, np.float32)

        mesh = _extended(
            mesh,
            mixed(mesh.template) + hairs.offset.astype(np.float32),
            np.stack([mixed(shape) for shape in mesh.arkit_dirs]),
            np.tile(colour, (len(hairs.mix), 1)),
            mixed(mesh.head_share),
        )
        triangles.append(first + hairs.triangles)
        first = mesh.vertex_count
    return _with_part(mesh, "lashes", np.concatenate(triangles))


def _with_brows(mesh: HeadMesh) -> tuple[HeadMesh, Float32]:
    """Brows laid on the refined skin, fading out at their rim as hair does."""
    skin, colour = mesh.part_triangles("skin"), mesh.colours[mesh.part_triangles("brows")[0, 0]]
    count = mesh.vertex_count
    front = skin[mesh.template[skin, 2].min(axis=1) > 0]
    triangles, first = [], count
    for eye in (mesh.left_eye, mesh.right_eye):
        strip = lay_brow(
            mesh.template[:count].astype(np.float64) / METRES_PER_UNIT, front, eye.astype(np.float64) / METRES_PER_UNIT,
            lengthwise=_BROW_SIZE[0], across=_BROW_SIZE[1],
        )  # fmt: skip

        def under(values: Float32, strip: Strip = strip) -> Float32:
            return np.asarray(np.einsum("pc,pc...->p...", strip.shares, values[strip.corners]), np.float32)

        mesh = _extended(
            mesh,
            under(mesh.template) + (strip.lift * METRES_PER_UNIT).astype(np.float32),
            np.stack([under(shape) for shape in mesh.arkit_dirs]),
            np.tile(colour, (len(strip.corners), 1)),
            under(mesh.head_share),
        )
        triangles.append(first + strip.triangles)
        first = mesh.vertex_count
    opacity = np.ones(mesh.vertex_count, np.float32)
    opacity[count:] = np.tile(_brow_opacity().ravel(), 2)
    return _with_part(mesh, "brows", np.concatenate(triangles)), opacity


def _brow_opacity() -> Float32:
    """[lengthwise, across]: dense along the middle, thin towards both ends."""
    u, v = np.meshgrid(*(np.linspace(0, 1, count) for count in _BROW_SIZE), indexing="ij")
    across = np.clip(1.5 * (1 - (2 * v - 1) ** 2), 0, 1)
    along = np.clip(u / 0.14, 0, 1) * np.clip((1 - u) / 0.2, 0, 1)
    return np.asarray(0.92 * across * along, np.float32)


def _toned(mesh: HeadMesh) -> npt.NDArray[np.uint8]:
    """Colours of the paint, quieter on the lips and darker in the white of the eyes."""
    colours = mesh.colours.astype(np.float64)
    skin = np.unique(mesh.part_triangles("skin"))
    lips = np.setdiff1d(mesh.part_triangles("lips"), skin)
    near = skin[np.linalg.norm(mesh.template[skin] - mesh.template[lips].mean(axis=0), axis=1) < 0.06]
    colours[lips] = _LIP_BLUSH * colours[lips] + (1 - _LIP_BLUSH) * colours[near].mean(axis=0)
    for side in ("left", "right"):
        white = np.setdiff1d(mesh.part_triangles(f"white_{side}"), mesh.part_triangles(f"iris_{side}"))
        colours[white] *= _SCLERA
    return np.round(colours).astype(np.uint8)


def _extended(
    mesh: HeadMesh, places: Float32, dirs: Float32, colours: npt.NDArray[np.uint8], head_share: Float32
) -> HeadMesh:
    return replace(
        mesh,
        template=np.concatenate([mesh.template, places]).astype(np.float32),
        arkit_dirs=np.concatenate([mesh.arkit_dirs, dirs], axis=1),
        colours=np.concatenate([mesh.colours, colours]),
        head_share=np.concatenate([mesh.head_share, head_share]),
    )


def _with_part(mesh: HeadMesh, name: str, triangles: Int64) -> HeadMesh:
    whole = {part: mesh.part_triangles(part) for part in mesh.parts} | {name: triangles}
    ends = np.cumsum([len(part) for part in whole.values()]).tolist()
    return replace(
        mesh,
        triangles=np.concatenate(list(whole.values())),
        parts={part: (end - len(whole[part]), end) for part, end in zip(whole, ends, strict=True)},
    )
