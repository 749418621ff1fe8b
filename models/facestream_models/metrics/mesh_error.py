"""How far one run of a face is from another, in millimetres of the points of `face_mesh.FaceMesh`.

    vertex error           mean over frames and points of the distance
    lip vertex error       mean over frames of the *largest* distance among the points of the lips (MeshTalk, arXiv
                           2104.08223, section 5; FaceFormer and CodeTalker report the same)
    dynamics deviation     FDD: |mean over points of dyn(true) - dyn(predicted)|, where dyn is the standard deviation
                           over time of a point's distance from rest, for the points of the upper face (CodeTalker,
                           arXiv 2301.02379, section 4.1)

The code released with DEEPTalk sums a displacement over x, y and z in place of its length, which depends on how the
axes lie; the length is taken here. A generator that draws one of many fitting motions is not meant to have small errors
(DEEPTalk specification, section 1.8): read them beside diversity.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]


def vertex_error_mm(predicted: Points, true: Points) -> float:
    """Mean distance of the points [F, V, 3] of two runs."""
    return float(_distances(predicted, true).mean())


def largest_error_mm(predicted: Points, true: Points) -> float:
    """Mean over frames of the largest distance; on the points of the lips [F, V, 3] it is the lip vertex error."""
    return float(_distances(predicted, true).max(axis=1).mean())


def dynamics(points: Points, rest: Points) -> NDArray[np.floating]:
    """Standard deviation over time of how far each point [F, V, 3] is from `rest` [V, 3]: [V], in mm."""
    return np.asarray(np.linalg.norm(points - rest, axis=2).std(axis=0))


def dynamics_deviation_mm(predicted: Points, true: Points, rest: Points) -> float:
    """How much more or less the points [F, V, 3] of the upper face move than they should; 0 is right."""
    return float(abs(dynamics(true, rest).mean() - dynamics(predicted, rest).mean()))


def _distances(predicted: Points, true: Points) -> NDArray[np.floating]:
    if predicted.shape != true.shape:
        raise ValueError(f"points of shape {predicted.shape} and {true.shape}: two runs must have the same frames")
    return np.asarray(np.linalg.norm(predicted - true, axis=2))
