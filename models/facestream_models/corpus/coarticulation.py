"""Phone segments to lip-sync curves: dominance blending, then the hard rules of speech.

Each phone has a target for 15 curves (section 3 of the speech-motion-data specification). Between phones the curves
follow the dominance blend of Cohen and Massaro (1993): every segment pulls at every moment with a strength that falls
off exponentially outside its plateau. A blend alone does not seal lips, so closures (p b m) and the lip-teeth contact
of f v are enforced afterwards (section 4). Two corrections come from measured lips (end of section 6): /w/ and
onset /r/ narrow the mouth almost like a stop, and after a pause the mouth opens before the first sound.

Everything works on whole arrays: `N` segments, `F` frames at 50 Hz, `K` curves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import CLASSES, INDEX, SILENCE, VOWELS

FloatArray = NDArray[np.float64]

FRAME_RATE = 50
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE

CURVES = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthRollLower",
    "mouthRollUpper", "mouthPress", "mouthLowerDown", "mouthUpperUp", "mouthShrugLower", "mouthDimple", "tongueOut",
    "jawForward",
)  # fmt: skip
"""The K = 15 curves of speech. A name without side stands for both sides."""

CURVE = {name: number for number, name in enumerate(CURVES)}
JAW, CLOSE = CURVE["jawOpen"], CURVE["mouthClose"]
LOWER_DOWN, UPPER_UP = CURVE["mouthLowerDown"], CURVE["mouthUpperUp"]

# Section 3, one row a class; a curve that is not named is 0.
_TARGETS: dict[str, dict[str, float]] = {
    "sil": {},
    "PP": {"jawOpen": 0.10, "mouthClose": 0.10, "mouthRollLower": 0.18, "mouthRollUpper": 0.14, "mouthPress": 0.28},
    "FF": {
        "jawOpen": 0.11, "mouthClose": 0.03, "mouthRollLower": 0.42, "mouthLowerDown": 0.04, "mouthUpperUp": 0.20,
        "mouthShrugLower": 0.10,
    },
    "TH": {"jawOpen": 0.17, "mouthStretch": 0.08, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10, "tongueOut": 0.28},
    "DD": {"jawOpen": 0.13, "mouthStretch": 0.10, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10},
    "KK": {"jawOpen": 0.18, "mouthStretch": 0.06, "mouthLowerDown": 0.12, "mouthUpperUp": 0.08},
    "SS": {
        "jawOpen": 0.06, "mouthStretch": 0.20, "mouthLowerDown": 0.26, "mouthUpperUp": 0.14, "mouthDimple": 0.08,
        "jawForward": 0.06,
    },
    "CH": {
        "jawOpen": 0.10, "mouthFunnel": 0.46, "mouthPucker": 0.18, "mouthLowerDown": 0.16, "mouthUpperUp": 0.14,
        "jawForward": 0.10,
    },
    "RR": {"jawOpen": 0.14, "mouthFunnel": 0.26, "mouthPucker": 0.22, "mouthLowerDown": 0.08},
    "NN": {"jawOpen": 0.14, "mouthStretch": 0.06, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08},
    "LL": {"jawOpen": 0.19, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08, "tongueOut": 0.05},
    "aa": {"jawOpen": 0.58, "mouthStretch": 0.06, "mouthLowerDown": 0.24, "mouthUpperUp": 0.16},
    "ae": {
        "jawOpen": 0.46, "mouthStretch": 0.22, "mouthSmile": 0.06, "mouthLowerDown": 0.26, "mouthUpperUp": 0.20,
    },
    "E": {"jawOpen": 0.32, "mouthStretch": 0.20, "mouthSmile": 0.06, "mouthLowerDown": 0.20, "mouthUpperUp": 0.14},
    "I": {
        "jawOpen": 0.17, "mouthStretch": 0.30, "mouthSmile": 0.16, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10,
        "mouthDimple": 0.08,
    },
    "@": {"jawOpen": 0.24, "mouthLowerDown": 0.14, "mouthUpperUp": 0.08},
    "O": {"jawOpen": 0.36, "mouthFunnel": 0.42, "mouthPucker": 0.28, "mouthLowerDown": 0.06},
    "U": {"jawOpen": 0.16, "mouthFunnel": 0.34, "mouthPucker": 0.58},
    "Y": {"jawOpen": 0.15, "mouthFunnel": 0.30, "mouthPucker": 0.50, "mouthStretch": 0.04},
    "W": {"jawOpen": 0.06, "mouthFunnel": 0.30, "mouthPucker": 0.66},
    "HH": {"jawOpen": 0.20, "mouthLowerDown": 0.10, "mouthUpperUp": 0.06},
}  # fmt: skip

# Rows behind the classes: targets that a segment takes by its place, not by its class alone.
_ONSET_R = len(CLASSES)
_BEFORE_SPEECH = len(CLASSES) + 1
_PLACED_TARGETS: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.06, "mouthFunnel": 0.26, "mouthPucker": 0.22},
    {"jawOpen": 0.14, "mouthLowerDown": 0.10, "mouthUpperUp": 0.05},
)

TARGETS: FloatArray = np.array(
    [[row.get(name, 0.0) for name in CURVES] for row in (*(_TARGETS[c] for c in CLASSES), *_PLACED_TARGETS)]
)

# Section 4. Groups of curves that move alike: jaw, lips, rounding, tongue.
_GROUP_COUNT = 4
_GROUP_OF_CURVE = np.array(
    [
        {"jawOpen": 0, "jawForward": 0, "mouthFunnel": 2, "mouthPucker": 2, "tongueOut": 3}.get(name, 1)
        for name in CURVES
    ]
)
_ANTICIPATION = np.array([14.0, 18.0, 9.0, 16.0])  # 1/s, before the plateau
_CARRY_OVER = np.array([15.0, 20.0, 13.0, 18.0])  # 1/s, after it
_EXPONENT = 1.3

# The table of section 4, but for W and onset R: real lips narrow there nearly as far as in a stop, also between open
# vowels, which takes the strength of a stop.
_STRENGTHS: dict[str, tuple[float, float, float, float]] = {
    "sil": (0.5, 0.5, 0.5, 0.5), "PP": (0.35, 3.0, 0.25, 0.3), "FF": (0.5, 2.2, 0.35, 0.3), "SS": (1.3, 0.8, 0.35, 1.0),
    "CH": (1.1, 1.0, 1.3, 1.0), "RR": (0.5, 0.5, 0.8, 1.0), "DD": (0.45, 0.4, 0.25, 1.0), "LL": (0.45, 0.4, 0.25, 1.0),
    "NN": (0.4, 0.35, 0.2, 0.8), "TH": (0.5, 0.7, 0.3, 2.0), "KK": (0.3, 0.25, 0.15, 0.6), "HH": (0.15, 0.12, 0.1, 0.3),
    "W": (2.5, 3.0, 1.3, 1.0),
}  # fmt: skip
_ROUNDED = (1.0, 1.0, 1.1, 1.0)
_SPREAD = (1.0, 1.0, 0.8, 1.0)
_ONSET_R_STRENGTHS = (2.5, 3.0, 1.0, 1.0)
_BEFORE_SPEECH_STRENGTHS = (0.9, 0.9, 0.1, 0.1)
STRENGTHS: FloatArray = np.array(
    [_STRENGTHS.get(name, _ROUNDED if name in ("O", "U", "Y") else _SPREAD) for name in CLASSES]
    + [_ONSET_R_STRENGTHS, _BEFORE_SPEECH_STRENGTHS]
)

_IS_VOWEL = np.array([number in VOWELS for number in range(len(TARGETS))])
# A short phone pulls less, except where contact or constriction is what makes the sound.
_ALWAYS_FULL = np.array(
    [name in ("PP", "FF", "CH", "SS", "W") for name in CLASSES] + [True, True],
)
_WIDE_PLATEAU = np.array([name == "W" for name in CLASSES] + [True, False])

# After a pause of this length the mouth opens before the first sound (section 6: 160-240 ms before it).
_PAUSE_WITH_OPENING_S = 0.35
_OPENING_FROM_S, _OPENING_UNTIL_S = 0.20, 0.10


class _Segments(NamedTuple):
    rows: NDArray[np.int64]  # row of TARGETS
    starts: FloatArray  # seconds
    ends: FloatArray
    left: FloatArray  # plateau, seconds
    right: FloatArray


def lip_gap(curves: NDArray[np.floating]) -> NDArray[np.floating]:
    """How far the lips are apart, `[..., K] -> [...]` (section 3): 0 is sealed, below 0.04 looks shut."""
    opening = curves[..., JAW] - curves[..., CLOSE] + 0.30 * curves[..., LOWER_DOWN] + 0.25 * curves[..., UPPER_UP]
    return np.asarray(np.maximum(opening, 0.0))


def speech_curves(
    classes: NDArray[np.integer],
    starts: NDArray[np.integer],
    ends: NDArray[np.integer],
    audio: NDArray[np.floating] | NDArray[np.integer] | None = None,
    frames: int | None = None,
) -> NDArray[np.float32]:
    """Curves `[F, K]` in 0..1 at times 20k ms of N contiguous segments given in 16 kHz samples.

    `audio` [T] (any scale) opens the jaw wider where the speech is louder than its own 60th percentile; without it
    loudness is neutral. F defaults to every 20 ms instant up to the end of the last segment.
    Raises ValueError when the segments are empty or not in order.
    """
    if len(classes) == 0 or not (len(classes) == len(starts) == len(ends)) or np.any(np.asarray(ends) <= starts):
        raise ValueError(
            f"classes, starts and ends must be equally long, not empty, with every end after its start; got lengths "
            f"{len(classes)}, {len(starts)}, {len(ends)}"
        )
    count = frames if frames is not None else int(ends[-1]) // SAMPLES_PER_FRAME + 1
    times = np.arange(count) / FRAME_RATE
    spoken = _segments(np.asarray(classes), np.asarray(starts) / SAMPLE_RATE, np.asarray(ends) / SAMPLE_RATE)
    targets = _scaled_targets(spoken, audio)
    curves = _dominance_blend(_with_openings(spoken), np.concatenate([targets, _opening_targets(spoken)]), times)
    return _enforce_contacts(curves, spoken, times).astype(np.float32)


def contacts(
    classes: NDArray[np.integer], starts: NDArray[np.integer], ends: NDArray[np.integer], frames: int
) -> NDArray[np.float32]:
    """How far lips seal (p b m) and lip and teeth touch (f v) at times 20k ms: `[F, 2]` in 0..1."""
    spoken = _segments(np.asarray(classes), np.asarray(starts) / SAMPLE_RATE, np.asarray(ends) / SAMPLE_RATE)
    times = np.arange(frames) / FRAME_RATE
    return np.stack([_seal(spoken, times), _bite(spoken, times)], axis=1).astype(np.float32)


def _segments(classes: NDArray[np.integer], starts: FloatArray, ends: FloatArray) -> _Segments:
    rows = classes.astype(np.int64)
    followed_by_vowel = np.append(_IS_VOWEL[rows[1:]], False)
    rows = np.where((rows == INDEX["RR"]) & followed_by_vowel, _ONSET_R, rows)
    length = ends - starts
    margin = np.where(_WIDE_PLATEAU[rows], 0.12, 0.25) * length
    pause = rows == SILENCE
    left = np.where(pause, starts + np.minimum(0.120, 0.6 * length / 2), starts + margin)
    right = np.where(pause, ends - np.minimum(0.150, 0.7 * length / 2), ends - margin)
    return _Segments(rows, starts, ends, left, right)


def _onsets_after_pause(spoken: _Segments) -> FloatArray:
    """Times at which sound begins after a pause long enough to breathe in."""
    pause = (spoken.rows == SILENCE) & (spoken.ends - spoken.starts >= _PAUSE_WITH_OPENING_S)
    pause[-1] = False
    return np.asarray(spoken.ends[pause])


def _with_openings(spoken: _Segments) -> _Segments:
    """The segments plus one virtual one before each onset: the mouth opens to breathe and speak."""
    onsets = _onsets_after_pause(spoken)
    begin, finish = onsets - _OPENING_FROM_S, onsets - _OPENING_UNTIL_S
    rows = np.full(len(onsets), _BEFORE_SPEECH)
    return _Segments(
        *(np.concatenate(pair) for pair in zip(spoken, (rows, begin, finish, begin + 0.04, finish), strict=True))
    )


def _opening_targets(spoken: _Segments) -> FloatArray:
    return np.tile(TARGETS[_BEFORE_SPEECH], (len(_onsets_after_pause(spoken)), 1))


def _scaled_targets(spoken: _Segments, audio: NDArray[np.floating] | NDArray[np.integer] | None) -> FloatArray:
    """Targets [N, K]; the jaw of vowels follows their duration and loudness."""
    targets = TARGETS[spoken.rows].copy()
    vowel = _IS_VOWEL[spoken.rows]
    duration = spoken.ends - spoken.starts
    factor = np.clip(0.72 + 0.28 * duration / 0.110, 0.6, 1.15)
    if audio is not None:
        factor = factor * _loudness_factor(spoken, np.asarray(audio, dtype=np.float64))
    targets[vowel, JAW] *= factor[vowel]
    return targets


def _loudness_factor(spoken: _Segments, audio: FloatArray) -> FloatArray:
    """Jaw factor [N] from the level in the 100 ms around each segment's centre."""
    energy = np.concatenate([[0.0], np.cumsum(audio**2)])
    centres = (spoken.starts + spoken.ends) / 2
    first = np.clip(((centres - 0.05) * SAMPLE_RATE).astype(np.int64), 0, len(audio) - 1)
    last = np.clip(((centres + 0.05) * SAMPLE_RATE).astype(np.int64), first + 1, len(audio))
    levels = np.sqrt(np.maximum(energy[last] - energy[first], 0.0) / (last - first))
    sounding = levels[spoken.rows != SILENCE]
    usual = float(np.percentile(sounding, 60)) if len(sounding) else 0.0
    if usual <= 0.0:
        return np.ones(len(levels))
    return np.asarray(np.clip(0.62 + 0.40 * np.sqrt(levels / usual), 0.6, 1.25))


