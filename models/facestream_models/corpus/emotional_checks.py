"""Whether takes are fit to train on: `python -m facestream_models.corpus.emotional_checks --takes DIR [--out JSON]`.

Four questions of the speech-motion-data specification, section 8. Does motion alone, and voice alone, tell the eight
emotions apart (clearly, but not always: all overlays at full strength would be caricature)? Do the lips close under
every emotion? Does the head move with the voice, and with no other voice? Classifiers learn from DIR/train and are
judged on DIR/validation, whose voices, speakers and texts are others.
"""

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyworld
import torch
from numpy.typing import NDArray
from scipy.signal import stft

from facestream.curves import INDEX, sided
from facestream.retarget.profile import RigProfile, load_profile
from facestream_models.corpus.coarticulation import FRAME_RATE
from facestream_models.corpus.emotional_take import Take
from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.corpus.head_motion import head_speed
from facestream_models.corpus.phones import INDEX as CLASS
from facestream_models.corpus.prosody import PITCH_FRAME_MS, pitch_of, prosody_of, smoothed
from facestream_models.corpus.store import SAMPLE_RATE
from facestream_models.corpus.take_store import iterate_takes
from facestream_models.metrics.closure import TOLERANCE_S, closures_within
from facestream_models.metrics.correlation import pearson

Float64 = NDArray[np.float64]

_BANDS = 24
_LAGS_S = (0.0, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24)
_SMOOTHING_S = 0.10
_SEALED_MM = 1.0
_EDGE_S = 0.25
_FEWEST_TAKES = 4
_MOST_HEADS = 100


def motion_statistics(take: Take) -> Float64:
    """What a clip's motion is like `[220]`: mean and spread of curves and head angles, no times, no voice."""
    motion = np.concatenate([take.curves, np.rad2deg(take.head)], axis=1)
    quarter, upper = np.percentile(motion, [25, 90], axis=0)
    return np.concatenate([motion.mean(axis=0), motion.std(axis=0), quarter, upper]).astype(np.float64)


