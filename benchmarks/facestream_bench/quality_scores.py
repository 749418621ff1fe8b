"""From what a system heard to figures with dotted keys."""

from collections.abc import Sequence

import numpy as np

from facestream_bench.quality_sets import LipsSet, Samples, SpeechClip
from facestream_bench.quality_systems import Heard, System
from facestream_models.corpus.coarticulation import lip_gap
from facestream_models.metrics.accuracy import accuracy, confusion
from facestream_models.metrics.closure import bilabial_closures, false_closures
from facestream_models.metrics.correlation import curve_correlations
from facestream_models.metrics.false_motion import false_motion
from facestream_models.metrics.real_lips import lip_agreement, sealed_onsets
from facestream_models.metrics.sync import sync_offset_ms

Figures = dict[str, float]


def score_speech(system: System, clips: Sequence[SpeechClip]) -> Figures:
    """Closure, false closure, accuracy, correlations and sync on aligned speech; `bilabials` counts the tokens."""
    heard = [system(clip.audio) for clip in clips]
    pairs = list(zip(heard, clips, strict=True))
    gaps = [lip_gap(h.curves) for h in heard]
    sealed = np.concatenate([bilabial_closures(lip_gap(h.curves), c.segments) for h, c in pairs])
    shut = np.concatenate([false_closures(lip_gap(h.curves), c.segments) for h, c in pairs])
    references = [clip.reference for clip in clips]
    figures = {
        "closure": float(sealed.mean()),
        "bilabials": float(len(sealed)),
        "false_closure": float(shut.mean()),
        "sync_ms": sync_offset_ms(gaps, [lip_gap(r) for r in references]),
    }
    correlations = curve_correlations([h.curves for h in heard], references)
    figures.update({f"r_{name}": value for name, value in correlations.items()})
    if heard[0].classes is not None:
        counts = sum(_confusion(h, c) for h, c in pairs)
        found = accuracy(np.asarray(counts))
        figures.update(accuracy=found.speech, accuracy_all=found.all)
    return figures


def _confusion(heard: Heard, clip: SpeechClip) -> np.ndarray:
    assert heard.classes is not None
    return confusion(heard.classes, clip.segments.frame_classes(len(heard.classes)))


def score_closure(system: System, clips: Sequence[SpeechClip], audio: Sequence[Samples]) -> float:
    """Bilabial closure when the clips are heard as `audio`, for example in noise."""
    found = [
        bilabial_closures(lip_gap(system(samples).curves), clip.segments)
        for clip, samples in zip(clips, audio, strict=True)
    ]
    return float(np.concatenate(found).mean())


def score_lips(system: System, lips: LipsSet) -> Figures:
    """Agreement with measured lips, and sealed word-initial b and p where word times are known."""
    gaps = [lip_gap(system(clip.audio).curves)[: len(clip.lips)] for clip in lips.clips]
    found = lip_agreement(gaps, [clip.lips[: len(gap)] for clip, gap in zip(lips.clips, gaps, strict=True)])
    figures = {"r_lips": found.r, "lag_ms": found.lag_ms}
    onsets = [sealed_onsets(gap, onset) for gap, onset in zip(gaps, lips.onsets, strict=True) if len(onset)]
    if onsets:
        figures["sealed"] = float(np.concatenate(onsets).mean())
    return figures


def score_without_speech(system: System, sounds: Sequence[Samples]) -> Figures:
    """Share of frames with an open mouth, and the mean gap, where nobody speaks."""
    found = false_motion(np.concatenate([lip_gap(system(samples).curves) for samples in sounds]))
    return {"open": found.open, "mean": found.mean}
