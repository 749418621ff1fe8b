"""A diffposetalk bundle on real speech, beside `live`, by one measure for both (see `deeptalk_speech`).

Systems: the bare network in nobody's style, and hearing the clip from its end as a control; `live`; and what a client
gets of either, lips sealed by the runtime: of recordings, of a live stream hop by hop, and in named styles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facestream.acting import ActingChange
from facestream.engines.diffposetalk import DiffPoseTalkGraphs
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.styling import StylingChange
from facestream.types import Frames, joined_frames
from facestream_bench.deeptalk_speech import beside_live, score_system
from facestream_bench.diffposetalk_mover import Mover
from facestream_bench.diffposetalk_takes import Figures
from facestream_bench.quality_sets import LipsSet, SpeechClip
from facestream_bench.quality_systems import STEP, BundleNetwork, Heard, Product, System
from facestream_bench.seen_face import Float32, SeenFace
from facestream_models.metrics.accuracy import accuracy, confusion, likeliest


def networks(mover: Mover, face: SeenFace, live: BundleNetwork) -> dict[str, System]:
    """Bare networks by name."""
    return {
        "diffposetalk": lambda audio: face.heard(mover.clip(audio, seed=1).face, len(audio)),
        "live": lambda audio: face.heard_50_hz(live.motion(audio)[0], len(audio)),
        "backwards": lambda audio: face.heard(mover.clip(audio[::-1], seed=1).face, len(audio)),
    }


def clients(
    face: SeenFace, folder: Path, live: Path, styles: Sequence[str], steps: int | None = None
) -> dict[str, System]:
    """What clients get, by name: in nobody's style, of `live`, and in named styles; in so many `steps` a window."""
    bundle, causal = Product(folder), Product(live)

    def asked(style: str | None) -> System:
        options = _asking(bundle, style, steps)
        return lambda audio: face.heard_weights(_shown(animate(audio, options, bundle.pipeline), audio), len(audio))

    return {
        "diffposetalk": asked(None),
        "live": lambda audio: face.heard_weights(causal.weights(audio), len(audio)),
        **{f"style.{name}": asked(name) for name in styles},
    }


def by_hops(face: SeenFace, folder: Path, steps: int | None = None) -> System:
    """What a client gets who streams: each hop as soon as it is heard."""
    product = Product(folder)
    options = _asking(product, None, steps)

    def heard(audio: Float32) -> Heard:
        stream = product.pipeline.open(options)
        stream.push(audio)
        stream.finish()
        runs = []
        while stream.ready_hops:
            (run,) = product.pipeline.advance([stream])
            assert isinstance(run, Frames)
            runs.append(run)
        stream.close()
        return face.heard_weights(_shown(joined_frames(runs), audio), len(audio))

    return heard


def _asking(product: Product, style: str | None, steps: int | None) -> StreamOptions:
    return replace(product.options, acting=ActingChange(styling=StylingChange(style=style, steps=steps)))


def _shown(frames: Frames, audio: Float32) -> Float32:
    """ARKit weights [F, 52] while there is audio."""
    return frames.weights[: len(audio) // STEP + 1]


def score_systems(systems: Mapping[str, System], prompts: Sequence[SpeechClip], lips: Mapping[str, LipsSet]) -> Figures:
    """Figures of each system by name, and how far the first falls short of `live`; lips are measured of these two."""
    by_name = {name: score_system(system, prompts, lips if name in ("diffposetalk", "live") else {})
               for name, system in systems.items()}  # fmt: skip
    figures = {f"{name}.{key}": value for name, found in by_name.items() for key, value in found.items()}
    return figures | beside_live(by_name, "diffposetalk")


def score_heard(graphs: DiffPoseTalkGraphs, prompts: Sequence[SpeechClip]) -> Figures:
    """How many of the speech frames the network hears as what is said; each of its frames counts for both of 50 Hz."""
    counts = []
    frame = graphs.manifest.frame_samples
    for clip in prompts:
        heard = graphs.hear(np.pad(clip.audio, (0, -len(clip.audio) % frame))[None]).phone[0]
        classes = np.repeat(likeliest(heard), frame // STEP)[: len(clip.audio) // STEP]
        counts.append(confusion(classes, clip.segments.frame_classes(len(classes))))
    found = accuracy(np.sum(counts, axis=0))
    return {"accuracy": found.speech, "accuracy_all": found.all}
