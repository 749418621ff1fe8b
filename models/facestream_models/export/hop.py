"""The graph of one hop, for an engine that keeps what streams remember in rings (`facestream.engines.onnx_hops`).

`live.onnx` takes any number of hops, so it takes all that its blocks remember and gives it back moved on: 87 kB in and
out for each stream, where one hop hears 50 kB of it and adds 12. To move that about took half as long as the matrix
products. `hop.onnx` takes the moments alone that the taps of a hop fall on, the oldest first, and gives the new ones.
Its weights are those in `live.onnx`; it says where in that file they lie.

    python -m facestream_models.export.hop models/facestream_bundles/live        adds one to a bundle that has none
"""

import argparse
import copy
import json
from pathlib import Path

import onnx
import torch
from onnx.external_data_helper import set_external_data
from torch import Tensor, nn

from facestream.engines.bundle import MANIFEST, Bundle
from facestream_models.encoders.causal import CausalBlock, CausalDepthwise, with_history
from facestream_models.export.onnx import LiveGraph, exported
from facestream_models.export.stored_live import live_graph_of
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, Stem
from facestream_models.released.folder import sha256

HOP_GRAPH = "hop.onnx"
_SMALLEST = 1024
"""Numbers in a tensor that is worth looking up elsewhere."""


class HopDepthwise(nn.Module):
    """`CausalDepthwise` for a single step `x` [B, 1, C] and the moments `taps` [B, kernel - 1, C] that it hears."""

    def __init__(self, of: CausalDepthwise) -> None:
        super().__init__()
        self.weight, self.bias = of.weight, of.bias
        self.history = of.kernel - 1

    def forward(self, x: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
        """What is heard, and the moment to remember."""
        heard = (taps * self.weight[:-1]).sum(dim=1, keepdim=True)
        return heard + (x * self.weight[-1] + self.bias), x


class HopStem(nn.Module):
    """`Stem` for a single hop: the one moment that it remembers goes before the new ones, as they lie there."""

    def __init__(self, of: Stem) -> None:
        super().__init__()
        self.of = of

    def forward(self, features: Tensor, early: Tensor, late: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`features` [B, 4, bands] -> [B, 1, width]; states as of the whole stem."""
        extended, next_early = with_history(features, early)
        x = nn.functional.silu(self.of.first(extended[:, None]))  # [B, channels, 4, bands / 2]
        moments = torch.cat([late.reshape(-1, x.shape[1], 1, x.shape[3]), x], dim=2)
        y = nn.functional.silu(self.of.second(moments)).transpose(1, 2).flatten(1)
        return self.of.norm(self.of.project(y[:, None])), next_early, x[:, :, -1].flatten(1)[:, None]


class HopGraph(nn.Module):
    """`graph` for one hop. The trunk hears it as one step; the curves are `HOP_STEPS` of them, and take all that they
    remember, on which their taps fall.
    """

    def __init__(self, graph: LiveGraph) -> None:
        super().__init__()
        self.whole = copy.deepcopy(graph)
        self._new_rows = {name: HOP_STEPS for name in graph.state_names if name.startswith("curve_")}
        network = self.whole.network
        setattr(network, "stem", HopStem(network.stem))  # noqa: B010 - another class than was declared
        for block in network.blocks:
            assert isinstance(block, CausalBlock)
            setattr(block, "time", HopDepthwise(block.time))  # noqa: B010 - likewise

    def forward(self, pcm: Tensor, taps: list[Tensor]) -> tuple[Tensor, ...]:
        """`pcm` [B, 640] -> motion [B, 2, D], phone [B, 2, 21], what is new of each state."""
        motion, phone, *following = self.whole(pcm, taps)
        names = self.whole.state_names
        new = (state[:, -self._new_rows.get(name, 0) :] for name, state in zip(names, following, strict=True))
        return (motion, phone, *new)


def export_hop(graph: LiveGraph, folder: Path, stored_in: str) -> None:
    """Write `HOP_GRAPH` of `graph` to `folder`, with the weights that are found there in the file `stored_in`."""
    hop = HopGraph(graph)
    model = exported(hop, torch.zeros(3, HOP_SAMPLES), hop.whole.network.fresh_state(3), "new_")
    bytes_there = (folder / stored_in).read_bytes()
    for tensor in model.graph.initializer:
        place = bytes_there.find(tensor.raw_data) if len(tensor.raw_data) >= _SMALLEST else -1
        if place >= 0:
            set_external_data(tensor, stored_in, offset=place, length=len(tensor.raw_data))
            tensor.ClearField("raw_data")
    onnx.save(model, folder / HOP_GRAPH)
    onnx.checker.check_model(folder / HOP_GRAPH)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="folder of a live bundle")
    folder = parser.parse_args().bundle
    bundle = Bundle.open(folder)
    export_hop(live_graph_of(bundle), folder, bundle.live.graph)
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    content["hop_graph"] = HOP_GRAPH
    content["files"][HOP_GRAPH] = sha256(folder / HOP_GRAPH)
    (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    Bundle.open(folder)


if __name__ == "__main__":
    main()
