"""What diffposetalk-compact is worth: styles, heads, held-out takes, and real speech beside `live`.

    python -m facestream_bench.diffposetalk_quality BUNDLE --data TAKES --reader RUNS --speech SPEECH --prompts-en DIR

Writes `benchmarks/results/diffposetalk.json`. TAKES is a folder of `facestream_models.corpus.emotional`, of which
`validation` is used: speakers, voices and texts that no training has. SPEECH and DIR are those of
`facestream_bench.quality`; no part of training heard them but the frozen trunk of `live`, see its card. RUNS holds the
folder `lip-reader` of a reader that no stage of any model knows (config `lip_reader` of diffposetalk). JUDGE, where
there is one, holds a `style` that no denoiser knows (config `style_judge`): it sees who is recognised, too.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from facestream.engines.bundle import shipped_folder
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.retarget.profile import load_profile
from facestream.styling import Styling
from facestream_bench import diffposetalk_heads as heads
from facestream_bench import diffposetalk_speech as speech
from facestream_bench import diffposetalk_styles as styles
from facestream_bench import diffposetalk_takes as takes
from facestream_bench import quality_sets as sets
from facestream_bench.deeptalk_speech import rules, score_system
from facestream_bench.diffposetalk_mover import Mover
from facestream_bench.quality_systems import BundleNetwork
from facestream_bench.results import write_results
from facestream_bench.seen_face import SeenFace
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.deeptalk.stages.build import load_lip_reader
from facestream_models.diffposetalk.compact import COMPACT, ContentMap
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.metrics.face_mesh import shipped_mesh

Figures = dict[str, float]

STRENGTH_S = 6
LONG_S, LIVE_S = 30, 8
"""Of each speaker whose seams are looked at."""


class Ground:
    """The bundle and all that it is measured on; what a part does not need is not read."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.folder = Path(arguments.bundle)
        self.mover = Mover(self.folder, arguments.steps)
        reader = None if arguments.reader is None else load_lip_reader(arguments.reader)
        self.face = SeenFace(shipped_mesh(), reader)

    @cached_property
    def takes(self) -> list[Take]:
        return list(iterate_takes(self.arguments.data / "validation", load_profile().head_digest))

    @cached_property
    def speakers(self) -> list[styles.Speaker]:
        return styles.held_speakers(self.takes)

    @cached_property
    def judge(self) -> styles.StyleOf | None:
        runs: Path | None = self.arguments.judge
        return None if runs is None else styles.judge_in(runs)

    def style_figures(self) -> Figures:
        """Retrieval, and named styles at several strengths."""
        said = [speaker.audio[: STRENGTH_S * takes.SAMPLE_RATE] for speaker in self._some(self.arguments.sentences)]
        found: Figures = {}
        for name, frames in (("retrieval", styles.STRETCH_FRAMES), ("retrieval_4s", styles.WINDOW_FRAMES)):
            random = np.random.default_rng(1)
            scored = styles.score_retrieval(
                self.mover, self.speakers, self.arguments.rounds, random, frames, self.judge
            )
            found |= _under(name, scored)
        return (
            found
            | _under("strength", styles.score_strength(self.mover, self.face, said))
            | _under("strength.measure", styles.score_measures(self.face, self.speakers))
        )

    def take_figures(self) -> Figures:
        """Errors, diversity, beats and speeds on single takes."""
        held = takes.held_takes(self.takes, self.mover, self.arguments.takes)
        moved = takes.move_takes(self.mover, held, range(1, self.arguments.seeds + 1))
        found = takes.score_takes(self.face, moved) | {"count": float(len(held))}
        return _under("takes", found) | _under("head", heads.score_heads(moved))

    def seam_figures(self) -> Figures:
        """Steps at the windows of recordings and at the hops of live streams, everyone in their own style."""
        random = np.random.default_rng(3)
        found: Figures = {}
        for name, move, seconds in (("clip", self.mover.clip, LONG_S), ("live", self.mover.live, LIVE_S)):
            made = [
                move(speaker.audio[: seconds * takes.SAMPLE_RATE],
                     self.mover.styled(self.mover.style(speaker.stretch(random))), seed)
                for seed, speaker in enumerate(self._some(self.arguments.long_clips))
            ]  # fmt: skip
            found |= _under(f"seam.{name}", heads.score_seams(self.face, made, random))
        return found

    def speech_figures(self) -> Figures:
        """Real speech: the bare network and what clients get, beside `live`."""
        arguments, live = self.arguments, shipped_folder() / "live"
        folder: Path = arguments.speech
        prompts = sets.english_prompts(folder / "asterisk-en" / "classes.json", arguments.prompts_en)
        prompts = prompts[: arguments.prompts]
        lips = {"grid": sets.grid_held_out(folder / "grid-s1"), "other": sets.grid_other(folder / "grid-other")}
        networks = speech.networks(self.mover, self.face, BundleNetwork(live, shipped_folder() / "head"))
        networks["rules"] = rules(self.face, prompts)
        clients = speech.clients(self.face, self.folder, live, arguments.styles, arguments.steps)
        streamed = speech.by_hops(self.face, self.folder, arguments.steps)
        return _under(
            "speech",
            speech.score_systems(networks, prompts, lips)
            | _under("product", speech.score_systems(clients, prompts, lips))
            | _under("product.hops", score_system(streamed, prompts[: arguments.hops], {}))
            | {"product.hops.prompts.count": float(arguments.hops)}
            | _under("heard", speech.score_heard(DiffPoseTalkGraphs(self.mover.bundle), prompts)),
        )

    def _some(self, count: int) -> list[styles.Speaker]:
        """`count` speakers, as far from each other in the list as can be."""
        return [self.speakers[n] for n in np.linspace(0, len(self.speakers) - 1, count).round().astype(int)]


