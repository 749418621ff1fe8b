"""The playback clock: which face belongs to the sound that is audible now.

A game plays the audio and asks at every drawn frame, with the position of its *audio* clock. Frames may come early,
late or not at all; the face never runs ahead of the sound, and eases to neutral when nothing comes.
"""

import threading
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from facestream.curves import CURVE_COUNT
from facestream.timebase import FrameClock
from facestream.types import Float32, Frames

_IDENTITY = np.array([0.0, 0.0, 0.0, 1.0], np.float32)


@dataclass(frozen=True, slots=True)
class Face:
    """One drawn moment: `weights` `[C]`, rotations as quaternions x y z w `[4]`."""

    weights: Float32
    head: Float32
    left_eye: Float32
    right_eye: Float32
    is_starved: bool
    """Whether frames are missing here, so that the face holds or eases to neutral."""


class PlaybackClock:
    """Buffers frames and answers for any audio position. One thread may add while another asks.

    Between two frames weights are interpolated linearly, rotations along the shorter arc. Behind the last frame the
    face holds for `hold_ms`, then eases to neutral within `rest_ms`; when frames are back it blends to them within
    `rejoin_ms`.
    """

    def __init__(
        self,
        clock: FrameClock,
        *,
        curve_count: int = CURVE_COUNT,
        hold_ms: float = 100.0,
        rest_ms: float = 250.0,
        rejoin_ms: float = 80.0,
    ) -> None:
        self._clock = clock
        per_ms = clock.rate.fraction / 1000
        self._hold, self._rest, self._rejoin = (float(per_ms) * ms for ms in (hold_ms, rest_ms, rejoin_ms))
        self._neutral = np.concatenate([np.zeros(curve_count, np.float32), _IDENTITY, _IDENTITY, _IDENTITY])
        self._indices: list[int] = []
        self._rows: list[Float32] = []
        self._shown = self._neutral
        self._rejoin_from: tuple[float, Float32] | None = None
        self._was_starved = False
        self._lock = threading.Lock()

    @property
    def buffered_frames(self) -> int:
        """Frames held, those on both sides of the last position included."""
        return len(self._indices)

    def add(self, frames: Frames) -> None:
        """Take over frames. Those at or before the newest one held are ignored: a frame is never replaced."""
        rows = self._packed(frames)
        with self._lock:
            first = max(frames.first_index, self._indices[-1] + 1 if self._indices else frames.first_index)
            self._indices.extend(range(first, frames.end_index))
            self._rows.extend(rows[first - frames.first_index :])

    def at(self, sample: int) -> Face:
        """The face for the audio position `sample` (in the stream's samples). Positions are expected to advance."""
        rate = self._clock.rate
        return self.at_frame(sample * rate.numerator / (self._clock.sample_rate_hz * rate.denominator))

    def at_frame(self, position: float) -> Face:
        """The face at a position counted in frames: 7.0 is frame 7 itself, 7.5 half way to the next."""
        with self._lock:
            self._forget_before(position)
            row, is_starved = self._row_at(position)
            row = self._rejoined(position, row, is_starved)
            self._shown, self._was_starved = row, is_starved
        weights, head, left_eye, right_eye = np.split(row, [-12, -8, -4])
        return Face(weights, head, left_eye, right_eye, is_starved)

    def _packed(self, frames: Frames) -> Float32:
        pose = frames.pose
        if pose is None:
            rotations = np.tile(_IDENTITY, (frames.count, 3))
        else:
            rotations = np.concatenate([pose.head, pose.left_eye, pose.right_eye], axis=1)
        return np.concatenate([frames.weights, rotations], axis=1)

    def _forget_before(self, position: float) -> None:
        passed = bisect_right(self._indices, position) - 1
        if passed > 0:
            del self._indices[:passed], self._rows[:passed]

    def _row_at(self, position: float) -> tuple[Float32, bool]:
        if not self._indices or position < self._indices[0]:
            return self._neutral, True
        age = position - self._indices[0]
        if len(self._indices) > 1:
            step = self._indices[1] - self._indices[0]
            if step == 1 or step <= self._hold:
                return _between(self._rows[0], self._rows[1], age / step), False
        if age <= 1.0:
            return self._rows[0], False
        eased = np.clip((age - self._hold) / self._rest, 0.0, 1.0)
        return _between(self._rows[0], self._neutral, float(eased * eased * (3.0 - 2.0 * eased))), True

    def _rejoined(self, position: float, row: Float32, is_starved: bool) -> Float32:
        if self._was_starved and not is_starved:
            self._rejoin_from = (position, self._shown)
        if self._rejoin_from is None or is_starved:
            return row
        begun, shown = self._rejoin_from
        share = (position - begun) / self._rejoin if self._rejoin > 0 else 1.0
        if not 0.0 <= share < 1.0:
            self._rejoin_from = None
            return row
        return _between(shown, row, share)


def _between(first: Float32, second: Float32, share: float) -> Float32:
    """Linear between two packed rows; each quaternion takes the shorter arc and is normalised."""
    if share == 0.0:
        return first
    mixed = first + np.float32(share) * (second - first)
    for start in (-12, -8, -4):
        stop = start + 4 or None
        one, other = first[start:stop], second[start:stop]
        sign = np.float32(1.0 if float(one @ other) >= 0 else -1.0)
        rotation = one + np.float32(share) * (sign * other - one)
        mixed[start:stop] = rotation / max(float(np.linalg.norm(rotation)), 1e-9)
    return mixed
