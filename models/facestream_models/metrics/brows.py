"""How far the brows of a face are raised."""

import numpy as np
from numpy.typing import NDArray

from facestream.curves import INDEX


def raised_brows(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """ARKit weights [F, 52] -> raised less lowered [F], -1 to 2: inner brows and the left ones."""
    inner, outer, lowered = (weights[:, INDEX[name]] for name in ("browInnerUp", "browOuterUpLeft", "browDownLeft"))
    return np.asarray(inner + outer - lowered, np.float32)
