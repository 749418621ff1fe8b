"""Writes a live bundle: `python -m facestream_models.export.bundle --weights weights.pt --head DIR --out DIR`.

A bundle is `live.onnx`, `hop.onnx` (its graph for one hop), `manifest.json` (the schema of `facestream.engines.bundle`)
and `card.md`, the model card, which says what the weights were trained on and what they can not do.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from facestream.engines.bundle import Bundle
from facestream_models.corpus.phones import CLASSES
from facestream_models.export.hop import HOP_GRAPH, export_hop
from facestream_models.export.manifest import complete_bundle
from facestream_models.export.onnx import (
    EXTRAS,
    STATE_PREFIX,
    LiveGraph,
    curves_to_motion,
    export_onnx,
    round_to_half,
)
from facestream_models.live.network import HOP_SAMPLES, STEP_RATE, LiveNetwork
from facestream_models.live.weights import load_network

GRAPH = "live.onnx"
CARD = "card.md"


def write_bundle(
    network: LiveNetwork, profile: Path, folder: Path, *, version: str, training: dict[str, Any], card: str
) -> Bundle:
    """Write `network` as a bundle for the head whose `rig_profile.npz` is given, and open it as the runtime would."""
    folder.mkdir(parents=True, exist_ok=True)
    to_motion = curves_to_motion(profile)
    export_onnx(round_to_half(network), to_motion, folder / GRAPH)
    export_hop(LiveGraph(network, to_motion), folder, GRAPH)
    (folder / CARD).write_text(card, encoding="utf-8")
    return complete_bundle(
        folder,
        family="live",
        name="live",
        version=version,
        motion_rate=STEP_RATE,
        extras=EXTRAS,
        phone_classes=CLASSES,
        head_digest=_head_digest(profile),
        licence="Apache-2.0",
        training=training,
        graph=GRAPH,
        hop_graph=HOP_GRAPH,
        hop_samples=HOP_SAMPLES,
        lookahead_samples=network.shape.lookahead_samples,
        inputs=[{"name": "pcm", "shape": ["B", f"{HOP_SAMPLES}*S"]}],
        states=[
            {"name": STATE_PREFIX + name, "shape": list(value.shape[1:])}
            for name, value in network.fresh_state(1).items()
        ],
    )


def _head_digest(profile: Path) -> str:
    with np.load(profile, allow_pickle=False) as stored:
        return str(stored["head_digest"])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, required=True, help="weights.pt of a training run")
    parser.add_argument("--head", type=Path, required=True, help="folder of the head: rig_profile.npz")
    parser.add_argument("--card", type=Path, required=True, help="the model card, in Markdown")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1.0")
    arguments = parser.parse_args()
    network = load_network(arguments.weights)
    facts = torch.load(arguments.weights, weights_only=True)["facts"]
    bundle = write_bundle(
        network, arguments.head / "rig_profile.npz", arguments.out, version=arguments.version, training=facts,
        card=arguments.card.read_text(encoding="utf-8"),
    )  # fmt: skip
    size = sum(path.stat().st_size for path in bundle.folder.iterdir())
    print(f"{bundle.folder}: {bundle.manifest.name} {bundle.manifest.version}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
