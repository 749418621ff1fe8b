"""Figures on real speech, deeptalk beside `live`, by one measure for both.

A system gives motion or weights; curves come from the runtime's solver, classes are read off the lips by the lip
reader that the generator is trained with. So `accuracy` says how well a lip reader understands the motion, not what a
network has heard, and is comparable between systems and with nothing else.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from facestream_bench.deeptalk_motion import Actor, Face, Float32
from facestream_bench.quality_scores import score_lips, score_speech
from facestream_bench.quality_sets import LipsSet, SpeechClip
from facestream_bench.quality_systems import BundleNetwork, Heard, Product, System, speech_columns
from facestream_bench.seen_face import SeenFace
from facestream_models.corpus.coarticulation import lip_gap
from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.metrics.emotion_shown import emotion_shown
from facestream_models.metrics.sync import fine_sync_offset_ms

Figures = dict[str, float]


class Remembered:
    """A system that hears each clip once, however many figures are taken of it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.heard: dict[int, Heard] = {}

    def __call__(self, audio: Float32) -> Heard:
        if id(audio) not in self.heard:
            self.heard[id(audio)] = self.system(audio)
        return self.heard[id(audio)]


def systems(actor: Actor, face: Face, live: BundleNetwork, products: Mapping[str, Product], seed: int,
            temperature: float) -> dict[str, System]:  # fmt: skip
    """By name. `backwards` hears the clip from its end: the same loudness and phones at the wrong times."""

    def backwards(audio: Float32) -> Heard:
        return face.heard(actor.move(audio[::-1]).values, len(audio))

    made: dict[str, System] = {
        "deeptalk": lambda audio: face.heard(actor.move(audio).values, len(audio)),
        "deeptalk_sampled": lambda audio: face.heard(actor.move(audio, None, seed, temperature).values, len(audio)),
        "live": lambda audio: face.heard_50_hz(live.motion(audio)[0], len(audio)),
        "backwards": backwards,
    }
    return made | {f"product.{name}": _product(face, product) for name, product in products.items()}


def rules(face: SeenFace, prompts: Sequence[SpeechClip]) -> System:
    """The curves that the rules draw from the aligned phones of `prompts`: what no network here can be better than."""
    drawn = {id(clip.audio): clip.reference @ speech_columns().T for clip in prompts}
    return lambda audio: face.heard_weights(drawn[id(audio)], len(audio))


def _product(face: Face, product: Product) -> Callable[[Float32], Heard]:
    return lambda audio: face.heard_weights(product.weights(audio), len(audio))


def score_system(system: System, prompts: Sequence[SpeechClip], lips: Mapping[str, LipsSet]) -> Figures:
    """Figures of `quality_scores` on aligned prompts and measured lips, and the sync offset between its steps."""
    remembered = Remembered(system)
    figures = {f"prompts.{name}": value for name, value in score_speech(remembered, prompts).items()}
    figures["prompts.fine_sync_ms"] = fine_sync_offset_ms(
        [lip_gap(remembered(clip.audio).curves) for clip in prompts], [lip_gap(clip.reference) for clip in prompts]
    )
    for name, some in lips.items():
        figures |= {f"{name}.{key}": value for key, value in score_lips(remembered, some).items()}
    return figures


def beside_live(figures: Mapping[str, Figures], name: str = "deeptalk") -> Figures:
    """How far a system falls short of `live`: points of closure and accuracy, ms of sync. Positive is worse.

    With it how many points of closure sampling costs.
    """
    found = {}
    for prefix in ("", "product."):
        if f"{prefix}{name}" not in figures or f"{prefix}live" not in figures:
            continue
        ours, theirs = figures[f"{prefix}{name}"], figures[f"{prefix}live"]
        for figure in ("closure", "accuracy"):
            key = f"prompts.{figure}"
            found[f"{prefix}behind_live.{figure}_points"] = 100.0 * (theirs[key] - ours[key])
        lag = abs(ours["prompts.fine_sync_ms"]) - abs(theirs["prompts.fine_sync_ms"])
        found[f"{prefix}behind_live.sync_ms"] = lag
        if f"{prefix}{name}_sampled" in figures:
            fall = ours["prompts.closure"] - figures[f"{prefix}{name}_sampled"]["prompts.closure"]
            found[f"{prefix}closure_fall_points"] = 100.0 * fall
    return found


def shown_on(actor: Actor, face: Face, prompts: Sequence[SpeechClip]) -> Figures:
    """Share of plain, unacted clips whose motion shows each emotion."""
    shown = [emotion_shown(face.emotion_logits(actor.move(clip.audio).values)) for clip in prompts]
    shares = np.bincount(shown, minlength=len(EMOTIONS)) / len(shown)
    return {f"shown.{emotion}": float(share) for emotion, share in zip(EMOTIONS, shares, strict=True)}
