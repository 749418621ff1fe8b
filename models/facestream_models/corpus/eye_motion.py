"""Blinks and gaze of a speaker as training targets: the shapes of the live layers, timed by speech and speaker.

The live layers (`facestream.polish.blink` and `gaze`) draw blinks by seed and clock alone, because they run behind any
engine. A model that learns eyes should learn their link to speech, so here a speaker has a rate, phrase ends attract
blinks, and a new phrase may begin with a look aside.

Sources: speech-motion-data specification, section 8, after Bentivoglio et al. 1997.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from facestream.curves import sided
from facestream.polish.blink import CLOSING_S, DEPTH_RANGE, OPENING_S, PAUSE_SPREAD, SHUT_S, close_lids
from facestream.polish.gaze import DOWN_RAD, SACCADE_S, SIDE_RAD, UP_RAD, turn_eyes
from facestream_models.corpus.emotions import soft_step
from facestream_models.corpus.prosody import Prosody
from facestream_models.corpus.speaking_style import SpeakingStyle

Float64 = NDArray[np.float64]

_NEAR_PHRASE_END_S = 0.15
_MORE_LIKELY = 2.0
_CLOCK_STEP_S = 0.01
_FIXATION_S, _SACCADE_DEG = (0.4, 1.5), (0.5, 2.0)
_FARTHEST_DEG = 4.0
_AVERTED_PHRASES = 0.3
_AVERSION_DEG, _AVERSION_S = (6.0, 14.0), (0.5, 1.1)
_LIDS_FALL, _LIDS_RISE = 0.25, 0.15

_LIDS, _WIDE, _DOWN, _UP = (sided(name) for name in ("eyeBlink", "eyeWide", "eyeLookDown", "eyeLookUp"))


def move_eyes(face: Float64, prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """`face` [F, 52] at 50 Hz with gaze, lids that follow it, and blinks."""
    moved = face.astype(np.float32)
    yaw, pitch = gaze(prosody, random)
    turn_eyes(moved, yaw.astype(np.float32), pitch.astype(np.float32))
    moved[:, _LIDS] += np.float32(_LIDS_FALL) * moved[:, _DOWN]
    moved[:, _WIDE] += np.float32(_LIDS_RISE) * moved[:, _UP]
    close_lids(moved, blinks(prosody, style, random).astype(np.float32))
    return np.clip(moved.astype(np.float64), 0.0, 1.0)


def blink_starts(prosody: Prosody, per_minute: float, random: np.random.Generator) -> Float64:
    """Times of blinks in seconds: log-normal intervals, twice as likely within 150 ms of a phrase end.

    The intervals run on a clock that goes twice as fast near phrase ends; its mean speed is 1.
    """
    times = np.arange(0.0, len(prosody.times) / 50.0, _CLOCK_STEP_S)
    speed = np.ones(len(times))
    for _, end in prosody.phrases:
        speed[np.abs(times - end) <= _NEAR_PHRASE_END_S] = _MORE_LIKELY
    clock = np.cumsum(speed / speed.mean()) * _CLOCK_STEP_S
    # The mean of a log-normal lies above its median.
    median = 60.0 / per_minute * np.exp(-0.5 * PAUSE_SPREAD**2)
    starts: list[float] = []
    now = -random.uniform(0.0, 1.0) * 60.0 / per_minute
    shortest = max(CLOSING_S) + max(SHUT_S) + max(OPENING_S)
    while True:
        now += max(shortest * _MORE_LIKELY, median * float(np.exp(random.normal(0.0, PAUSE_SPREAD))))
        if now >= clock[-1]:
            return np.array(starts)
        if now > 0.0:
            starts.append(float(np.interp(now, clock, times)))


def blinks(prosody: Prosody, style: SpeakingStyle, random: np.random.Generator) -> Float64:
    """How far the lids are shut `[F]`, 0..1."""
    lid = np.zeros(len(prosody.times))
    for start in blink_starts(prosody, style.blinks_per_minute, random):
        closing, shut, opening = (random.uniform(*bounds) for bounds in (CLOSING_S, SHUT_S, OPENING_S))
        down = soft_step((prosody.times - start) / closing)
        up = soft_step((prosody.times - start - closing - shut) / opening)
        lid = np.maximum(lid, random.uniform(*DEPTH_RANGE) * (down - up))
    return lid


def gaze(prosody: Prosody, random: np.random.Generator) -> tuple[Float64, Float64]:
    """Yaw (positive to the subject's left) and pitch (positive down) of the eyes in radians `[F]`.

    Small jumps around the listener, and a larger look aside at the start of some phrases.
    """
    times = prosody.times
    targets: list[tuple[float, Float64]] = []
    now, place = 0.0, random.normal(0.0, 1.0, 2)
    while not targets or now < float(times[-1]):
        targets.append((now, place))
        now += random.uniform(*_FIXATION_S)
        direction = random.uniform(0.0, 2.0 * np.pi)
        step = random.uniform(*_SACCADE_DEG) * np.array([np.cos(direction), 0.6 * np.sin(direction)])
        # A step that would lead far away goes back to the listener instead.
        place = place + step if np.abs(place + step).max() <= _FARTHEST_DEG else 0.3 * place
    for start, _ in prosody.phrases:
        if random.random() < _AVERTED_PHRASES:
            targets = _with_aversion(targets, start, random)
    angles = np.tile(targets[0][1], (len(times), 1))
    for (_, before), (begin, after) in itertools.pairwise(targets):
        angles += soft_step((times - begin) / SACCADE_S)[:, None] * (after - before)
    radians = np.deg2rad(angles)
    return (
        np.clip(radians[:, 0], -SIDE_RAD, SIDE_RAD),
        np.clip(radians[:, 1], -UP_RAD, DOWN_RAD),
    )


def _with_aversion(
    targets: list[tuple[float, Float64]], start: float, random: np.random.Generator
) -> list[tuple[float, Float64]]:
    """The fixations with one that looks away around `start` and comes back."""
    begin = max(0.0, start - random.uniform(0.0, 0.3))
    finish = begin + random.uniform(*_AVERSION_S)
    side = float(random.choice([-1.0, 1.0]))
    away = random.uniform(*_AVERSION_DEG) * np.array([side, random.uniform(-0.4, 0.5)])
    before = [target for target in targets if target[0] < begin]
    after = [target for target in targets if target[0] > finish]
    return [*before, (begin, away), (finish, 0.3 * away * random.random()), *after]
