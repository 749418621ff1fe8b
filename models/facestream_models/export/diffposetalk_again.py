"""Writes graphs of the shipped diffposetalk bundle anew after the exporter has changed, where no checkpoint is left.

    python -m facestream_models.export.diffposetalk_again read BUNDLE -o weights.pt
    python -m facestream_models.export.diffposetalk_again write weights.pt BUNDLE --graphs stride.onnx --version 1.3

`read` belongs to the exporter that wrote BUNDLE, `write` to the new one, which holds every graph to torch. A style
belongs to the file of its encoder: styles that people keep are refused once style.onnx is another.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from facestream.engines.bundle import MANIFEST, Bundle
from facestream_models.diffposetalk.bundle import LEARNED, LEARNED_VECTORS, DistilledStudent
from facestream_models.diffposetalk.compact import COMPACT, ContentMap, compact_model
from facestream_models.diffposetalk.graphs import DENOISE_GRAPH, STRIDE_GRAPH, export_graphs
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.student import Student
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.export.diffposetalk import SAMPLING
from facestream_models.export.graphs import Graph
from facestream_models.export.manifest import graph_specs
from facestream_models.export.onnx import round_to_half
from facestream_models.export.read_back import read_back
from facestream_models.live.network import LiveNetwork, LiveShape
from facestream_models.released.folder import sha256


class Networks(NamedTuple):
    """All that the graphs of a bundle are made of; the student hears what its teacher hears."""

    model: DiffPoseTalk
    student: Student
    style_encoder: StyleEncoder

    def export(self, folder: Path) -> dict[str, Graph]:
        """Write the graphs into `folder`; by file name."""
        return export_graphs(self.model, self.style_encoder, folder, self.student)


def blank_networks() -> Networks:
    """The shipped bundle's, untrained."""
    model = compact_model(
        DiffPoseTalk(COMPACT, ContentMap(COMPACT.width)).eval(), LiveNetwork(LiveShape()).requires_grad_(False).eval()
    )
    model.denoiser.head_trust = model.denoiser.fresh_head_trust()
    return Networks(model, Student(model.denoiser).eval(), StyleEncoder(COMPACT, legacy_positions=False).eval())


@torch.no_grad()
def fill(networks: Networks, folder: Path) -> None:
    """Put the weights of the bundle in `folder` into `networks`; what no graph reads stays as it is.

    Raises `BundleError` for a bundle of another exporter or shape.
    """
    model, student, _ = networks
    for own, theirs in zip(student.denoiser.layers, model.denoiser.layers, strict=True):
        own.cross_attention = theirs.cross_attention
    with tempfile.TemporaryDirectory() as scratch:
        read_back(networks, lambda into: list(networks.export(into)), folder, Path(scratch))
    with np.load(folder / LEARNED) as stored:
        for name in LEARNED_VECTORS:
            vector: torch.nn.Parameter = getattr(model, name)
            vector.copy_(torch.from_numpy(stored[name]).reshape(vector.shape))


def write(networks: Networks, folder: Path, names: Sequence[str], version: str) -> Bundle:
    """Replace the graphs `names` of the bundle in `folder`, and open it as the runtime would.

    With either network comes how it is sampled, for which it was made.
    Raises `EngineError` where a graph is not equal to torch, `KeyError` for one that is none of them.
    """
    path = folder / MANIFEST
    content = json.loads(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        graphs = networks.export(Path(scratch))
        told = {spec["file"]: spec for spec in graph_specs(graphs)}
        for name in names:
            content["graphs"] = [told[name] if spec["file"] == name else spec for spec in content["graphs"]]
            shutil.copy(Path(scratch) / name, folder / name)
            content["files"][name] = sha256(folder / name)
    if DENOISE_GRAPH in names:
        content["sampling"] = SAMPLING.told()
    if STRIDE_GRAPH in names:
        content["distilled"] |= DistilledStudent._field_defaults
    content["version"] = version
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return Bundle.open(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    reading, writing = commands.add_parser("read"), commands.add_parser("write")
    reading.add_argument("bundle", type=Path)
    reading.add_argument("-o", "--output", type=Path, required=True)
    writing.add_argument("weights", type=Path)
    writing.add_argument("bundle", type=Path)
    writing.add_argument("--graphs", nargs="+", required=True)
    writing.add_argument("--version", required=True)
    arguments = parser.parse_args()
    networks = blank_networks()
    if arguments.command == "read":
        fill(networks, arguments.bundle)
        torch.save({name: network.state_dict() for name, network in networks._asdict().items()}, arguments.output)
        return
    stored = torch.load(arguments.weights, weights_only=True)
    for name, network in networks._asdict().items():
        network.load_state_dict(stored[name])
        round_to_half(network)  # what was read back is so already
    bundle = write(networks, arguments.bundle, arguments.graphs, arguments.version)
    print(f"{bundle.folder}: {bundle.manifest.name} {bundle.manifest.version}")


if __name__ == "__main__":
    main()
