"""Writes the compact deeptalk bundle from the folders in which its stages were trained.

    python -m facestream_models.export.deeptalk --runs RUNS --data TAKES --card CARD.md --out FOLDER

RUNS holds a folder for each stage (`live`, `embedding`, `prior`, `generator-1` or `generator-2`) as `facestream-train
deeptalk` leaves them. Presets are what the emotion encoder hears in the strongest acted takes of each emotion in
TAKES/train: the mean of their means, at unit length, and of their log-variances. The same runs and takes give the same
bytes.
"""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from facestream.engines.bundle import Bundle
from facestream.errors import InvalidValue
from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.emotions import EMOTIONS, INTENSITIES
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.deeptalk.audio import CODE_SAMPLES
from facestream_models.deeptalk.bundle import CARD, COMPACT_HEARING, PRESETS, write_manifest
from facestream_models.deeptalk.compact import CompactDeepTalk, CompactShape
from facestream_models.deeptalk.graph import export_graphs
from facestream_models.export.manifest import check_replaceable, cleared
from facestream_models.export.onnx import round_to_half
from facestream_models.live.weights import load_network
from facestream_models.training.config import from_values
from facestream_models.training.run import WEIGHTS, load_stage

NAME = "deeptalk-compact"
TAKES_PER_EMOTION = 100


def load_compact(runs: Path, stage: str) -> tuple[CompactDeepTalk, dict[str, Any]]:
    """The network that the stages in `runs` make, and what its last one tells of its training.

    Raises FileNotFoundError naming a stage that is not there.
    """
    last, embedding = load_stage(runs, stage), load_stage(runs, "embedding")["weights"]
    network = CompactDeepTalk(from_values(last["facts"]["shape"], CompactShape))
    network.content.network.load_state_dict(load_network(runs / "live" / WEIGHTS).state_dict())
    speech = {name.removeprefix("speech."): value for name, value in embedding.items() if name.startswith("speech.")}
    network.emotion.load_state_dict(speech)
    network.prior.load_state_dict(load_stage(runs, "prior")["weights"])
    network.generator.load_state_dict(last["weights"])
    told = {name: value for name, value in last["facts"].items() if name != "shape"}
    return network.eval(), {"stage": stage, "step": last["step"], **told}


def write_bundle(
    network: CompactDeepTalk,
    presets: dict[str, NDArray[Any]] | None,
    folder: Path,
    *,
    version: str,
    training: dict[str, Any],
    card: str,
) -> Bundle:
    """Write `network` as a bundle for the open head in place of what `folder` holds; open it as the runtime would.

    `presets` are arrays `names` [P], `mean` and `log_variance` [P, 128]. Raises `EngineError` where a graph is not
    equal to torch, `InvalidValue` where `folder` holds anything but a bundle.
    """
    cleared(folder)
    graphs = export_graphs(network, folder)
    if presets is not None:
        np.savez(
            folder / PRESETS,
            names=presets["names"], mean=presets["mean"], log_variance=presets["log_variance"],
        )  # fmt: skip
    (folder / CARD).write_text(card, encoding="utf-8")
    return write_manifest(
        folder,
        network,
        graphs,
        name=NAME,
        version=version,
        speakers=[f"speaker-{number + 1:02d}" for number in range(network.shape.generator.actors)],
        head_digest=load_profile().head_digest,
        licence="Apache-2.0",
        training=training,
    )


@torch.no_grad()
def heard_presets(network: CompactDeepTalk, data: Path) -> dict[str, NDArray[Any]]:
    """What each emotion sounds like to `network`, from the unmixed takes of greatest intensity in `data`."""
    heard: dict[int, list[torch.Tensor]] = defaultdict(list)
    for take in iterate_takes(data, load_profile().head_digest):
        if take.act.intensity < max(INTENSITIES) and EMOTIONS[take.act.emotion] != "neutral":
            continue
        if take.act.share or len(heard[take.act.emotion]) >= TAKES_PER_EMOTION:
            continue
        heard[take.act.emotion].append(torch.stack(network.hear_emotion(_speech_of(take))))
    found = {EMOTIONS[emotion]: torch.cat(each, dim=1).mean(dim=1) for emotion, each in sorted(heard.items()) if each}
    if not found:
        raise ValueError(f"{data}: found no take of full intensity; generate the acted takes first")
    return {
        "names": np.array(list(found)),
        "mean": F.normalize(torch.stack([mean for mean, _ in found.values()]), dim=1).numpy(),
        "log_variance": torch.stack([spread for _, spread in found.values()]).numpy(),
    }


def _speech_of(take: Take) -> torch.Tensor:
    """Audio of a take [1, T], whole codes of it."""
    samples = take.utterance.audio[: COMPACT_HEARING["codes"] * CODE_SAMPLES]
    samples = samples[: max(len(samples) // CODE_SAMPLES, 1) * CODE_SAMPLES]
    return torch.from_numpy(samples.astype(np.float32) / 32768.0)[None]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder that holds a folder for each stage")
    parser.add_argument("--stage", default="generator-2", choices=["generator-1", "generator-2"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the acted takes: presets come from train/")
    parser.add_argument("--card", type=Path, required=True, help="the model card, in Markdown")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1.0")
    arguments = parser.parse_args()
    try:
        check_replaceable(arguments.out)
    except InvalidValue as error:
        parser.error(str(error))
    network, training = load_compact(arguments.runs, arguments.stage)
    round_to_half(network)  # large weights are stored in half the bytes
    bundle = write_bundle(
        network,
        heard_presets(network, arguments.data / "train"),
        arguments.out,
        version=arguments.version,
        training=training,
        card=arguments.card.read_text(encoding="utf-8"),
    )
    size = sum(path.stat().st_size for path in bundle.folder.iterdir())
    print(f"{bundle.folder}: {bundle.manifest.name} {bundle.manifest.version}, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
