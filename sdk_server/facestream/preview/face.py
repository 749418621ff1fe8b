"""A picture of the open head wearing a set of ARKit weights: software rendering, numpy only.

Three lights, light that bleeds around skin, gloss on eyes, lips and teeth, drawn at twice the size and averaged
down. Colours are linear while light is added and sRGB at the ends.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from facestream.curves import CURVE_COUNT
from facestream.errors import InvalidValue
from facestream.head_mesh import HeadMesh, open_head
from facestream.preview.raster import rasterise
from facestream.types import Float32, Int64

SUPERSAMPLING = 2
MIN_SIZE, MAX_SIZE = 16, 2048

_CAMERA_DISTANCE = 0.9
"""Metres from the origin of the head."""


@dataclass(frozen=True)
class Framing:
    """What a picture shows: its middle's height above the origin, and how much from top to bottom (metres)."""

    middle: float
    height: float


HEAD = Framing(0.018, 0.256)
FACE = Framing(-0.008, 0.19)
"""From brows to chin with some room: lips large enough to judge."""

_BACKGROUND_TOP, _BACKGROUND_BOTTOM = (58, 64, 72), (26, 29, 33)

_LIGHTS = (  # towards the light, colour times strength, how far it wraps around the terminator
    ((0.50, 0.55, 0.67), (0.86, 0.81, 0.75), 0.18),
    ((-0.85, 0.10, 0.52), (0.15, 0.19, 0.25), 0.30),
    ((0.30, 0.45, -0.85), (0.40, 0.44, 0.50), 0.05),
)
_SKY, _GROUND = np.array([0.13, 0.14, 0.16], np.float32), np.array([0.07, 0.055, 0.05], np.float32)
_BLEED = np.array([0.11, 0.03, 0.015], np.float32)
"""Light under the skin: added where the key light grazes, red first."""

_GLOSS = {  # part -> strength, sharpness
    "skin": (0.07, 14.0), "lips": (0.16, 28.0), "tongue": (0.18, 30.0), "teeth": (0.35, 60.0), "gums": (0.2, 40.0),
    "white": (0.55, 140.0), "iris": (0.9, 220.0), "pupil": (0.9, 220.0), "mouth": (0.01, 12.0),
}  # fmt: skip
_BLEEDING = ("skin", "lips", "tongue", "gums")


def render_face(
    weights: Float32,
    head_rotation: Float32 | None = None,
    size: int = 320,
    *,
    eye_rotations: tuple[Float32, Float32] | None = None,
    framing: Framing = HEAD,
    mesh: HeadMesh | None = None,
) -> npt.NDArray[np.uint8]:
    """Picture [size, size, 3] sRGB of the head with `weights` [52].

    `head_rotation` and `eye_rotations` (left, right) are quaternions x y z w; without the latter the eyeballs turn
    as the gaze shapes say. About 0.3 s at 320 pixels on one core. Raises `InvalidValue`.
    """
    weights = np.asarray(weights, np.float32)
    if weights.shape != (CURVE_COUNT,) or not np.isfinite(weights).all():
        raise InvalidValue("weights", f"shape {weights.shape}", f"{CURVE_COUNT} finite numbers")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InvalidValue("size", size, f"{MIN_SIZE} to {MAX_SIZE} pixels")
    mesh = mesh or open_head()
    vertices = _posed(mesh, weights, head_rotation, eye_rotations)
    normals = mesh.normals(vertices)
    pixels = size * SUPERSAMPLING
    hits = rasterise(_projected(vertices, framing, pixels), mesh.triangles, pixels, pixels)

    corners = mesh.triangles[hits.triangle]
    albedo = _interpolated(_linear_colours(mesh), corners, hits.weights)
    normal = _unit(_interpolated(normals, corners, hits.weights))
    eye = np.array([0.0, framing.middle, _CAMERA_DISTANCE], np.float32)
    view = _unit(eye - _interpolated(vertices, corners, hits.weights))
    # Lashes, and skin seen from inside, show their back. The triangle decides: at the outline of the face a smooth
    # normal may point away although the surface does not.
    a, b, c = (vertices[corners[:, corner]] for corner in range(3))
    is_back = _dot(np.cross(b - a, c - a), view) < 0
    normal[is_back] *= -1
    strength, sharpness, bleeding = (material[hits.triangle] for material in _materials(mesh))
    light = _shade(albedo, normal, view, strength, sharpness, bleeding)

    picture = np.repeat(_background(pixels)[:, None, :], pixels, axis=1).reshape(-1, 3)
    picture[hits.pixel] = light
    averaged = picture.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 3).mean(axis=(1, 3))
    return _to_srgb(averaged)


def rotation_matrix(quaternion: Float32) -> Float32:
    """Matrix [3, 3] of a quaternion x y z w of any length but zero."""
    length = float(np.linalg.norm(quaternion))
    if not np.isfinite(length) or length < 1e-6:
        raise InvalidValue("rotation", quaternion, "a quaternion x y z w that is not zero")
    x, y, z, w = np.asarray(quaternion, np.float64) / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )


