"""How the head moves while someone speaks: nods on accents, a slow drift, stillness in pauses, poses of emotion.

Angles are radians: yaw about +Y (positive to the subject's left), pitch about +X (positive down), roll about +Z
(positive lifts the subject's left side). The rotation is roll first, then pitch, then yaw.

Sources: speech-motion-data specification, section 8, after Munhall 2004, Graf 2002 and Yehia 2002.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.spatial.transform import Rotation

from facestream_models.corpus.coarticulation import FRAME_RATE
from facestream_models.corpus.emotions import EMOTIONS, Act, soft_step
from facestream_models.corpus.prosody import Prosody, smoothed
from facestream_models.corpus.speaking_style import SpeakingStyle

Float64 = NDArray[np.float64]

YAW, PITCH, ROLL = range(3)

_NODDED_WEAK, _NODDED_STRONG = 0.2, 0.9
_NOD_DEG, _NOD_S, _LAG_S = (2.0, 6.0), (0.25, 0.45), (0.0, 0.15)
_BEAT_DEG, _BEAT_S, _BEAT_FROM = 3.0, (0.20, 0.30), 0.4
"""Loud syllables move the head too, accented or not: a usual one by one or two degrees. Without these beats the head's
speed and the voice correlate by .2 only (measured 2026-11-21)."""
_DRIFT_DEG = np.array([2.5, 1.8, 1.2])  # yaw, pitch, roll
_DRIFT_S = 2.5
_STILL_AFTER_S, _STILL_PACE = 0.6, 0.02
_LEAST_PACE, _DRIVEN_PACE = 0.10, 1.5
_FASTEST_MELODY = 35.0  # semitones a second
_CUTOFF_S = 0.10

_HELD_DEG: dict[str, tuple[float, float, float]] = {
    "sad": (0.0, 4.0, 0.0), "angry": (0.0, -1.0, 0.0), "contempt": (0.0, 0.0, 4.0),
}  # fmt: skip
"""Yaw, pitch, roll while the emotion lasts, at full intensity. Roll is to the habitual side."""
_AT_ONSET_DEG: dict[str, tuple[float, float, float]] = {"surprised": (0.0, -3.0, 0.0)}
_ONSET_FADE_S = 1.0
_AMPLITUDES: dict[str, float] = {"sad": 0.5, "angry": 1.3}


def head_motion(
    prosody: Prosody, style: SpeakingStyle, act: Act, course: Float64, random: np.random.Generator
) -> Float64:
    """Axis-angle `[F, 3]` in radians at 50 Hz; `course` [F] is how far the emotion has come."""
    amplitude = 1.0 + sum(
        amount * (_AMPLITUDES.get(name, 1.0) - 1.0) for name, amount in zip(EMOTIONS, act.amounts, strict=True)
    )
    lively = _drift(prosody, style, random)
    lively[:, PITCH] += _nods(prosody, style, random)
    lively += _beats(prosody, style, random)
    degrees = lively * (amplitude * style.head_amplitude) + _emotional_pose(act, style, course)
    return as_axis_angles(np.deg2rad(degrees))


def as_axis_angles(angles: Float64) -> Float64:
    """Yaw, pitch, roll `[F, 3]` radians -> rotation vectors `[F, 3]`."""
    turned: Float64 = Rotation.from_euler("YXZ", angles).as_rotvec()
    return turned


def head_speed(head: Float64, frame_rate: int) -> Float64:
    """Angular speed `[F]` in radians a second of rotation vectors `[F, 3]`."""
    turns = Rotation.from_rotvec(head)
    steps = (turns[:-1].inv() * turns[1:]).magnitude() * frame_rate
    return np.concatenate([steps[:1], steps])


def _nods(prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """Pitch in degrees `[F]`: down and back on accents, the stronger the likelier and the deeper."""
    pitch = np.zeros(len(prosody.times))
    for time, strength in prosody.accents:
        if random.random() >= _NODDED_WEAK + (_NODDED_STRONG - _NODDED_WEAK) * strength:
            continue
        low, high = _NOD_DEG
        depth = np.clip(low + (high - low) * strength * random.uniform(0.5, 1.2), low, high)
        length = random.uniform(*_NOD_S) / np.sqrt(style.head_tempo)
        # The accent falls into the way down: the nod is under way when the syllable sounds.
        start = time + random.uniform(*_LAG_S) - 0.3 * length
        pitch += depth * _dip(prosody.times, start, length)
    return pitch


def _dip(times: Float64, start: float, length: float) -> Float64:
    """Down and back `[F]`, 0 to 1 to 0, the way down a little faster."""
    share = (times - start) / length
    return soft_step(share / 0.45) * (1.0 - soft_step((share - 0.45) / 0.55))


def _beats(prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """Degrees `[F, 3]`: a small dip on every loud syllable, mostly in pitch, as deep as it is loud and melodious."""
    drive = _drive(prosody)
    peaks, _ = find_peaks(drive, height=_BEAT_FROM, prominence=0.05)
    moved = np.zeros((len(drive), 3))
    for peak in peaks:
        length = random.uniform(*_BEAT_S) / np.sqrt(style.head_tempo)
        # Fastest while the syllable sounds, not before and after it.
        start = prosody.times[peak] + 0.5 * random.uniform(*_LAG_S) - 0.25 * length
        direction = np.array([random.normal(0.0, 0.5), 1.0, random.normal(0.0, 0.3)])
        depth = _BEAT_DEG * (float(drive[peak]) - _BEAT_FROM) * random.uniform(0.7, 1.3)
        moved += np.outer(depth * _dip(prosody.times, start, length), direction)
    return moved


def _drive(prosody: Prosody) -> Float64:
    """What of the voice moves the head `[F]`, about 0..1: loudness and how fast the melody moves."""
    slope = np.abs(np.gradient(smoothed(prosody.pitch_st, 0.02)) * FRAME_RATE) / _FASTEST_MELODY
    slope = np.where(prosody.voiced, np.minimum(slope, 1.0), 0.0)
    return 0.9 * smoothed(prosody.loudness, 0.04) ** 2 + 0.7 * smoothed(slope, 0.06)


def _drift(prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """Mean-reverting random walk in degrees `[F, 3]` whose clock runs with the voice and nearly stops in pauses."""
    pace = _pace(prosody)
    elapsed = pace / FRAME_RATE * style.head_tempo / _DRIFT_S
    kept = np.exp(-elapsed)
    shocks = random.normal(size=(len(pace), 3)) * np.sqrt(1.0 - kept**2)[:, None]
    walk = np.empty((len(pace), 3))
    place = random.normal(size=3)
    for frame in range(len(pace)):
        place = place * kept[frame] + shocks[frame]
        walk[frame] = place
    return _DRIFT_DEG * np.stack([smoothed(axis, _CUTOFF_S / style.head_tempo) for axis in walk.T], axis=1)


def _pace(prosody: Prosody) -> Float64:
    """How fast the drift's clock runs `[F]`: 1 on the average of speech, slow in pauses of 600 ms and more."""
    pace = _LEAST_PACE + _DRIVEN_PACE * _drive(prosody)
    edges = [0.0, *(time for phrase in prosody.phrases for time in phrase), len(pace) / FRAME_RATE]
    for begin, finish in zip(edges[0::2], edges[1::2], strict=True):  # what lies between phrases
        if finish - begin >= _STILL_AFTER_S:
            inside = (prosody.times > begin + 0.15) & (prosody.times < finish - 0.15)
            pace[inside] = _STILL_PACE
    return pace


def _emotional_pose(act: Act, style: SpeakingStyle, course: Float64) -> Float64:
    """Degrees `[F, 3]` that the emotion holds, and what it does at its onset."""
    rising = np.maximum(np.gradient(course), 0.0)
    memory = np.zeros(len(course))
    level = float(course[0])
    for frame in range(len(course)):
        level = level * np.exp(-1.0 / (FRAME_RATE * _ONSET_FADE_S)) + float(rising[frame])
        memory[frame] = level
    pose = np.zeros((len(course), 3))
    for name, amount in zip(EMOTIONS, act.amounts, strict=True):
        held, at_onset = (np.array(table.get(name, (0.0, 0.0, 0.0))) for table in (_HELD_DEG, _AT_ONSET_DEG))
        pose += amount * (np.outer(course, held) + np.outer(memory, at_onset))
    pose[:, ROLL] *= style.habitual_side
    return pose
