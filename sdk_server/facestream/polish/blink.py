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
FADE_S = 0.1
"""Switching blinks on or off takes so long, so that a lid never jumps."""

BLOCK, NUMBER, START, CLOSING, SHUT, OPENING, DEPTH, AMOUNT = range(8)
"""Columns of the state `[B, 8]`: which blink comes next or is under way, and how much of it is shown."""
STATE_SIZE = 8

_LIDS = sided("eyeBlink")
_WIDE = sided("eyeWide")
_LANES = {"pause": 10, "closing": 12, "shut": 13, "opening": 14, "depth": 15}


def fresh_blink(is_on: bool) -> Float64:
    """State before the first frame: no block yet."""
    state = np.zeros(STATE_SIZE)
    state[BLOCK] = -1.0
    state[START] = -1.0
    state[AMOUNT] = float(is_on)
    return state


def blink(state: Float64, seed: Counter, time_s: Float64, frame_s: Float64, is_on: Float32) -> Float32:
    """How far the lids are shut `[B]`, 0..1, at `time_s`; moves `state` `[B, 8]` on in place."""
    _advance(state, seed, time_s)
    step = frame_s / FADE_S
    state[:, AMOUNT] += np.clip(is_on - state[:, AMOUNT], -step, step)
    into = time_s - state[:, START]
    closing = np.clip(into / state[:, CLOSING], 0.0, 1.0)
    opening = np.clip((into - state[:, CLOSING] - state[:, SHUT]) / state[:, OPENING], 0.0, 1.0)
    lid = closing * closing * (3.0 - 2.0 * closing) - opening * opening * (3.0 - 2.0 * opening)
    return (lid * state[:, DEPTH] * state[:, AMOUNT]).astype(np.float32)


def close_lids(weights: Float32, lid: Float32) -> None:
    """Shut the eyes of weights `[B, C]` by `lid` `[B]`, in place; wide eyes narrow while they do."""
    weights[:, _LIDS] = np.maximum(weights[:, _LIDS], lid[:, None])
    weights[:, _WIDE] *= 1.0 - lid[:, None]


def _advance(state: Float64, seed: Counter, time_s: Float64) -> None:
    """Draw blinks until none lies wholly in the past."""
    while True:
        end = state[:, START] + state[:, CLOSING] + state[:, SHUT] + state[:, OPENING]
        due = np.flatnonzero(time_s >= end)
        if not due.size:
            return
        state[due] = _next_blink(state[due], seed[due], time_s[due], end[due])


def _next_blink(state: Float64, seed: Counter, time_s: Float64, end: Float64) -> Float64:
    block = np.floor(time_s / BLOCK_S)
    same = block == state[:, BLOCK]
    number = np.where(same, state[:, NUMBER] + 1.0, 0.0)
    after = np.where(same, end, block * BLOCK_S)
    key = (seed, block.astype(np.uint64), number.astype(np.uint64))

    def between(limits: tuple[float, float], lane: str) -> Float64:
        low, high = limits
        return low + (high - low) * uniform(key[0], _LANES[lane], key[1], key[2])

    pause = MEDIAN_PAUSE_S * np.exp(PAUSE_SPREAD * normal(key[0], _LANES["pause"], key[1], key[2]))
    start = after + np.clip(pause, MIN_PAUSE_S, MAX_PAUSE_S)
    following = state.copy()
    following[:, BLOCK] = block
    following[:, NUMBER] = number
    following[:, CLOSING] = between(CLOSING_S, "closing")
    following[:, SHUT] = between(SHUT_S, "shut")
    following[:, OPENING] = between(OPENING_S, "opening")
    following[:, DEPTH] = between((0.92, 1.0), "depth")
    # A blink that would begin in the next block belongs to nobody: wait for that block.
    block_end = (block + 1.0) * BLOCK_S
    beyond = start >= block_end
    following[:, START] = np.where(beyond, block_end, start)
    following[beyond, DEPTH] = 0.0
    return following
