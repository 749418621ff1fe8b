"""The last stage: strength, seal, calm, limits and smoothing of runs of frames; then blinks, gaze and the ending."""

from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.polish import blink, gaze
from facestream.polish.limits import limit
from facestream.polish.noise import Float64
from facestream.polish.options import ControlChange, PolishOptions
from facestream.polish.rest import calm_next, hold_shut
from facestream.polish.seal import seal_lips
from facestream.polish.smoothing import smooth
from facestream.types import Float32

STRENGTH, SMOOTHING, EASE, BLINKS, GAZE = range(5)
"""Columns of the settings row; switches are 0 or 1."""
_LAYERS = slice(BLINKS, GAZE + 1)

FADE_S = 0.12
"""Switching blinks or gaze takes so long, so that an eye never jumps."""

SETTINGS, SEED, CALM = "polish.settings", "polish.seed", "polish.calm"
SMOOTHED, SHOWN, BLINK, LOOK = "polish.smoothed", "polish.shown", "polish.blink", "polish.gaze"
POLISH_COLUMNS: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
    SETTINGS: ((5,), np.float32),
    SEED: ((), np.uint64),
    CALM: ((), np.float32),
    SMOOTHED: ((CURVE_COUNT,), np.float32),
    SHOWN: ((2,), np.float32),
    BLINK: ((blink.STATE_SIZE,), np.float64),
    LOOK: ((gaze.STATE_SIZE,), np.float64),
}
"""State of this stage for one stream: column name -> shape and element type. `SHOWN` is how much of the blinks and of
the gaze is shown, between off and on."""

Rows = dict[str, npt.NDArray[Any]]
"""Those columns for a batch, `[B, ...]`."""

_MOUTH = np.array(
    [name.startswith(("jaw", "mouth")) or name in ("cheekPuff", "tongueOut") for name in ARKIT_NAMES], np.float32
)


def fresh_row(seed: int, options: PolishOptions, first_time_s: float) -> Rows:
    """Columns of a new stream whose first frame lies at that time; those not named are zero."""
    settings = [options.mouth_strength, options.smoothing, options.ease_to_rest, options.blinks, options.gaze]
    return {
        SETTINGS: np.array(settings, np.float32),
        SEED: np.array(seed, np.uint64),
        CALM: np.array(1.0, np.float32),  # a network that has heard nothing yet twitches
        SHOWN: np.array(settings[_LAYERS], np.float32),
        BLINK: blink.fresh_blink(first_time_s),
        LOOK: gaze.fresh_gaze(first_time_s),
    }


def apply_change(settings: Float32, change: ControlChange) -> None:
    """Put the new values into a settings row `[5]`."""
    for column, value in ((STRENGTH, change.mouth_strength), (BLINKS, change.blinks), (GAZE, change.gaze)):
        if value is not None:
            settings[column] = value


def settle(
    weights: Float32,
    silence: Float32,
    bilabial: Float32,
    settings: Float32,
    frame_s: Float64,
    counts: npt.NDArray[np.intp],
    state: Rows,
) -> tuple[Float32, Float32]:
    """Runs of frames: retargeted weights `[B, F, C]`, what the network hears, settings `[B, F, 5]`, lengths `[B]`.

    `silence` and `bilabial` `[B, F]` are probabilities. `state` moves on by `counts` `[B]` frames; beyond them nothing
    is meant. Gives smoothed weights and how much of the layers is shown `[B, F, 2]`.
    """
    row_count, frame_count = silence.shape
    flat = (weights * (1 + _MOUTH * (settings[:, :, STRENGTH, None] - 1))).reshape(-1, CURVE_COUNT)
    seal_lips(flat, bilabial.ravel())
    calm, shown = np.zeros((row_count, frame_count), np.float32), np.zeros((row_count, frame_count, 2), np.float32)
    step = (frame_s / FADE_S).astype(np.float32)[:, None]
    going = [counts > frame for frame in range(frame_count)]
    for frame, goes_on in enumerate(going):
        calm[:, frame] = calm_next(state[CALM], silence[:, frame], frame_s)
        to_go = settings[:, frame, _LAYERS] - state[SHOWN]
        shown[:, frame] = state[SHOWN] + np.minimum(np.maximum(to_go, -step), step)
        state[CALM] = np.where(goes_on, calm[:, frame], state[CALM])
        state[SHOWN] = np.where(goes_on[:, None], shown[:, frame], state[SHOWN])
    hold_shut(flat, (calm * settings[:, :, EASE]).ravel())
    limit(flat)
    settled = flat.reshape(weights.shape)
    for frame, goes_on in enumerate(going):
        settled[:, frame] = smooth(settled[:, frame], state[SMOOTHED], settings[:, frame, SMOOTHING], frame_s)
        state[SMOOTHED] = np.where(goes_on[:, None], settled[:, frame], state[SMOOTHED])
    return settled, shown


def finish(
    weights: Float32, shown: Float32, times_s: Float64, presence: Float32, state: Rows
) -> tuple[Float32, Float32]:
    """Blinks, gaze and the ending for runs of settled frames; `state` moves on.

    Takes weights `[B, F, C]`, `shown` `[B, F, 2]`, times `[B, F]` that rise along each row, and `presence` `[B, F]`
    (how much of the face the ending leaves). Gives weights `[B, F, C]` and eye rotations `[B, F, 2, 4]` (left, right;
    quaternions x y z w).
    """
    row_count, frame_count = times_s.shape
    frames = weights.reshape(-1, CURVE_COUNT).copy()
    lid = blink.lids(state[BLINK], state[SEED], times_s) * shown[:, :, 0]
    blink.close_lids(frames, lid.astype(np.float32).ravel())
    angles = (gaze.looks(state[LOOK], state[SEED], times_s) * shown[:, :, 1, None]).astype(np.float32).reshape(-1, 2)
    gaze.turn_eyes(frames, angles[:, 0], angles[:, 1])
    limit(frames)
    frames *= presence.reshape(-1, 1)
    eyes = gaze.eye_rotations(frames)
    return frames.reshape(row_count, frame_count, CURVE_COUNT), eyes.reshape(row_count, frame_count, 2, 4)
