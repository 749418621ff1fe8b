"""What deeptalk-compact is worth: on acted takes that training never saw, and on real speech beside `live`.

    python -m facestream_bench.deeptalk --runs RUNS --data TAKES --speech SPEECH --prompts-en PROMPTS

Writes `benchmarks/results/deeptalk.json`. RUNS holds the folders of all stages, because the embedding of faces is
trained there and does not ship; in its folder `onlookers` lie the classifier of frames and the lip reader that measure,
of which no other stage knows (configs `frame_emotion_onlooker`, `lip_reader_onlooker`). TAKES is a folder of
`facestream_models.corpus.emotional`, of which `validation` is used; SPEECH and PROMPTS are those of
`facestream_bench.quality`. With --bundle the path of a client is measured too, for that bundle and for `live`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from facestream.engines.bundle import Bundle, shipped_folder
from facestream.retarget.profile import load_profile
from facestream_bench import deeptalk_speech as speech
from facestream_bench import deeptalk_takes as acted
from facestream_bench import quality_sets as sets
from facestream_bench.deeptalk_motion import Actor, Face, Onlookers
from facestream_bench.quality_systems import BundleNetwork, Product
from facestream_bench.results import write_results
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.deeptalk.stages.build import load_frame_emotion, load_judges, load_lip_reader
from facestream_models.export.deeptalk import heard_presets, load_compact
from facestream_models.export.onnx import round_to_half
from facestream_models.training.run import load_stage

Figures = dict[str, float]

SEEDS = (1, 2)
TEMPERATURE = 1.0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True, help="folder with a folder of each stage")
    parser.add_argument("--stage", default="generator-2", choices=["generator-1", "generator-2"])
    parser.add_argument("--bundle", type=Path, help="the bundle made of them, for the path of a client")
    parser.add_argument("--live", type=Path, default=shipped_folder() / "live", help="folder of the live bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder of acted takes with validation/")
    parser.add_argument("--takes", type=int, default=40, help="how many takes of each emotion at most")
    parser.add_argument(
        "--speech", type=Path, help="folder with asterisk-en, grid-s1, grid-other; default: no real speech"
    )
    parser.add_argument("--prompts-en", type=Path, help="folder of the English KEY.g722 prompts")
    parser.add_argument("--prompts", type=int, help="only so many of them")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_compact(arguments.runs, arguments.stage)
    round_to_half(network)  # as it ships
    actor, face = Actor(network), Face(load_judges(arguments.runs), load_onlookers(arguments.runs))
    live = BundleNetwork(arguments.live, shipped_folder() / "head")
    figures = {
        "training.minutes": _training_seconds(arguments.runs, arguments.stage) / 60.0,
        "size.parameters_millions": sum(weight.numel() for weight in network.parameters()) / 1e6,
    }
    figures |= _on_takes(actor, face, live, arguments)
    if arguments.speech:
        figures |= _on_speech(actor, face, live, arguments)
    figures = {f"deeptalk.{name}": value for name, value in figures.items()}
    notes = [
        "accuracy of classes: read off the lips by the lip reader of this repository, for all systems alike",
        "acted takes are synthetic, made by this repository's rules; no real emotional speech was measured",
    ]
    path = write_results("deeptalk", _command(arguments), figures, path=arguments.output, notes=notes)
    print(f"written to {path}")


def _training_seconds(runs: Path, stage: str) -> float:
    """Of takes that the stage that heard most of them was trained on."""
    return max(float(load_stage(runs, name)["facts"]["training_seconds"]) for name in ("embedding", "prior", stage))


def load_onlookers(runs: Path) -> Onlookers:
    """Those in the folder `onlookers` of `runs`."""
    folder = runs / "onlookers"
    return Onlookers(load_frame_emotion(folder), load_lip_reader(folder))


def _on_takes(actor: Actor, face: Face, live: BundleNetwork, arguments: argparse.Namespace) -> Figures:
    takes = acted.held_takes(iterate_takes(arguments.data / "validation", load_profile().head_digest), arguments.takes)
    figures = _told("takes", acted.count_takes(takes))
    figures |= _told("prior", acted.score_prior(actor, face, takes))
    figures |= _told("retrieval", acted.score_embedding(actor, face, takes, np.random.default_rng(1)))
    random = np.random.default_rng(2)
    figures |= _told("generator", acted.score_generator(actor, face, takes, SEEDS, TEMPERATURE, random))
    figures |= _told("generator.preset", acted.score_presets(actor, face, takes, _presets(actor, arguments)))
    unmoved = [live.motion(take.audio)[0][::2] for take in takes]
    accuracy = acted.score_shown(face, unmoved, takes)["accuracy"]
    return figures | _told("live", {"emotion.accuracy": accuracy, "closure": acted.closure(face, unmoved, takes)})


def _on_speech(actor: Actor, face: Face, live: BundleNetwork, arguments: argparse.Namespace) -> Figures:
    folder: Path = arguments.speech
    prompts = sets.english_prompts(folder / "asterisk-en" / "classes.json", arguments.prompts_en)[: arguments.prompts]
    lips = {"grid": sets.grid_held_out(folder / "grid-s1"), "other": sets.grid_other(folder / "grid-other")}
    products = {}
    if arguments.bundle:
        products = {
            "deeptalk": Product(arguments.bundle),
            "deeptalk_sampled": Product(arguments.bundle, sampled=True),
            "live": Product(arguments.live),
        }
    figures = _told("speech.rules", speech.score_system(speech.rules(face, prompts), prompts, {}))
    by_system: dict[str, Figures] = {}
    for name, system in speech.systems(actor, face, live, products, SEEDS[0], TEMPERATURE).items():
        by_system[name] = speech.score_system(system, prompts, lips)
        figures |= _told(f"speech.{name}", by_system[name])
    return figures | _told("speech", speech.beside_live(by_system) | speech.shown_on(actor, face, prompts))


def _presets(actor: Actor, arguments: argparse.Namespace) -> dict[str, torch.Tensor]:
    """The bundle's, or without one what the network hears in the takes for training."""
    if arguments.bundle:
        abilities = Bundle.open(arguments.bundle).model.abilities
        assert abilities is not None
        return {name: torch.from_numpy(emotion.mean) for name, emotion in abilities.presets.items()}
    heard = heard_presets(actor.network, arguments.data / "train")
    return {str(name): torch.from_numpy(mean) for name, mean in zip(heard["names"], heard["mean"], strict=True)}


def _told(part: str, found: Figures) -> Figures:
    """`found` under the name of the part, printed as soon as it is there."""
    figures = {f"{part}.{name}": value for name, value in found.items()}
    for name, value in figures.items():
        print(f"{name:56s} {value:8.3f}", flush=True)
    return figures


def _command(arguments: argparse.Namespace) -> str:
    """The command for the record: folders by what they are, not by where this machine keeps them."""
    parts = ["python -m facestream_bench.deeptalk"]
    for name, value in vars(arguments).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, Path) and name not in ("output", "live"):
            parts.append(f"{option} {name.upper()}")
        elif isinstance(value, int | str):
            parts.append(f"{option} {value}")
    return " ".join(parts)


if __name__ == "__main__":
    main()
