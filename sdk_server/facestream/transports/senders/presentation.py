"""When each frame of a stream is shown, and what is shown where there is none.

Frames come in runs, some early, some late. The first one is shown `delay_s` behind its arrival, the others at the pace
of the stream behind it. Where frames are missing the face holds and eases to rest (`PlaybackClock`); those that come
late move everything behind them, so nothing is skipped. Delay that proves to be more than needed is given back slowly.
"""

import math
from dataclasses import dataclass

import numpy as np

from facestream.client.playback import Face, PlaybackClock
from facestream.curves import CURVE_COUNT
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Frames, Pose

HOLD_S, REST_S = 0.1, 0.25
"""How long a face without frames holds, then how long it takes to neutral (engine-formats section 7)."""

LONGEST_WAIT_S = 10.0
"""Of frames ahead of their moment; beyond it the oldest are left out, for what is shown shall be live."""

_WINDOW_S = 5.0
_GIVEN_BACK = 0.02
"""Share of a frame's time by which the pace may differ: nobody sees it, and clocks differ by far less."""
_LARGEST_SURPLUS_S = 0.5
"""More than this is no drift but a client that sends ahead of real time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A face, the moment it was due on the presentation's clock, and seconds since the stream's first frame."""

    face: Face
    due_s: float
    stream_s: float


class Presentation:
    """One stream for one target. Times are seconds of one clock, which the caller reads."""

    def __init__(self, rate: FrameRate, delay_s: float) -> None:
        self._rate = rate
        self._delay_s = delay_s
        self._period = rate.denominator / rate.numerator
        self._playback = self._new_playback()
        self._origin_s = 0.0
        """When frame 0 is (or would have been) shown."""
        self._first: int | None = None
        self._next = 0
        self._end = 0
        self._starved = 0
        """Faces shown since the frames ran out."""
        self._last: Face | None = None
        self._is_finished = False
        self._is_abandoned = False
        self._least_slack_s = math.inf
        self._window_end = 0
        self._surplus_s = 0.0

    @property
    def due_s(self) -> float | None:
        """When `take` is to be called next; `None` while there is nothing to show."""
        if self._first is None or self.is_over or self._is_at_rest:
            return None
        return self._origin_s + (self._next + self._starved) * self._period

    @property
    def is_over(self) -> bool:
        """Whether there will be no more faces."""
        if self._is_abandoned:
            return self._last is None or self._is_at_rest
        return self._is_finished and self._next >= self._end

    def add(self, frames: Frames, now_s: float) -> None:
        """Take over consecutive frames that arrive now."""
        if not frames.count or self._is_abandoned:
            return
        if self._first is None:
            self._first = self._next = frames.first_index
            self._origin_s = now_s + self._delay_s - self._next * self._period
            self._window_end = self._next + round(_WINDOW_S / self._period)
        else:
            self._make_up_for(now_s)
            self._note_slack(frames.first_index, now_s)
        self._playback.add(frames)
        self._end = max(self._end, frames.end_index)
        surplus = self._end - self._next - round(LONGEST_WAIT_S / self._period)
        if surplus > 0:
            self._next += surplus
            self._origin_s -= surplus * self._period

    def finish(self) -> None:
        """No more frames: those that wait are shown, and the last of them stays."""
        self._is_finished = True

    def abandon(self) -> None:
        """The stream broke off: what waits is forgotten, and the face eases to rest from where it is."""
        if self.is_over or self._is_abandoned:
            return
        self._is_abandoned = True
        self._playback = self._new_playback()
        if self._last is not None:
            last, index = self._last, self._next - 1
            pose = Pose(last.head[None], last.left_eye[None], last.right_eye[None])
            self._playback.add(Frames(index, last.weights[None], pose))
        self._end = self._next

    def take(self) -> Shown:
        """The face that is due; only where `due_s` is not `None`."""
        due_s = self.due_s
        assert due_s is not None
        assert self._first is not None
        position = self._next + self._starved
        if self._next < self._end:
            self._next += 1
            self._give_back()
        else:
            self._starved += 1
        face = self._playback.at_frame(position)
        self._last = face
        return Shown(face, due_s, (position - self._first) * self._period)

    @property
    def _is_at_rest(self) -> bool:
        return self._next >= self._end and (self._starved - 1) * self._period > HOLD_S + REST_S

    def _make_up_for(self, now_s: float) -> None:
        """Where the frames had run out: those that come now are shown from now on."""
        if self._next < self._end:
            return
        late_s = now_s - (self._origin_s + self._next * self._period)
        was_pause = self._starved * self._period > HOLD_S
        self._starved = 0
        if late_s > 0.0:
            self._origin_s += late_s + (self._delay_s if was_pause else 0.0)
            self._forget_slack()

    def _note_slack(self, first_index: int, now_s: float) -> None:
        """Watch how long frames wait at least; over seconds that tells how much of the delay is idle."""
        self._least_slack_s = min(self._least_slack_s, self._origin_s + first_index * self._period - now_s)
        if first_index >= self._window_end:
            surplus = self._least_slack_s - self._delay_s
            self._forget_slack()
            self._window_end = first_index + round(_WINDOW_S / self._period)
            self._surplus_s = surplus if self._period < surplus < _LARGEST_SURPLUS_S else 0.0

    def _forget_slack(self) -> None:
        self._least_slack_s, self._surplus_s = math.inf, 0.0

    def _give_back(self) -> None:
        step = min(_GIVEN_BACK * self._period, self._surplus_s)
        self._origin_s -= step
        self._surplus_s -= step

    def _new_playback(self) -> PlaybackClock:
        # frames are asked for by index: how many samples they have does not matter
        clock = FrameClock(self._rate, 48_000)
        return PlaybackClock(clock, hold_ms=1000 * HOLD_S, rest_ms=1000 * REST_S)


def neutral_face() -> Face:
    """The face at rest."""
    still = np.array([0.0, 0.0, 0.0, 1.0], np.float32)
    return Face(np.zeros(CURVE_COUNT, np.float32), still, still, still, is_starved=True)
