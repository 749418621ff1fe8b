"""Named vertices of the open head."""

import numpy as np

from facestream_models.flame.crop import Crop
from facestream_models.flame.head import Float64
from facestream_models.flame.mouth_rings import MouthRings

_GAP_PLACES = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Where the lip gap is measured, as a share of the half width of the mouth."""


def place_landmarks(template: Float64, crop: Crop, rings: MouthRings) -> dict[str, int]:
    """Landmark name -> vertex index."""
    upper, lower = crop.index_of(rings.upper), crop.index_of(rings.lower)
    half_width = np.abs(template[upper, 0]).max()
    found: dict[str, int] = {}
    for number, place in enumerate(_GAP_PLACES):
        for name, lip in (("upper", upper), ("lower", lower)):
            found[f"lip_{name}_{number}"] = int(lip[np.argmin(np.abs(template[lip, 0] - place * half_width))])
    both = np.concatenate([upper, lower])
    found["mouth_corner_right"] = int(both[np.argmin(template[both, 0])])
    found["mouth_corner_left"] = int(both[np.argmax(template[both, 0])])
    return found
