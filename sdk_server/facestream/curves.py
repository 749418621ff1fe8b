"""The 52 ARKit blendshapes: names, orders, mirror pairs and opposed pairs.

Three orders exist in the field and must never be mixed. Inside this project, on the wire and in Unreal's Live
Link it is the *canonical* one (Apple's documentation); the Live Link Face app swaps two pairs in its CSV files;
dictionaries and MediaPipe sort by name. "Left" and "right" are always the subject's own.
"""

ARKIT_NAMES: tuple[str, ...] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""Canonical order. Column `C` of every weight array."""

CURVE_COUNT = len(ARKIT_NAMES)

INDEX: dict[str, int] = {name: index for index, name in enumerate(ARKIT_NAMES)}
"""Canonical name -> column."""


def _swapped(*pairs: tuple[str, str]) -> tuple[str, ...]:
    names = list(ARKIT_NAMES)
    for first, second in pairs:
        names[INDEX[first]], names[INDEX[second]] = second, first
    return tuple(names)


CSV_NAMES: tuple[str, ...] = _swapped(("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))
"""Column order of CSV files recorded by the Live Link Face app."""

ALPHABETICAL_NAMES: tuple[str, ...] = tuple(sorted(ARKIT_NAMES))
"""Order of sorted dictionaries; MediaPipe puts `_neutral` before it and leaves out `tongueOut`."""

MIRROR_PAIRS: tuple[tuple[str, str], ...] = tuple(
    (name, name.removesuffix("Left") + "Right") for name in ARKIT_NAMES if name.endswith("Left")
)
"""Left and right twins; mirroring a face swaps the two of each pair."""

OPPOSED_PAIRS: tuple[tuple[str, str], ...] = (
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
    *((f"eyeLookIn{side}", f"eyeLookOut{side}") for side in ("Left", "Right")),
    *((f"eyeLookUp{side}", f"eyeLookDown{side}") for side in ("Left", "Right")),
)
"""Two halves of one signed motion: at most one of each pair is active at a time."""


def columns(*names: str) -> list[int]:
    """Canonical columns of the named curves, in the order given."""
    return [INDEX[name] for name in names]


def sided(*names: str) -> list[int]:
    """Columns of both sides of each name: `sided("mouthSmile")` gives left, then right."""
    return [INDEX[name + side] for name in names for side in ("Left", "Right")]
