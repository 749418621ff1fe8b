"""What no face does: weights outside 0..1, lips closed further than the jaw is open, left and right at once."""

import numpy as np

from facestream.curves import INDEX, OPPOSED_PAIRS, columns
from facestream.types import Float32

ROUNDING_LIMIT = 1.2
"""Most that `mouthFunnel` and `mouthPucker` may add up to; together at full strength they over-drive most rigs."""

_JAW_OPEN = INDEX["jawOpen"]
_MOUTH_CLOSE = INDEX["mouthClose"]
_FUNNEL = INDEX["mouthFunnel"]
_PUCKER = INDEX["mouthPucker"]
_FIRST = columns(*(first for first, _ in OPPOSED_PAIRS))
_SECOND = columns(*(second for _, second in OPPOSED_PAIRS))


def limit(weights: Float32) -> None:
    """Bring weights `[B, C]` within what a rig can show, in place; closed lips stay closed."""
    np.clip(weights, 0.0, 1.0, out=weights)
    keep_lips_apart(weights)
    first, second = weights[:, _FIRST], weights[:, _SECOND]
    both = np.minimum(first, second)
    weights[:, _FIRST] = first - both
    weights[:, _SECOND] = second - both
    # The funnel gives way: it parts the lips, so this never opens a mouth.
    np.minimum(weights[:, _FUNNEL], ROUNDING_LIMIT - weights[:, _PUCKER], out=weights[:, _FUNNEL])


def keep_lips_apart(weights: Float32) -> None:
    """`mouthClose` is relative to the jaw: more of it than of `jawOpen` pushes the lips through each other."""
    np.minimum(weights[:, _MOUTH_CLOSE], weights[:, _JAW_OPEN], out=weights[:, _MOUTH_CLOSE])
