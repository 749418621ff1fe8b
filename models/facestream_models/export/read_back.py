"""Weights read back from the graphs that they were exported into, where no checkpoint is left.

    network with a number of its own in each place ─> exporter ─> where in the file each place went ─> shipped file

The exporter is deterministic but for what stands in the weights: it splits, transposes and joins matrices, and names
what is left in the order in which it meets them. So a network of the same shape, exported with numbers that occur once,
tells where each of its weights stands in a file.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from facestream.errors import BundleError
from facestream.types import Float32

Export = Callable[[Path], Sequence[str]]
"""Writes graphs of the network as it stands into a folder; gives their names."""


@torch.no_grad()
def read_back(networks: Sequence[nn.Module], export: Export, folder: Path, scratch: Path) -> int:
    """Fill the parameters of `networks` with what the graphs in `folder` hold; `scratch` is an empty folder.

    Returns how many numbers no graph reads: those stay as they were. Raises `BundleError` for a file that this
    exporter, with networks of this shape, can not have written.
    """
    weights = list(dict.fromkeys(weight for network in networks for weight in network.parameters()))
    before = torch.cat([weight.flatten() for weight in weights])
    own = _numbers_of_their_own(len(before))
    _put(weights, torch.from_numpy(own))
    found = np.full(len(own), np.nan, np.float32)
    for name in export(scratch):
        told, shipped = stored_numbers(scratch / name), stored_numbers(folder / name)
        if {key: value.shape for key, value in told.items()} != {key: value.shape for key, value in shipped.items()}:
            raise BundleError(
                f"{folder / name}: found tensors of other names or sizes than {name} has when written now"
            )
        for key, values in told.items():
            places = np.searchsorted(own, values.ravel()).clip(max=len(own) - 1)
            is_weight = own[places] == values.ravel()
            found[places[is_weight]] = shipped[key].ravel()[is_weight]
    is_missing = torch.from_numpy(np.isnan(found))
    _put(weights, torch.where(is_missing, before, torch.from_numpy(found)))
    return int(is_missing.sum())


def _put(weights: Sequence[nn.Parameter], values: torch.Tensor) -> None:
    """`values` [N] into all `weights` in turn."""
    for weight, part in zip(weights, torch.split(values, [weight.numel() for weight in weights]), strict=True):
        weight.copy_(part.reshape(weight.shape))


def _numbers_of_their_own(count: int) -> Float32:
    """float32 [count], rising, so small that none is a number which a graph holds for itself."""
    bits = np.float32(1e-20).view(np.uint32) + np.arange(count, dtype=np.uint32)
    return bits.view(np.float32)


def stored_numbers(path: Path) -> dict[str, Float32]:
    """Stored numbers of a graph by name, as float32 whatever they are stored in."""
    tensors = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    return {name: values.astype(np.float32) for name, values in tensors.items() if values.dtype.kind == "f"}
