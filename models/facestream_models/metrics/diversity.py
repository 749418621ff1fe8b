"""How different the motions are that one audio is given.

The mean over all pairs of samples of the mean distance of their points, in millimetres (DEEPTalk specification, section
1.8; the paper publishes neither its representation nor its count of pairs). It says nothing of whether the motions fit
the speech: a closure rate belongs beside it.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from facestream_models.metrics.mesh_error import vertex_error_mm


def diversity_mm(samples: NDArray[np.floating]) -> float:
    """Diversity of two or more `samples` [N, F, V, 3] of one audio."""
    if len(samples) < 2:
        raise ValueError(f"{len(samples)} samples have no pair; draw 2 or more")
    return float(np.mean([vertex_error_mm(a, b) for a, b in combinations(samples, 2)]))
