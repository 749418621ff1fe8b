"""Vertex colours of the open head: sRGB albedo for pictures and the viewer, a matter of taste kept in one file."""

import numpy as np
import numpy.typing as npt

from facestream_models.flame.crop import Crop
from facestream_models.flame.head import Float64, Int64
from facestream_models.flame.mouth_rings import LIP_RINGS, MouthRings

_SKIN, _FLUSH, _SHADE = (222, 174, 150), (208, 132, 116), (166, 112, 97)
_LIP, _LIP_LINE = (178, 92, 88), (132, 58, 58)
_MOUTH_FRONT, _MOUTH_BACK = (122, 48, 46), (46, 14, 15)
_TONGUE, _TONGUE_BACK = (196, 100, 98), (98, 36, 38)
_TOOTH, _TOOTH_BACK = (240, 233, 218), (150, 132, 116)
_GUM, _GUM_BACK = (190, 104, 100), (70, 26, 28)
_WHITE, _WHITE_RIM = (236, 234, 230), (176, 150, 142)
_IRIS, _IRIS_RIM = (110, 84, 58), (44, 32, 26)
_PUPIL = (10, 9, 9)
_LASH, _BROW = (38, 27, 23), (74, 50, 38)
_HAIR = (84, 62, 50)

_CHEEK = np.array([0.040, -0.012, 0.035])
_NOSE_TIP = np.array([0.0, -0.008, 0.068])
_HAIRLINE = np.array([[-0.10, -0.02], [-0.066, 0.012], [-0.03, 0.05], [0.005, 0.075], [0.05, 0.088], [0.12, 0.095]])
"""Depth z and height y (metres) above which the scalp is dark with short hair."""


def paint(template: Float64, parts: dict[str, Int64], crop: Crop, rings: MouthRings) -> npt.NDArray[np.uint8]:
    """Colours [V, 3]; `template` [V, 3] in metres, eyes' middle at (0, 0.03, 0.03)."""
    colours = np.zeros_like(template)
    vertices = {name: np.unique(triangles) for name, triangles in parts.items()}

    def fill(name: str, front: tuple[int, ...], back: tuple[int, ...], share: Float64) -> None:
        part = vertices[name]
        colours[part] = _mix(front, back, np.broadcast_to(share, (len(part),)))

    fill("mouth", _MOUTH_FRONT, _MOUTH_BACK, _behind(template[vertices["mouth"]], 0.056, 0.035))
    fill("tongue", _TONGUE, _TONGUE_BACK, _behind(template[vertices["tongue"]], 0.046, 0.0))
    for row in ("upper", "lower"):
        fill(f"teeth_{row}", _TOOTH, _TOOTH_BACK, _behind(template[vertices[f"teeth_{row}"]], 0.05, 0.025))
        fill(f"gums_{row}", _GUM, _GUM_BACK, _behind(template[vertices[f"gums_{row}"]], 0.048, 0.02))
    for side in ("left", "right"):
        white = vertices[f"white_{side}"]
        centre = template[vertices[f"iris_{side}"]].mean(axis=0)
        away = np.linalg.norm(template[white] - centre, axis=1)
        colours[white] = _mix(_WHITE, _WHITE_RIM, _ramp(away, 0.008, 0.0145))
        fill(f"pupil_{side}", _PUPIL, _PUPIL, np.zeros(1))
        # The iris is painted last, so that its inner ring keeps the pupil's edge sharp.
        iris = vertices[f"iris_{side}"]
        colours[iris] = _mix(
            _IRIS, _IRIS_RIM, _ramp(np.linalg.norm(template[iris, :2] - centre[:2], axis=1), 0.0042, 0.0062)
        )
    fill("lashes", _LASH, _LASH, np.zeros(1))
    fill("brows", _BROW, _BROW, np.zeros(1))

    skin = np.union1d(vertices["skin"], vertices["lips"])
    colours[skin] = _skin(template[skin])
    ring = np.full(len(template), LIP_RINGS + 1)
    kept = crop.source >= 0
    ring[kept] = rings.lip_ring[crop.source[kept]]
    for number in range(-1, LIP_RINGS + 1):
        on_ring = skin[ring[skin] == number]
        lip = _mix(_LIP_LINE, _LIP, np.full(len(on_ring), min(1.0, max(number, 0) / 2)))
        border = 1.0 if number < LIP_RINGS else 0.45
        colours[on_ring] = border * lip + (1 - border) * colours[on_ring]
    return np.clip(np.round(colours), 0, 255).astype(np.uint8)


def _skin(place: Float64) -> Float64:
    mirrored = np.concatenate([np.abs(place[:, :1]), place[:, 1:]], axis=1)
    flush = np.maximum(0.35 * _spot(mirrored, _CHEEK, 0.022), 0.35 * _spot(mirrored, _NOSE_TIP, 0.014))
    ears = 0.3 * _ramp(mirrored[:, 0], 0.074, 0.086)
    colour = _mix(_SKIN, _FLUSH, np.maximum(flush, ears))
    socket = 0.4 * _spot(mirrored, np.array([0.029, 0.031, 0.045]), 0.016)
    colour += socket[:, None] * (np.array(_SHADE) - colour)
    hairline = np.interp(place[:, 2], _HAIRLINE[:, 0], _HAIRLINE[:, 1])
    temple = 0.012 * np.clip(1 - mirrored[:, 0] / 0.06, 0, 1)
    hair = 0.8 * _ramp(place[:, 1] - hairline + temple, -0.006, 0.032) * (mirrored[:, 0] < 0.081)
    colour += hair[:, None] * (np.array(_HAIR) - colour)
    return colour


def _mix(first: tuple[int, ...], second: tuple[int, ...], share: Float64) -> Float64:
    return np.asarray(np.array(first) + share[:, None] * (np.array(second, np.float64) - np.array(first)))


def _ramp(value: Float64, low: float, high: float) -> Float64:
    share = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _behind(place: Float64, front: float, back: float) -> Float64:
    return _ramp(front - place[:, 2], 0.0, front - back)


def _spot(place: Float64, centre: Float64, radius: float) -> Float64:
    return np.asarray(np.exp(-(((place - centre) / radius) ** 2).sum(axis=1)))