def voice_statistics(take: Take) -> Float64:
    """What a clip's voice is like: level, melody, spectrum and its spread; no phone times, no motion."""
    samples = take.utterance.audio / 32768.0
    f0, _ = pyworld.dio(samples, SAMPLE_RATE, f0_floor=65.0, f0_ceil=620.0, frame_period=PITCH_FRAME_MS)
    voiced = np.flatnonzero(f0 > 0)
    semitones = 12.0 * np.log2(f0[voiced] / 100.0) if len(voiced) > 8 else np.zeros(9)
    frequencies, _, spectrum = stft(samples, SAMPLE_RATE, nperseg=512, noverlap=256, boundary=None)
    power = np.abs(spectrum) ** 2
    mel = 2595.0 * np.log10(1.0 + frequencies / 700.0)
    edges = np.linspace(mel[2], mel[-1], _BANDS + 1)
    bands = np.stack([power[(mel >= a) & (mel <= b)].mean(axis=0) for a, b in itertools.pairwise(edges)])
    level = 10.0 * np.log10(power.sum(axis=0) + 1e-9)
    loud = level > level.max() - 35.0
    decibel = 10.0 * np.log10(bands[:, loud] + 1e-9)
    third = max(1, len(semitones) // 3)
    melody = [
        semitones.mean(), semitones.std(), *np.percentile(semitones, [5, 95]), semitones[-third:].mean(),
        semitones[:third].mean(), np.abs(np.diff(semitones)).mean(), np.abs(np.diff(semitones, n=2)).mean(),
        len(voiced) / max(len(f0), 1),
    ]  # fmt: skip
    loudness = [level[loud].mean(), level[loud].std(), np.abs(np.diff(level[loud])).mean(), loud.mean()]
    return np.array([*melody, *loudness, *decibel.mean(axis=1), *decibel.std(axis=1)])


def relative_to_voice(features: Float64, speakers: Sequence[str]) -> Float64:
    """Features [N, D] minus the mean of the same voice's takes; NaN where a voice has fewer than four."""
    voices = np.array([speaker.partition("#")[0] for speaker in speakers])
    relative = np.full_like(features, np.nan)
    for voice in np.unique(voices):
        own = voices == voice
        if own.sum() >= _FEWEST_TAKES:
            relative[own] = features[own] - features[own].mean(axis=0)
    return relative


def classification(
    train: tuple[Float64, NDArray[np.int64]], test: tuple[Float64, NDArray[np.int64]], decay: float = 1e-2
) -> NDArray[np.int64]:
    """Confusions `[8, 8]` (true, heard) on `test` of a linear classifier (features [N, D], labels [N]) of `train`."""
    mean, spread = train[0].mean(axis=0), train[0].std(axis=0) + 1e-6
    inputs, unseen = (torch.from_numpy((part[0] - mean) / spread).float().clamp(-5.0, 5.0) for part in (train, test))
    labels = torch.from_numpy(train[1])
    torch.manual_seed(0)
    layer = torch.nn.Linear(inputs.shape[1], len(EMOTIONS))
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(layer(inputs), labels) + decay * layer.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        heard = layer(unseen).argmax(dim=1).numpy()
    confusions = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(confusions, (test[1], heard), 1)
    return confusions


def lip_gap(curves: NDArray[np.floating]) -> Float64:
    """How far the lips are apart, `[F, 52] -> [F]`, by the rule of section 3 on both sides' mean."""
    lower, upper = (curves[:, sided(name)].mean(axis=1) for name in ("mouthLowerDown", "mouthUpperUp"))
    gap = curves[:, INDEX["jawOpen"]] - curves[:, INDEX["mouthClose"]] + 0.30 * lower + 0.25 * upper
    return np.maximum(np.asarray(gap, np.float64), 0.0)


def closures(take: Take, profile: RigProfile) -> tuple[NDArray[np.bool_], Float64]:
    """For each p b m: do the lips close (section 6), and how far apart they stay on the head, in millimetres."""
    utterance = take.utterance
    chosen = utterance.classes == CLASS["PP"]
    begin = utterance.starts[chosen] / SAMPLE_RATE - TOLERANCE_S
    finish = utterance.ends[chosen] / SAMPLE_RATE + TOLERANCE_S
    scale = take.frame_rate / FRAME_RATE  # the metric counts in frames of 20 ms
    closed = closures_within(lip_gap(take.curves), begin * scale, finish * scale)
    apart = profile.lip_gap_of(take.curves) * 1000.0
    first, last = np.ceil(begin * take.frame_rate), np.floor(finish * take.frame_rate) + 1
    smallest = [float(apart[max(0, int(a)) : int(b)].min(initial=np.inf)) for a, b in zip(first, last, strict=True)]
    return closed, np.array([gap for gap in smallest if np.isfinite(gap)])


def head_and_voice(takes: Sequence[Take], random: np.random.Generator) -> dict[str, dict[str, float]]:
    """Mean correlation within speech of head speed with loudness, F0 slope and their sum, paired and shuffled.

    Up to 100 takes, tracks smoothed by 0.1 s. One lag for all clips, the best of 0 to 0.24 s for each line.
    """
    every = -(-len(takes) // _MOST_HEADS)
    tracks = [_speech_tracks(take) for take in takes[::every]]
    tracks = [track for track in tracks if track.shape[1] > FRAME_RATE]
    order = _derangement(len(tracks), random)
    result: dict[str, dict[str, float]] = {}
    for name, row in (("loudness", 1), ("F0 slope", 2), ("both", 3)):
        result[name] = {
            "paired": _best_mean_correlation([(track[0], track[row]) for track in tracks]),
            "shuffled": _best_mean_correlation(
                [(track[0], tracks[other][row]) for track, other in zip(tracks, order, strict=True)]
            ),
        }
    return result


def _speech_tracks(take: Take) -> Float64:
    """Head speed, loudness, absolute F0 slope and the sum of the last two in standard scores `[4, f]` at 50 Hz."""
    prosody = prosody_of(take.utterance, pitch_of(take.utterance.audio))
    slope = np.abs(np.gradient(smoothed(prosody.pitch_st, 0.02)))
    slope[~prosody.voiced] = 0.0
    speed = head_speed(take.head.astype(np.float64), take.frame_rate)
    frame_times = np.arange(len(speed)) / take.frame_rate
    rows = [np.interp(prosody.times, frame_times, speed), prosody.loudness, np.minimum(slope, 1.0)]
    begin, finish = prosody.phrases[0][0], prosody.phrases[-1][1]
    # Every voice and every head starts and stops: those edges would agree in any pair.
    inside = (prosody.times >= begin + _EDGE_S) & (prosody.times <= finish - _EDGE_S)
    smooth = np.stack([smoothed(row, _SMOOTHING_S)[inside] for row in rows])
    scores = (smooth - smooth.mean(axis=1, keepdims=True)) / (smooth.std(axis=1, keepdims=True) + 1e-9)
    return np.concatenate([scores, scores[1:2] + scores[2:3]])


def _best_mean_correlation(pairs: Sequence[tuple[Float64, Float64]]) -> float:
    means = []
    for lag in (round(seconds * FRAME_RATE) for seconds in _LAGS_S):
        found = []
        for head, voice in pairs:
            length = min(len(head) - lag, len(voice))
            if length > FRAME_RATE // 2:
                found.append(pearson(head[lag : lag + length], voice[:length]))
        means.append(float(np.nanmean(found)))
    return max(means)


def _derangement(count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """An order `[count]` in which nothing stays where it was."""
    cycle = random.permutation(count)
    order = np.empty(count, np.int64)
    order[cycle] = np.roll(cycle, 1)
    return order


def check(takes: dict[str, list[Take]], profile: RigProfile) -> dict[str, Any]:
    """All figures of the takes in `train` and `validation`."""
    labels = {split: np.array([take.act.emotion for take in part]) for split, part in takes.items()}
    figures: dict[str, Any] = {
        split: {
            "takes": len(part),
            "minutes": round(sum(take.seconds for take in part) / 60, 1),
            "speakers": len({take.speaker for take in part}),
        }
        for split, part in takes.items()
    }
    features: dict[str, dict[str, Float64]] = {
        "motion": {split: np.stack([motion_statistics(take) for take in part]) for split, part in takes.items()},
        "voice": {split: np.stack([voice_statistics(take) for take in part]) for split, part in takes.items()},
    }
    features["voice, beside the speaker's usual"] = {
        split: relative_to_voice(features["voice"][split], [take.speaker for take in part])
        for split, part in takes.items()
    }
    for name, found in features.items():
        known = {split: np.isfinite(part).all(axis=1) for split, part in found.items()}
        train, test = ((found[split][known[split]], labels[split][known[split]]) for split in ("train", "validation"))
        confusions = classification(train, test)
        figures[f"emotion from {name}"] = {
            "accuracy": round(float(np.trace(confusions) / confusions.sum()), 3),
            "recall": {
                emotion: round(float(row[number] / max(row.sum(), 1)), 2)
                for number, (emotion, row) in enumerate(zip(EMOTIONS, confusions, strict=True))
            },
            "confusions": confusions.tolist(),
        }
    everything = [take for part in takes.values() for take in part]
    figures["closure"] = {}
    for number, emotion in enumerate(EMOTIONS):
        lips = [closures(take, profile) for take in everything if take.act.emotion == number]
        closed, apart = (np.concatenate(column) for column in zip(*lips, strict=True))
        figures["closure"][emotion] = {
            "bilabials": len(closed),
            "rate": round(float(closed.mean()), 4),
            "sealed on the head": round(float((apart < _SEALED_MM).mean()), 4),
        }
    figures["head speed"] = head_and_voice(everything, np.random.default_rng(0))
    return figures


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=Path, required=True, help="directory that `corpus.emotional` filled")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    profile = load_profile()
    takes = {
        split: list(iterate_takes(arguments.takes / split, profile.head_digest)) for split in ("train", "validation")
    }
    text = json.dumps(check(takes, profile), indent=1)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