PARTS: Mapping[str, Callable[[Ground], Figures]] = {
    "takes": Ground.take_figures,
    "styles": Ground.style_figures,
    "seams": Ground.seam_figures,
    "speech": Ground.speech_figures,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", help="name or folder")
    parser.add_argument("--steps", type=int, help="evaluations a window; figures then go to diffposetalk_steps_N.json")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--data", type=Path, required=True, help="folder of acted takes with validation/")
    parser.add_argument("--reader", type=Path, help="folder that holds the lip reader's run; part speech needs it")
    parser.add_argument("--judge", type=Path, help="folder that holds a run of stage style with another seed")
    parser.add_argument("--speech", type=Path, help="folder with asterisk-en, grid-s1, grid-other, for part speech")
    parser.add_argument("--prompts-en", type=Path, help="folder of the English KEY.g722 prompts, for part speech")
    parser.add_argument("--takes", type=int, default=40, help="how many held-out takes")
    parser.add_argument("--seeds", type=int, default=4, help="motions of each take, for diversity")
    parser.add_argument("--rounds", type=int, default=5, help="of retrieval, each with every speaker")
    parser.add_argument("--sentences", type=int, default=4, help="in which each style's strength is measured")
    parser.add_argument("--long-clips", type=int, default=8, help="speakers whose seams are measured")
    parser.add_argument("--prompts", type=int, help="only so many of them")
    parser.add_argument("--hops", type=int, default=30, help="prompts that are streamed hop by hop")
    parser.add_argument("--styles", nargs="*", default=["reserved", "smiling"], help="named styles to speak in")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    if "speech" in arguments.parts and None in (arguments.reader, arguments.speech, arguments.prompts_en):
        parser.error("part speech needs --reader, --speech and --prompts-en")
    torch.set_num_threads(1)
    ground = Ground(arguments)
    name = "diffposetalk" if arguments.steps is None else f"diffposetalk_steps_{arguments.steps}"
    figures = _under(name, _facts(ground.mover))
    for part in arguments.parts:
        found = _under(name, PARTS[part](ground))
        for figure, value in found.items():
            print(f"{figure:64s} {value:9.3f}", flush=True)
        figures |= found
    manifest = ground.mover.bundle.manifest
    sampling = ground.mover.styling.sampling(Styling(steps=arguments.steps), is_clip=True)
    notes = [
        f"{manifest.name} {manifest.version}, recordings by {sampling.sampler} in {sampling.steps} steps, audio scale "
        f"{sampling.audio_scale:g}, style scale {sampling.style_scale:g}; trained: {manifest.training}",
        "accuracy of classes: read off the lips by the lip reader of this repository, for all systems alike; rules: "
        "the curves that the corpus' rules draw from the aligned phones, what no network is better than; "
        "heard.accuracy: the classes that the network hears, as in quality.json",
    ]
    path = write_results(name, _command(arguments), figures, path=arguments.output, notes=notes)
    print(f"written to {path}")


def _facts(mover: Mover) -> Figures:
    """Size, and what training tells of itself."""
    told = mover.bundle.manifest.training
    size = sum(path.stat().st_size for path in mover.bundle.folder.iterdir())
    network = DiffPoseTalk(COMPACT, ContentMap(COMPACT.width))
    found = {
        "size.megabytes": size / 1e6,
        "size.parameters_millions": sum(weight.numel() for weight in network.parameters()) / 1e6,
        "steps": float(mover.steps or mover.styling.steps),
    }
    for name, key, unit in (
        ("minutes", "training_seconds", 60.0),
        ("speakers", "speakers", 1.0),
        ("steps", "step", 1.0),
    ):
        if key in told:
            found[f"training.{name}"] = float(told[key]) / unit
    return found


def _under(part: str, found: Figures) -> Figures:
    return {f"{part}.{name}": value for name, value in found.items()}


def _command(arguments: argparse.Namespace) -> str:
    """The command for the record: folders by what they are, not by where this machine keeps them."""
    parts = ["python -m facestream_bench.diffposetalk_quality BUNDLE"]
    for name, value in vars(arguments).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, Path) and name != "output":
            parts.append(f"{option} {name.upper()}")
        elif isinstance(value, list):
            parts.append(" ".join([option, *value]))
        elif isinstance(value, int):
            parts.append(f"{option} {value}")
    return " ".join(parts)


if __name__ == "__main__":
    main()
