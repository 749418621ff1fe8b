"""The `live` network of a bundle, back from its graph."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from facestream.engines.bundle import Bundle
from facestream.errors import BundleError
from facestream_models.export.onnx import LiveGraph
from facestream_models.live.network import LiveNetwork, LiveShape
from facestream_models.training.config import from_values

_STORED_HALF = "_half"


def live_graph_of(bundle: Bundle) -> LiveGraph:
    """The module that a `live` bundle was exported from. Raises `BundleError` where the file does not tell it."""
    stored = {
        tensor.name.removesuffix(_STORED_HALF): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in onnx.load(bundle.graph_path).graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }
    if "to_motion" not in stored or "shape" not in bundle.manifest.training:
        raise BundleError(f"{bundle.graph_path}: found no names of a live network; export it with this release")
    network = LiveNetwork(from_values(bundle.manifest.training["shape"], LiveShape))
    weights = {name: _weight(f"network.{name}", value, stored, bundle) for name, value in network.state_dict().items()}
    network.load_state_dict(weights)
    return LiveGraph(network.eval(), stored["to_motion"].numpy()).eval()


def _weight(name: str, like: Tensor, stored: dict[str, Tensor], bundle: Bundle) -> Tensor:
    """By its name; a matrix that the exporter turned round has none, and is the only one of its shape."""
    if name in stored:
        return stored[name]
    turned = [value for key, value in stored.items() if "." not in key and value.shape == like.T.shape]
    if like.ndim != 2 or len(turned) != 1:
        raise BundleError(f"{bundle.graph_path}: found {len(turned)} tensors that may be {name!r}; expected one")
    return turned[0].T
