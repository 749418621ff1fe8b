"""The last stage, in order: strength, calm, limits, smoothing, blinks, gaze, ease to the end, eye rotations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.polish import blink, gaze
from facestream.polish.limits import limit
from facestream.polish.noise import Float64
from facestream.polish.options import ControlChange, PolishOptions
from facestream.polish.rest import calm_next, hold_shut
from facestream.polish.smoothing import smooth
from facestream.types import Float32

STRENGTH, SMOOTHING, BLINKS, GAZE, EASE = range(5)
"""Columns of the settings row; switches are 0 or 1."""

POLISH_COLUMNS: dict[str, tuple[tuple[int, ...], npt.DTypeLike]] = {
    "polish.settings": ((5,), np.float32),
    "polish.seed": ((), np.uint64),
    "polish.calm": ((), np.float32),
    "polish.smoothed": ((CURVE_COUNT,), np.float32),
    "polish.blink": ((blink.STATE_SIZE,), np.float64),
    "polish.gaze": ((gaze.STATE_SIZE,), np.float64),
}
"""State of this stage for one stream: column name -> shape and element type."""

_MOUTH = np.array([name.startswith(("jaw", "mouth")) or name in ("cheekPuff", "tongueOut") for name in ARKIT_NAMES])


@dataclass(frozen=True, slots=True)
class FrameTime:
    """One stream's frame: its time and length in seconds, and how much of the face the ending leaves (`presence`)."""

    time_s: float
    frame_s: float
    presence: float


@dataclass(frozen=True, slots=True)
class FrameMoment:
    """The same for a batch, each `[B]`, with the probability of silence."""

    time_s: Float64
    frame_s: Float64
    presence: Float32
    silence: Float32

    @classmethod
    def of(cls, times: Sequence[FrameTime], silence: Float32) -> "FrameMoment":
        table = np.array([(time.time_s, time.frame_s, time.presence) for time in times])
        return cls(table[:, 0], table[:, 1], table[:, 2].astype(np.float32), silence)


@dataclass(frozen=True, slots=True)
class Polished:
    """Finished weights `[B, C]` and eye rotations `[B, 4]` (quaternions x y z w)."""

    weights: Float32
    left_eye: Float32
    right_eye: Float32


class Polisher:
    """Turns retargeted weights into frames fit to show. All memory is in the rows it is given."""

    def fresh_row(self, seed: int, options: PolishOptions) -> dict[str, Any]:
        """Columns of a new stream that are not zero."""
        return {
            "polish.settings": np.array(
                [options.mouth_strength, options.smoothing, options.blinks, options.gaze, options.ease_to_rest],
                np.float32,
            ),
            "polish.seed": np.uint64(seed),
            "polish.blink": blink.fresh_blink(options.blinks),
            "polish.gaze": gaze.fresh_gaze(options.gaze),
        }

    def changed_settings(self, settings: Float32, change: ControlChange) -> Float32:
        """Settings `[B, 5]` after a control."""
        changed = settings.copy()
        for column, value in ((STRENGTH, change.mouth_strength), (BLINKS, change.blinks), (GAZE, change.gaze)):
            if value is not None:
                changed[:, column] = value
        return changed

    def polish(self, weights: Float32, moment: FrameMoment, state: dict[str, npt.NDArray[Any]]) -> Polished:
        """One frame of every row: weights `[B, C]` in, `state` (the columns above, `[B, ...]`) moved on in place."""
        settings = state["polish.settings"]
        polished = weights.copy()
        polished[:, _MOUTH] *= settings[:, STRENGTH, None]

        state["polish.calm"] = calm_next(state["polish.calm"], moment.silence, moment.frame_s)
        hold_shut(polished, state["polish.calm"] * settings[:, EASE])
        limit(polished)
        polished = smooth(polished, state["polish.smoothed"], settings[:, SMOOTHING], moment.frame_s)
        state["polish.smoothed"] = polished.copy()

        lid = blink.blink(
            state["polish.blink"], state["polish.seed"], moment.time_s, moment.frame_s, settings[:, BLINKS]
        )
        blink.close_lids(polished, lid)
        yaw, pitch = gaze.gaze(
            state["polish.gaze"], state["polish.seed"], moment.time_s, moment.frame_s, settings[:, GAZE]
        )
        gaze.turn_eyes(polished, yaw, pitch)
        limit(polished)
        polished *= moment.presence[:, None]
        eyes = gaze.eye_rotations(polished)
        return Polished(polished, eyes[:, 0], eyes[:, 1])
