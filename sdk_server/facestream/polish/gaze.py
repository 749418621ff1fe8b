"""Small gaze shifts: eyes that rest on a point for a second and then jump a degree or two, as eyes do.

Drawn by seed and time like the blinks. Weights `eyeLook*` and eye rotations are two forms of one gaze: 0.66 radians of
yaw per unit of looking sideways, 0.61 down and 0.51 up (measured on Live Link Face takes, engine-formats section 1.4).
"""

import numpy as np

from facestream.curves import columns
from facestream.polish.noise import Counter, Float64, normal
from facestream.types import Float32

BLOCK_S = 60.0
MEDIAN_FIXATION_S = 0.9
FIXATION_SPREAD = 0.6
MIN_FIXATION_S, MAX_FIXATION_S = 0.25, 5.0
YAW_SPREAD_RAD, PITCH_SPREAD_RAD = 0.035, 0.020
"""Two degrees sideways, a bit more than one up and down: a face that looks at its listener."""
FARTHEST_SPREADS = 2.5
SACCADE_S = 0.045
FADE_S = 0.15

SIDE_RAD, DOWN_RAD, UP_RAD = 0.66, 0.61, 0.51

BLOCK, NUMBER, START, FROM_YAW, FROM_PITCH, TO_YAW, TO_PITCH, END, AMOUNT = range(9)
"""Columns of the state `[B, 9]`: one fixation, where the eyes came from, and how much of it is shown."""
STATE_SIZE = 9

# Columns of (left eye, right eye) for looking to the subject's left, right, up and down.
_LEFT = columns("eyeLookOutLeft", "eyeLookInRight")
_RIGHT = columns("eyeLookInLeft", "eyeLookOutRight")
_UP = columns("eyeLookUpLeft", "eyeLookUpRight")
_DOWN = columns("eyeLookDownLeft", "eyeLookDownRight")
_LANES = {"fixation": 20, "yaw": 22, "pitch": 24}


def fresh_gaze(is_on: bool) -> Float64:
    """State before the first frame: no block yet."""
    state = np.zeros(STATE_SIZE)
    state[BLOCK] = -1.0
    state[AMOUNT] = float(is_on)
    return state


def gaze(state: Float64, seed: Counter, time_s: Float64, frame_s: Float64, is_on: Float32) -> tuple[Float32, Float32]:
    """Yaw (positive to the subject's left) and pitch (positive down) `[B]`, radians; moves `state` on in place."""
    _advance(state, seed, time_s)
    step = frame_s / FADE_S
    state[:, AMOUNT] += np.clip(is_on - state[:, AMOUNT], -step, step)
    share = np.clip((time_s - state[:, START]) / SACCADE_S, 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    yaw = state[:, FROM_YAW] + share * (state[:, TO_YAW] - state[:, FROM_YAW])
    pitch = state[:, FROM_PITCH] + share * (state[:, TO_PITCH] - state[:, FROM_PITCH])
    return (yaw * state[:, AMOUNT]).astype(np.float32), (pitch * state[:, AMOUNT]).astype(np.float32)


def turn_eyes(weights: Float32, yaw: Float32, pitch: Float32) -> None:
    """Add a gaze to the `eyeLook*` curves of `[B, C]`, in place; each signed angle goes to one half of its pair."""
    side = weights[:, _LEFT] - weights[:, _RIGHT] + (yaw * np.float32(1.0 / SIDE_RAD))[:, None]
    weights[:, _LEFT] = np.maximum(side, 0.0)
    weights[:, _RIGHT] = np.maximum(-side, 0.0)
    angle = eye_pitch(weights) + pitch[:, None]
    weights[:, _DOWN] = np.maximum(angle * np.float32(1.0 / DOWN_RAD), 0.0)
    weights[:, _UP] = np.maximum(-angle * np.float32(1.0 / UP_RAD), 0.0)


def eye_yaw(weights: Float32) -> Float32:
    """Yaw of (left, right) eye `[B, 2]`, radians, positive to the subject's left."""
    return np.asarray((weights[:, _LEFT] - weights[:, _RIGHT]) * np.float32(SIDE_RAD), np.float32)


def eye_pitch(weights: Float32) -> Float32:
    """Pitch of (left, right) eye `[B, 2]`, radians, positive down."""
    return np.asarray(weights[:, _DOWN] * np.float32(DOWN_RAD) - weights[:, _UP] * np.float32(UP_RAD), np.float32)


def eye_rotations(weights: Float32) -> Float32:
    """Quaternions x y z w `[B, 2, 4]` (left eye, right eye) that agree with the `eyeLook*` curves.

    Right-handed, +Y up, +Z forward: looking to the subject's left turns about +Y, down about +X; yaw after pitch.
    """
    half_yaw, half_pitch = eye_yaw(weights) * np.float32(0.5), eye_pitch(weights) * np.float32(0.5)
    sin_yaw, cos_yaw = np.sin(half_yaw), np.cos(half_yaw)
    sin_pitch, cos_pitch = np.sin(half_pitch), np.cos(half_pitch)
    return np.stack((cos_yaw * sin_pitch, sin_yaw * cos_pitch, -sin_yaw * sin_pitch, cos_yaw * cos_pitch), axis=-1)


def _advance(state: Float64, seed: Counter, time_s: Float64) -> None:
    while True:
        due = np.flatnonzero(time_s >= state[:, END])
        if not due.size:
            return
        state[due] = _next_fixation(state[due], seed[due], time_s[due])


def _next_fixation(state: Float64, seed: Counter, time_s: Float64) -> Float64:
    block = np.floor(time_s / BLOCK_S)
    same = block == state[:, BLOCK]
    number = np.where(same, state[:, NUMBER] + 1.0, 0.0)
    counters = (block.astype(np.uint64), number.astype(np.uint64))

    def angle(spread: float, lane: str) -> Float64:
        drawn = normal(seed, _LANES[lane], *counters)
        return spread * np.clip(drawn, -FARTHEST_SPREADS, FARTHEST_SPREADS)

    length = MEDIAN_FIXATION_S * np.exp(FIXATION_SPREAD * normal(seed, _LANES["fixation"], *counters))
    following = state.copy()
    following[:, BLOCK] = block
    following[:, NUMBER] = number
    following[:, START] = np.where(same, state[:, END], block * BLOCK_S)
    following[:, FROM_YAW] = state[:, TO_YAW]
    following[:, FROM_PITCH] = state[:, TO_PITCH]
    following[:, TO_YAW] = angle(YAW_SPREAD_RAD, "yaw")
    following[:, TO_PITCH] = angle(PITCH_SPREAD_RAD, "pitch")
    end = following[:, START] + np.clip(length, MIN_FIXATION_S, MAX_FIXATION_S)
    following[:, END] = np.minimum(end, (block + 1.0) * BLOCK_S)
    return following