def _dominance_blend(segments: _Segments, targets: FloatArray, times: FloatArray) -> FloatArray:
    """Weighted mean [F, K] of the targets; computed in blocks so that cost grows with length, not its square."""
    duration = segments.ends - segments.starts
    weight = np.where(_ALWAYS_FULL[segments.rows], 1.0, np.minimum(1.0, 0.45 + duration / 0.120))
    strength = STRENGTHS[segments.rows] * weight[:, None]  # [N, groups]
    curves = np.empty((len(times), targets.shape[1]))
    reach = 1.2  # seconds; at 9/s a segment this far away weighs exp(-22)
    for first in range(0, len(times), 100):
        now = times[first : first + 100]
        near = np.flatnonzero((segments.ends >= now[0] - reach) & (segments.starts <= now[-1] + reach))
        if len(near) == 0:  # beyond the last segment: at rest
            curves[first : first + 100] = 0.0
            continue
        before = np.maximum(0.0, segments.left[near] - now[:, None]) ** _EXPONENT  # [f, n]
        after = np.maximum(0.0, now[:, None] - segments.right[near]) ** _EXPONENT
        block = curves[first : first + 100]
        for group in range(_GROUP_COUNT):
            fall = before * _ANTICIPATION[group] ** _EXPONENT + after * _CARRY_OVER[group] ** _EXPONENT
            dominance = strength[near, group] * np.exp(-fall)
            members = np.flatnonzero(group == _GROUP_OF_CURVE)
            block[:, members] = dominance @ targets[np.ix_(near, members)] / dominance.sum(axis=1, keepdims=True)
    return curves


