"""Quality on real speech that training never saw: `facestream-bench quality --bundle DIR --data DIR ...`.

Writes the figures of `quality_scores.py` for the whole product path (`quality.*`), for the network alone
(`network.*`) and for a jaw driven by loudness (`loudness.*`). The keys without speech, `open.*`, are shares of frames.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from facestream_bench import quality_scores as scores
from facestream_bench import quality_sets as sets
from facestream_bench.command import command_of
from facestream_bench.quality_systems import BundleNetwork, Product, System, Weights, loudness_jaw
from facestream_bench.results import write_results
from facestream_models.corpus.store import iterate

NOISE_RATIOS_DB = (20, 10, 5, 0)
NOISY_PROMPTS = 80


class Ground:
    """All evaluation data, loaded once and shared by the systems."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        random = np.random.default_rng(7)
        data: Path = arguments.data
        self.prompts = sets.english_prompts(data / "asterisk-en" / "classes.json", arguments.prompts_en)
        self.grid = sets.grid_held_out(data / "grid-s1")
        self.other = sets.grid_other(data / "grid-other")
        self.quiet = dict(sets.without_speech(arguments.music, random))
        self.noisy = {
            ratio: [sets.with_pink_noise(clip.audio, ratio, random) for clip in self.prompts[:NOISY_PROMPTS]]
            for ratio in NOISE_RATIOS_DB
        }
        self.aligned: dict[str, list[sets.SpeechClip]] = defaultdict(list)
        if arguments.aligned:
            for utterance in iterate(arguments.aligned):
                if len(self.aligned[utterance.source]) < arguments.aligned_clips:
                    self.aligned[utterance.source].append(sets.from_corpus(utterance))

    def judge(self, system: System, *, quick: bool) -> dict[str, float]:
        """Every figure of one system."""
        prompts = scores.score_speech(system, self.prompts)
        figures = {"sync_ms": prompts.pop("sync_ms")}
        figures.update({f"prompts.{name}": value for name, value in prompts.items()})
        figures.update({f"grid.{name}": value for name, value in scores.score_lips(system, self.grid).items()})
        figures.update({f"other.{name}": value for name, value in scores.score_lips(system, self.other).items()})
        for ratio, audio in self.noisy.items():
            if ratio == 10 or not quick:
                figures[f"noise{ratio}.closure"] = scores.score_closure(system, self.prompts[:NOISY_PROMPTS], audio)
        for name, sounds in self.quiet.items():
            found = scores.score_without_speech(system, sounds)
            figures.update({f"open.{name}": found["open"], f"open_mean.{name}": found["mean"]})
        for source, clips in self.aligned.items():
            found = scores.score_speech(system, clips)
            figures.update({f"{source}.{name}": value for name, value in found.items()})
        return figures


def main(words: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser("facestream-bench quality", description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="folder of a live bundle")
    parser.add_argument("--head", type=Path, help="folder of its head; default: beside the bundle")
    parser.add_argument("--weights", type=Path, help="weights.pt of a training run instead of a bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder with asterisk-en, grid-s1, grid-other")
    parser.add_argument("--prompts-en", type=Path, required=True, help="folder of the English KEY.g722 prompts")
    parser.add_argument("--music", type=Path, required=True, help="folder of music as .g722")
    parser.add_argument("--aligned", type=Path, help="corpus folder of aligned real speech, one source a set")
    parser.add_argument("--aligned-clips", type=int, default=200, help="how many clips of each such set")
    parser.add_argument("--quick", action="store_true", help="fewer noise levels, no baseline")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args(words)
    ground = Ground(arguments)
    systems: dict[str, System] = {}
    if arguments.weights:
        systems["network"] = Weights(arguments.weights)
    if arguments.bundle:
        head = arguments.head or arguments.bundle.parent / "head"
        systems["quality"] = Product(arguments.bundle)
        systems["network"] = BundleNetwork(arguments.bundle, head)
    if not systems:
        parser.error("give --bundle or --weights")
    if not arguments.quick:
        systems["loudness"] = loudness_jaw
    figures = {}
    for prefix, system in systems.items():
        found = ground.judge(system, quick=arguments.quick)
        for name, value in found.items():
            print(f"{prefix}.{name:28s} {value:8.3f}", flush=True)
            figures[f"{prefix}.{name}"] = value
    # The product path gives weights, not classes; accuracy is a property of its network.
    for name in ("accuracy", "accuracy_all"):
        if "quality.prompts.closure" in figures:
            figures[f"quality.prompts.{name}"] = figures[f"network.prompts.{name}"]
    if arguments.output:
        command = command_of(parser.prog, parser, arguments)
        write_results("quality", command, figures, path=arguments.output)
