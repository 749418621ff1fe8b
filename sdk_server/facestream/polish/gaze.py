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

SIDE_RAD, DOWN_RAD, UP_RAD = 0.66, 0.61, 0.51

BLOCK, NUMBER, START, END, FROM_YAW, FROM_PITCH, TO_YAW, TO_PITCH = range(8)
"""Columns of the state `[B, 8]`: the fixation under way, and where the eyes came from."""
STATE_SIZE = 8

# Columns of (left eye, right eye) for looking to the subject's left, right, up and down.
_LEFT = columns("eyeLookOutLeft", "eyeLookInRight")
_RIGHT = columns("eyeLookInLeft", "eyeLookOutRight")
_UP = columns("eyeLookUpLeft", "eyeLookUpRight")
_DOWN = columns("eyeLookDownLeft", "eyeLookDownRight")
_LANES = np.array([20, 22, 24], np.uint64)
"""Of the fixation's length, its yaw and its pitch."""
_SPREADS_RAD = np.array([YAW_SPREAD_RAD, PITCH_SPREAD_RAD])


def fresh_gaze(first_time_s: float) -> Float64:
    """State of a stream whose first frame lies at that time: at the end of the block before, looking ahead."""
    state = np.zeros(STATE_SIZE)
    state[BLOCK] = np.floor(first_time_s / BLOCK_S) - 1.0
    state[START] = state[END] = (state[BLOCK] + 1.0) * BLOCK_S
    return state


def looks(state: Float64, seed: Counter, times_s: Float64) -> Float64:
    """Yaw (positive to the subject's left) and pitch (positive down), radians `[B, F, 2]`, at times that rise along
    each row; moves `state` `[B, 8]` on in place.
    """
    angles = _angles(state, times_s)
    due = np.flatnonzero(times_s[:, -1] >= state[:, END])
    while due.size:
        state[due] = _next_fixation(state[due], seed[due])
        begun = times_s[due] >= state[due, START, None]
        angles[due] = np.where(begun[:, :, None], _angles(state[due], times_s[due]), angles[due])
        due = due[times_s[due, -1] >= state[due, END]]
    return angles


def turn_eyes(weights: Float32, yaw: Float32, pitch: Float32) -> None:
    """Add a gaze `[N]` to the `eyeLook*` curves of `[N, C]`, in place: each signed angle to one half of its pair."""
    side = weights[:, _LEFT] - weights[:, _RIGHT] + (yaw * np.float32(1.0 / SIDE_RAD))[:, None]
    weights[:, _LEFT] = np.maximum(side, 0.0)
    weights[:, _RIGHT] = np.maximum(-side, 0.0)
    angle = eye_pitch(weights) + pitch[:, None]
    weights[:, _DOWN] = np.maximum(angle * np.float32(1.0 / DOWN_RAD), 0.0)
    weights[:, _UP] = np.maximum(-angle * np.float32(1.0 / UP_RAD), 0.0)


def eye_yaw(weights: Float32) -> Float32:
    """Yaw of (left, right) eye `[N, 2]`, radians, positive to the subject's left."""
    return np.asarray((weights[:, _LEFT] - weights[:, _RIGHT]) * np.float32(SIDE_RAD), np.float32)


def eye_pitch(weights: Float32) -> Float32:
    """Pitch of (left, right) eye `[N, 2]`, radians, positive down."""
    return np.asarray(weights[:, _DOWN] * np.float32(DOWN_RAD) - weights[:, _UP] * np.float32(UP_RAD), np.float32)


def eye_rotations(weights: Float32) -> Float32:
    """Quaternions x y z w `[N, 2, 4]` (left eye, right eye) that agree with the `eyeLook*` curves.

    Right-handed, +Y up, +Z forward: looking to the subject's left turns about +Y, down about +X; yaw after pitch.
    """
    half_yaw, half_pitch = eye_yaw(weights) * np.float32(0.5), eye_pitch(weights) * np.float32(0.5)
    sin_yaw, cos_yaw = np.sin(half_yaw), np.cos(half_yaw)
    sin_pitch, cos_pitch = np.sin(half_pitch), np.cos(half_pitch)
    return np.stack((cos_yaw * sin_pitch, sin_yaw * cos_pitch, -sin_yaw * sin_pitch, cos_yaw * cos_pitch), axis=-1)


def _angles(state: Float64, times_s: Float64) -> Float64:
    """Yaw and pitch `[B, F, 2]` within one fixation: a quick turn at its start, then still."""
    share = np.minimum(np.maximum((times_s - state[:, START, None]) / SACCADE_S, 0.0), 1.0)
    share = share * share * (3.0 - 2.0 * share)
    origin, target = state[:, None, FROM_YAW:TO_YAW], state[:, None, TO_YAW:]
    return np.asarray(origin + share[:, :, None] * (target - origin))


def _next_fixation(state: Float64, seed: Counter) -> Float64:
    """The fixation after each one `[B, 8]`."""
    block_end = (state[:, BLOCK] + 1.0) * BLOCK_S
    new_block = state[:, END] >= block_end
    following = np.empty_like(state)
    following[:, BLOCK] = state[:, BLOCK] + new_block
    following[:, NUMBER] = np.where(new_block, 0.0, state[:, NUMBER] + 1.0)
    key = (following[:, column, None].astype(np.uint64) for column in (BLOCK, NUMBER))
    drawn = normal(seed[:, None], _LANES, *key)
    following[:, START] = state[:, END]
    following[:, FROM_YAW:TO_YAW] = state[:, TO_YAW:]
    following[:, TO_YAW:] = _SPREADS_RAD * np.clip(drawn[:, 1:], -FARTHEST_SPREADS, FARTHEST_SPREADS)
    length = MEDIAN_FIXATION_S * np.exp(FIXATION_SPREAD * drawn[:, 0])
    end = following[:, START] + np.clip(length, MIN_FIXATION_S, MAX_FIXATION_S)
    following[:, END] = np.minimum(end, (following[:, BLOCK] + 1.0) * BLOCK_S)
    return following