def _contact(
    segments: _Segments, class_index: int, times: FloatArray, ramp_before: float, ramp_after: float
) -> FloatArray:
    """How far a contact is made [F]: 1 from 12 ms before each such phone to 22 ms before its end, cosine ramps."""
    chosen = segments.rows == class_index
    begin = segments.starts[chosen] - 0.012
    finish = np.maximum(segments.ends[chosen] - 0.022, begin + 0.030)
    made = np.zeros(len(times))
    for one_begin, one_finish in zip(begin, finish, strict=True):
        first = max(0, int((one_begin - ramp_before) * FRAME_RATE))
        last = max(0, int((one_finish + ramp_after) * FRAME_RATE) + 2)
        now = times[first:last]
        early = np.clip((one_begin - now) / ramp_before, 0.0, 1.0)
        late = np.clip((now - one_finish) / ramp_after, 0.0, 1.0)
        made[first:last] = np.maximum(made[first:last], 0.5 + 0.5 * np.cos(np.pi * np.maximum(early, late)))
    return made


def _seal(segments: _Segments, times: FloatArray) -> FloatArray:
    return _contact(segments, INDEX["PP"], times, 0.070, 0.060)


def _bite(segments: _Segments, times: FloatArray) -> FloatArray:
    return _contact(segments, INDEX["FF"], times, 0.060, 0.055)


def _enforce_contacts(curves: FloatArray, segments: _Segments, times: FloatArray) -> FloatArray:
    """The hard rules of section 4: p b m seal the lips, f v put the lower lip under the teeth."""

    def at_least(name: str, amount: float, contact: FloatArray) -> None:
        column = CURVE[name]
        curves[:, column] = np.maximum(curves[:, column], amount * contact)

    bite = _bite(segments, times)
    at_least("mouthRollLower", 0.45, bite)
    curves[:, JAW] *= 1.0 - 0.45 * bite

    seal = _seal(segments, times)
    curves[:, CLOSE] = np.minimum(curves[:, CLOSE] * (1.0 - seal) + seal * curves[:, JAW], curves[:, JAW])
    curves[:, LOWER_DOWN] *= 1.0 - seal
    curves[:, UPPER_UP] *= 1.0 - seal
    at_least("mouthPress", 0.30, seal)
    at_least("mouthRollLower", 0.20, seal)
    at_least("mouthRollUpper", 0.14, seal)
    return np.clip(curves, 0.0, 1.0)
