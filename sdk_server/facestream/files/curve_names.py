"""Which ARKit curve, or viseme, a mesh means by the name of a morph target (engine-formats section 7).

The name counts without regard to case, with or without the prefixes of exporters (`head_geo.jawOpen`,
`blendShape1:jawOpen`, `ARKit_jawOpen`), and with any spelling of its side (`mouthSmileLeft`, `mouthSmile_L`,
`mouth_smile.left`).
"""

import re
from collections.abc import Iterable
from functools import cache

from facestream.curves import ARKIT_NAMES
from facestream.visemes import MESH_NAMES

_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")


def _spellings(name: str) -> Iterable[str]:
    yield name.lower()
    for side in ("Left", "Right"):
        # jawLeft and mouthLeft are no sides of a shape: "jaw_L" is as good a name, but nobody writes it
        if name.endswith(side):
            yield name.removesuffix(side).lower() + side[0].lower()


_CURVES = {spelling: index for index, name in enumerate(ARKIT_NAMES) for spelling in _spellings(name)}
_VISEMES = {name.replace("_", "").lower(): index for index, name in enumerate(MESH_NAMES)}


@cache
def curve_of(name: str) -> int | None:
    """Canonical column of the curve that a morph target stands for; `None` for any other."""
    return _found(name, _CURVES)


@cache
def viseme_of(name: str) -> int | None:
    """Column of the viseme that a morph target stands for (`viseme_PP`); `None` for any other."""
    return _found(name, _VISEMES)


def _found(name: str, known: dict[str, int]) -> int | None:
    parts = [part for part in _SEPARATORS.split(name) if part]
    for first in range(len(parts)):  # the longest name first: mouth_left is no left of something
        index = known.get("".join(parts[first:]).lower())
        if index is not None:
            return index
    return None
