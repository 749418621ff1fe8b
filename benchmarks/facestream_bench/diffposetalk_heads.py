"""How the head of a diffposetalk bundle moves, beside the heads it learned from, and whether windows leave a trace.

Speeds, beats and loudness are those of the same held-out takes, made and true. The controls are the beats and the
loudness of another take. A seam is judged by the step from its last frame before to its first frame behind it, against
such steps inside windows: where nothing shows, one seam in a hundred is above the 99th percentile of the others. The
control cuts the same motion into its windows and puts them together in another order.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from facestream_bench.diffposetalk_mover import FRAME_RATE, Made
from facestream_bench.diffposetalk_takes import Held, Moved
from facestream_bench.seen_face import Float32, SeenFace
from facestream_models.corpus.head_motion import head_speed
from facestream_models.corpus.prosody import loudness_of
from facestream_models.metrics.beat_alignment import beat_scores, beats_of
from facestream_models.metrics.correlation import pearson

Figures = dict[str, float]
Tracks = Sequence[NDArray[np.floating]]
Track = TypeVar("Track")

FASTEST_OF = 99.0
"""Percentile of the steps inside windows that no seam should be above."""
_LOUD = {"height": 0.5, "prominence": 0.1}
"""Of a syllable that is a beat of the voice."""


def score_heads(moved: Moved) -> Figures:
    """Beats and speeds of heads, made and true, with what is shared of them."""
    takes = moved.takes
    made, true = [_speed(one) for one in moved.own], [_speed(take.true) for take in takes]
    loud = [loudness(take) for take in takes]
    figures = {"beats_a_second.made": _beats_a_second(made), "beats_a_second.true": _beats_a_second(true)}
    figures["beat_alignment"] = _alignment(made, [beats_of(speed) for speed in true])
    figures["beat_alignment.other_take"] = _alignment(made, _others([beats_of(speed) for speed in true]))
    voice = [find_peaks(gaussian_filter1d(one, 1.0), **_LOUD)[0] for one in loud]
    for name, speeds in (("made", made), ("true", true)):
        figures[f"voice_alignment.{name}"] = _alignment(speeds, voice)
        figures[f"voice_alignment.{name}.other_take"] = _alignment(speeds, _others(voice))
        figures[f"r_loudness.{name}"] = _correlation(speeds, loud)
        figures[f"r_loudness.{name}.other_take"] = _correlation(speeds, _others(loud))
        degrees = np.degrees(np.concatenate(speeds))
        figures |= {
            f"speed_deg_s.mean.{name}": float(degrees.mean()),
            f"speed_deg_s.deviation.{name}": float(degrees.std()),
            f"speed_deg_s.p95.{name}": float(np.percentile(degrees, 95)),
        }
    for name, motions in (("made", moved.own), ("true", [take.true for take in takes])):
        figures[f"amplitude_deg.{name}"] = float(np.mean([_amplitude_deg(one.head) for one in motions]))
    for name in ("voice_alignment", "speed_deg_s.mean", "speed_deg_s.deviation", "speed_deg_s.p95", "amplitude_deg"):
        figures[f"{name}.share"] = figures[f"{name}.made"] / figures[f"{name}.true"]
    return figures


def score_seams(face: SeenFace, motions: Sequence[Made], random: np.random.Generator) -> Figures:
    """Steps of head and lips at the seams of `motions`, and of the same windows in another order."""
    figures: Figures = {}
    for prefix, some in (("", motions), ("mixed.", [_mixed(made, random) for made in motions])):
        heads = [np.degrees(made.head)[:, None] for made in some]
        lips = [face.points(made.face)[:, face.is_lip] for made in some]
        for name, unit, tracks in (("head", "deg", heads), ("lips", "mm", lips)):
            inside, across = _steps(tracks, [made.seams for made in some])
            limit = float(np.percentile(inside, FASTEST_OF))
            found = {
                f"{unit}.p50": float(np.median(across)),
                f"{unit}.p99": float(np.percentile(across, FASTEST_OF)),
                f"inside_{unit}.p50": float(np.median(inside)),
                f"inside_{unit}.p99": limit,
                "share_above_p99": float((across > limit).mean()),
            }
            figures |= {f"{prefix}{name}.{key}": value for key, value in found.items()}
    figures["count"] = float(sum(len(made.seams) for made in motions))
    return figures


def loudness(take: Held) -> NDArray[np.float64]:
    """0..1 at each frame [F] of a take."""
    level = loudness_of(np.rint(take.audio * 32768.0).astype(np.int64), 2 * take.frames)
    return level[::2]


def _speed(made: Made) -> NDArray[np.float64]:
    return head_speed(made.head.astype(np.float64), FRAME_RATE)


def _amplitude_deg(head: Float32) -> float:
    return float(np.degrees(np.sqrt(np.square(head - head.mean(axis=0)).sum(axis=1).mean())))


def _beats_a_second(speeds: Tracks) -> float:
    return sum(len(beats_of(speed)) for speed in speeds) * FRAME_RATE / sum(map(len, speeds))


def _alignment(speeds: Tracks, others: Sequence[NDArray[np.intp]]) -> float:
    scores = [beat_scores(beats_of(speed), other) for speed, other in zip(speeds, others, strict=True)]
    return float(np.concatenate(scores).mean())


def _correlation(speeds: Tracks, loud: Tracks) -> float:
    """Pooled over takes; each take's loudness is cut or goes on with its own beginning."""
    return pearson(
        np.concatenate([*speeds]),
        np.concatenate([np.resize(one, len(speed)) for speed, one in zip(speeds, loud, strict=True)]),
    )


def _others(tracks: Sequence[Track]) -> list[Track]:
    """Each take's track replaced by that of the next one."""
    return [*tracks[1:], tracks[0]]


def _steps(tracks: Tracks, seams: Sequence[NDArray[np.intp]]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean length of the step into each frame of `tracks` [F, P, 3], inside windows and into a seam."""
    inside, across = [], []
    for track, places in zip(tracks, seams, strict=True):
        step = np.linalg.norm(np.diff(track, axis=0), axis=2).mean(axis=1)
        is_seam = np.zeros(len(step), np.bool_)
        is_seam[places - 1] = True
        inside.append(step[~is_seam])
        across.append(step[is_seam])
    return np.concatenate(inside), np.concatenate(across)


def _mixed(made: Made, random: np.random.Generator) -> Made:
    """The windows of a motion in a random order."""
    cuts = [np.split(part, made.seams) for part in (made.face, made.head)]
    order = random.permutation(len(cuts[0]))
    face, head = (np.concatenate([parts[n] for n in order]) for parts in cuts)
    return Made(face, head, np.cumsum([len(cuts[0][n]) for n in order])[:-1].astype(np.intp))
