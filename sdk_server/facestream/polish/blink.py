"""Blinks: drawn for each stream by its seed and the time, so that they never depend on how the audio came.

Time is cut into blocks of a minute. Within a block the blinks follow one another by log-normal pauses; the numbers of
blink `n` of block `b` depend on seed, `b` and `n` only, so a stream that begins at any time meets the same blinks.
"""

import numpy as np

from facestream.curves import sided
from facestream.polish.noise import Counter, Float64, normal, uniform
from facestream.types import Float32

BLOCK_S = 60.0
MEDIAN_PAUSE_S = 2.6
PAUSE_SPREAD = 0.55
"""Sigma of the logarithm. With the median above: about 19 blinks a minute, as people blink who talk
(Bentivoglio et al. 1997: 26 in conversation, 17 at rest)."""
MIN_PAUSE_S, MAX_PAUSE_S = 0.6, 9.0
CLOSING_S = (0.070, 0.090)
SHUT_S = (0.020, 0.040)
OPENING_S = (0.120, 0.160)
DEPTH_RANGE = (0.92, 1.0)

BLOCK, NUMBER, START, CLOSING, SHUT, OPENING, DEPTH = range(7)
"""Columns of the state `[B, 7]`: the blink that comes next or is under way."""
STATE_SIZE = 7

_LIDS = sided("eyeBlink")
_WIDE = sided("eyeWide")
_PAUSE_LANE = 10
_SHAPE_LANES = np.array([12, 13, 14, 15], np.uint64)
_SHAPE_RANGES = np.array([CLOSING_S, SHUT_S, OPENING_S, DEPTH_RANGE])


def fresh_blink(first_time_s: float) -> Float64:
    """State of a stream whose first frame lies at that time: at the end of the block before."""
    state = np.zeros(STATE_SIZE)
    state[[CLOSING, SHUT, OPENING]] = CLOSING_S[0], SHUT_S[0], OPENING_S[0]  # of a blink without depth
    state[BLOCK] = np.floor(first_time_s / BLOCK_S) - 1.0
    state[START] = (state[BLOCK] + 1.0) * BLOCK_S
    return state


def lids(state: Float64, seed: Counter, times_s: Float64) -> Float64:
    """How far the lids are shut `[B, F]`, 0..1, at times that rise along each row; moves `state` on in place."""
    lid = _pulse(state, times_s)
    due = np.flatnonzero(times_s[:, -1] >= _end(state))
    while due.size:
        state[due] = _next_blink(state[due], seed[due])
        lid[due] += _pulse(state[due], times_s[due])  # blinks do not overlap
        due = due[times_s[due, -1] >= _end(state[due])]
    return lid


def close_lids(weights: Float32, lid: Float32) -> None:
    """Shut the eyes of weights `[N, C]` by `lid` `[N]`, in place; wide eyes narrow while they do."""
    weights[:, _LIDS] = np.maximum(weights[:, _LIDS], lid[:, None])
    weights[:, _WIDE] *= 1.0 - lid[:, None]


def _end(state: Float64) -> Float64:
    """When each blink is over; a row that waits for its next block is over when that begins."""
    return np.where(state[:, DEPTH] > 0.0, state[:, START] + _length(state), state[:, START])


def _length(state: Float64) -> Float64:
    return np.asarray(state[:, CLOSING] + state[:, SHUT] + state[:, OPENING])


def _pulse(state: Float64, times_s: Float64) -> Float64:
    """One blink `[B, F]`: down, shut, up again, each move with soft ends."""
    into = times_s - state[:, START, None]
    closing = into / state[:, CLOSING, None]
    opening = (into - state[:, CLOSING, None] - state[:, SHUT, None]) / state[:, OPENING, None]
    return np.asarray((_soft(closing) - _soft(opening)) * state[:, DEPTH, None])


def _soft(share: Float64) -> Float64:
    share = np.minimum(np.maximum(share, 0.0), 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _next_blink(state: Float64, seed: Counter) -> Float64:
    """The blink after each one `[B, 7]`."""
    block_end = (state[:, BLOCK] + 1.0) * BLOCK_S
    new_block = state[:, START] >= block_end
    following = np.zeros_like(state)
    following[:, BLOCK] = state[:, BLOCK] + new_block
    following[:, NUMBER] = np.where(new_block, 0.0, state[:, NUMBER] + 1.0)
    key = (following[:, BLOCK].astype(np.uint64), following[:, NUMBER].astype(np.uint64))
    low, high = _SHAPE_RANGES.T
    shape = uniform(seed[:, None], _SHAPE_LANES, *(part[:, None] for part in key))
    following[:, CLOSING:] = low + (high - low) * shape
    pause = MEDIAN_PAUSE_S * np.exp(PAUSE_SPREAD * normal(seed, _PAUSE_LANE, *key))
    after = np.where(new_block, block_end, state[:, START] + _length(state))
    start = after + np.clip(pause, MIN_PAUSE_S, MAX_PAUSE_S)
    # One that would begin in the next block is not drawn: in its place the row waits for that block.
    block_end = (following[:, BLOCK] + 1.0) * BLOCK_S
    following[:, START] = np.minimum(start, block_end)
    following[start >= block_end, DEPTH] = 0.0
    return following
