"""A face of fewer points, for losses: an even sample measures an error as well as all points, and far sooner."""

import copy

from torch import Tensor

from facestream_models.metrics.face_mesh import FaceMesh


def some_points(mesh: FaceMesh, chosen: Tensor | slice) -> FaceMesh:
    """`mesh` with its `chosen` points only: a mask [V], indices or a slice."""
    fewer = copy.deepcopy(mesh)
    for name, values in mesh.named_buffers():
        if name == "expression":  # [coefficients, V, 3]
            fewer.register_buffer(name, values[:, chosen].contiguous(), persistent=False)
        elif name != "joint":
            fewer.register_buffer(name, values[chosen].contiguous(), persistent=False)
    return fewer