def _posed(mesh: HeadMesh, weights: Float32, head: Float32 | None, eyes: tuple[Float32, Float32] | None) -> Float32:
    vertices = mesh.posed(weights)
    if eyes is not None:
        for side, pivot, rotation in zip(("left", "right"), (mesh.left_eye, mesh.right_eye), eyes, strict=True):
            eye = mesh.eye_vertices(side)
            vertices[eye] = (mesh.template[eye] - pivot) @ rotation_matrix(rotation).T + pivot
    if head is not None:
        turned = (vertices - mesh.neck) @ rotation_matrix(head).T + mesh.neck
        vertices += mesh.head_share[:, None] * (turned - vertices)
    return vertices


def _projected(vertices: Float32, framing: Framing, pixels: int) -> Float32:
    """Perspective: pixel x, y (down) and depth towards the viewer."""
    nearness = 1 / (_CAMERA_DISTANCE - vertices[:, 2])
    scale = pixels / framing.height * _CAMERA_DISTANCE * nearness
    x = pixels / 2 + vertices[:, 0] * scale
    y = pixels / 2 - (vertices[:, 1] - framing.middle) * scale
    # 1 / distance is linear across the screen, distance is not.
    return np.stack([x, y, nearness], axis=1).astype(np.float32)


def _shade(
    albedo: Float32, normal: Float32, view: Float32, strength: Float32, sharpness: Float32, bleeding: Float32
) -> Float32:
    """Light [N, 3] that leaves the surface towards the viewer."""
    light: Float32 = _GROUND + (normal[:, 1:2] * np.float32(0.5) + np.float32(0.5)) * (_SKY - _GROUND)
    gloss = np.zeros_like(albedo)
    for towards, tint, wrap in _LIGHTS:
        direction = np.array(towards, np.float32) / np.float32(np.linalg.norm(towards))
        colour = np.array(tint, np.float32)
        facing = normal @ direction
        light += np.clip((facing + np.float32(wrap)) / np.float32(1 + wrap), 0, 1)[:, None] * colour
        grazing = np.clip(1 - np.abs(facing) / np.float32(0.45), 0, 1)
        light += (grazing * grazing * bleeding)[:, None] * (_BLEED * colour[0])
        glossy = np.flatnonzero((strength > 0) & (facing > 0))
        half = _unit(view[glossy] + direction)
        shine = np.clip(_dot(normal[glossy], half), 0, 1) ** sharpness[glossy] * strength[glossy]
        gloss[glossy] += shine[:, None] * colour
    shaded: Float32 = albedo * light + gloss
    return shaded


def _interpolated(values: Float32, corners: Int64, weights: Float32) -> Float32:
    """Vertex values [V, 3] at pixels with barycentric weights [N, 3]."""
    mixed: Float32 = values[corners[:, 0]] * weights[:, 0:1]
    mixed += values[corners[:, 1]] * weights[:, 1:2]
    mixed += values[corners[:, 2]] * weights[:, 2:3]
    return mixed


def _dot(a: Float32, b: Float32) -> Float32:
    return np.asarray(np.einsum("ni,ni->n", a, b), np.float32)


def _unit(vectors: Float32) -> Float32:
    return np.asarray(vectors / np.sqrt(np.maximum(_dot(vectors, vectors), np.float32(1e-18)))[:, None], np.float32)


@cache
def _materials(mesh: HeadMesh) -> tuple[Float32, Float32, Float32]:
    """Gloss strength, sharpness and bleeding [T] of the triangles."""
    strength, sharpness, bleeding = np.zeros((3, len(mesh.triangles)), np.float32)
    for name, (first, end) in mesh.parts.items():
        kind = name.split("_")[0]
        strength[first:end], sharpness[first:end] = _GLOSS.get(kind, (0.0, 1.0))
        bleeding[first:end] = kind in _BLEEDING
    return strength, sharpness, bleeding


@cache
def _linear_colours(mesh: HeadMesh) -> Float32:
    return ((mesh.colours / np.float32(255)) ** 2.2).astype(np.float32)


def _background(rows: int) -> Float32:
    share = np.linspace(0, 1, rows)[:, None]
    mixed = np.array(_BACKGROUND_TOP) * (1 - share) + np.array(_BACKGROUND_BOTTOM) * share
    return np.asarray((mixed / 255) ** 2.2, np.float32)


def _to_srgb(linear: Float32) -> npt.NDArray[np.uint8]:
    # A soft shoulder keeps highlights from burning out.
    toned = np.where(linear > 0.8, 0.8 + 0.2 * np.tanh((linear - 0.8) / 0.2), linear)
    return np.asarray(np.round(255 * np.clip(toned, 0, 1) ** (1 / 2.2)), np.uint8)
