"""One client's stream: audio in at its own rate, and the bookkeeping of which hop and which frame come next."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from facestream.acting import Abilities, Acting, ActingChange
from facestream.audio.pcm import check_sample_rate
from facestream.audio.resample import MODEL_RATE_HZ, Resampler, resampled_length, resampler_delay_samples
from facestream.audio.ring import SampleRing
from facestream.engines.base import StepOutput
from facestream.errors import Busy, EngineError, InvalidValue, OutOfOrder, PositionError
from facestream.motion.base import Streamer, WholeClips, WholePart
from facestream.motion.interpolate import MotionClock, client_latency_samples
from facestream.polish.options import ControlChange, PolishOptions
from facestream.serving.acting_queue import ActingQueue
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Float32

MIN_FRAME_RATE = 24
MAX_FRAME_RATE = 60
BUFFER_LIMIT_S = 60
"""Audio a stream may hold that is not animated yet; transports stop reading long before."""
GAP_LIMIT_S = 30
"""The longest silence that a jump of the position may stand for."""
REST_TAIL_MS = 300
"""After the end of the audio, so many milliseconds of frames ease the face to exact rest."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How one stream is to be animated; checked when made.

    `first_sample` is the client's count of the first sample it will push: a client that resumes primes the stream with
    the last seconds of audio. Frames that belong to samples before `first_frame_sample` (default: `first_sample`) are
    computed but not given out.
    """

    sample_rate_hz: int = 16_000
    frame_rate: FrameRate = field(default_factory=lambda: FrameRate(30))
    seed: int = 0
    polish: PolishOptions = field(default_factory=PolishOptions)
    first_sample: int = 0
    first_frame_sample: int | None = None
    acting: ActingChange | None = None
    """Only for models that act."""

    def __post_init__(self) -> None:
        check_sample_rate(self.sample_rate_hz)
        if not MIN_FRAME_RATE <= self.frame_rate.fraction <= MAX_FRAME_RATE:
            raise InvalidValue("frame_rate", self.frame_rate, f"a ratio from {MIN_FRAME_RATE}/1 to {MAX_FRAME_RATE}/1")
        if not 0 <= self.seed < 2**64:
            raise InvalidValue("seed", self.seed, "0 to 2^64 - 1")
        if self.first_sample < 0:
            raise InvalidValue("first_sample", self.first_sample, "0 or more")
        if self.first_frame_sample is not None and self.first_frame_sample < self.first_sample:
            raise InvalidValue(
                "first_frame_sample", self.first_frame_sample, f"first_sample ({self.first_sample}) or more"
            )


class LiveStream:
    """Audio of one client on its way to frames. Made by `Pipeline.open`.

    One producer (`push`, `skip_to`, `control`, `finish`) and the thread that runs `Pipeline.advance` may use it at the
    same time; `close` may be called from anywhere. Sample positions are the client's own count.
    """

    def __init__(
        self,
        options: StreamOptions,
        streamer: Streamer,
        row: int,
        release: Callable[[], None],
        *,
        whole: WholeClips | None = None,
        abilities: Abilities | None = None,
        check_acting: Callable[[Acting], None] = lambda acting: None,
    ) -> None:
        """`whole` animates a recording in parts; a model that acts has `abilities`, and `check_acting` its pace.

        Raises `InvalidValue` for an acting that the model does not have.
        """
        self.options = options
        self.row = row
        self.clock = FrameClock(options.frame_rate, options.sample_rate_hz)
        self.motion_clock = MotionClock(streamer, self.clock, options.first_sample)
        self.failure: EngineError | None = None
        self.first_frame_index = self.clock.frames_until(options.first_sample)
        self.next_frame_index = self.first_frame_index
        """First frame that has not been made yet."""
        self._streamer = streamer
        self._release = release
        self._first_given_frame = self.clock.frames_until(options.first_frame_sample or 0)
        self.frame_s = options.frame_rate.denominator / options.frame_rate.numerator
        self._resampler = Resampler(options.sample_rate_hz)
        self._ring = SampleRing()
        self._received = options.first_sample
        self._hops_done = 0
        self._end_frame_index: int | None = None
        self._controls: deque[tuple[int, ControlChange]] = deque()
        self._whole = whole
        self._ahead: StepOutput | None = None
        self._hops_ahead = 0
        self._acting = ActingQueue(abilities, options.acting, check_acting)
        self._is_closed = False
        self._is_stepping = False
        self._lock = threading.Lock()

    # What a transport calls

    def push(self, samples: Float32) -> None:
        """Take mono samples `[T]` at the client's rate, from one sample to many seconds.

        The samples must be finite (`audio.pcm` sees to it). Raises `OutOfOrder` after `finish`, and `Busy` when more
        than `BUFFER_LIMIT_S` of audio would wait to be animated.
        """
        with self._lock:
            self._check_room(samples.size)
            self._received += samples.size
            self._ring.append(self._resampler.push(samples))

    def skip_to(self, sample: int) -> None:
        """The client's next sample is number `sample`: what lies between is silence.

        Raises `PositionError` for a position that goes back, `InvalidValue` for a jump beyond `GAP_LIMIT_S`.
        """
        with self._lock:
            if sample < self._received:
                raise PositionError(sample, self._received)
            gap = sample - self._received
            limit = GAP_LIMIT_S * self.options.sample_rate_hz
            if gap > limit:
                raise InvalidValue(
                    "audio.first_sample",
                    f"{sample}, {gap} samples ahead",
                    f"a gap of at most {limit} samples ({GAP_LIMIT_S} s); open a new stream after a longer pause",
                )
            if gap:
                self._check_room(gap)
                self._received = sample
                self._ring.append(self._resampler.push(np.zeros(gap, np.float32)))

    def control(self, change: ControlChange, at_sample: int) -> None:
        """Apply a change from the first frame on that belongs to `at_sample` or later.

        A change for frames already made acts on the next one. Changes act in the order of their samples; of two at
        the same sample the later call wins.
        """
        with self._lock:
            place = len(self._controls)
            while place and self._controls[place - 1][0] > at_sample:
                place -= 1
            self._controls.insert(place, (at_sample, change))

    def act(self, change: ActingChange, at_sample: int) -> None:
        """Act otherwise from the first hop on that begins at or behind `at_sample`; ordered as `control` is.

        A change for hops already made acts on the next one. Raises `InvalidValue` for what the model does not have.
        """
        if change.is_empty:
            return
        offset = max(at_sample - self.options.first_sample, 0)
        begins_at = resampled_length(offset, self.options.sample_rate_hz)
        with self._lock:
            self._acting.insert(-(-begins_at // self._streamer.hop_samples), change)

    def finish(self) -> None:
        """No more audio. What is missing for the last frames is taken as silence; then the face eases to rest."""
        with self._lock:
            if self._end_frame_index is not None or self._is_closed:
                return
            self._ring.append(self._resampler.flush())
            self._end_frame_index = self.first_frame_index
            if self._received > self.options.first_sample:
                tail = REST_TAIL_MS * self.options.sample_rate_hz // 1000
                self._end_frame_index = self.clock.frames_until(self._received + tail)
                hops = self.motion_clock.hops_for(self._end_frame_index)
                self._ring.append_silence(max(self._streamer.samples_for(hops) - self._ring.end, 0))

    def close(self) -> None:
        """Give the row back. Safe at any time and more than once; a step under way ends before its row is free."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if self._is_stepping:
                return
        self._release()

    @property
    def received_samples(self) -> int:
        """Position after the last sample received."""
        return self._received

    @property
    def buffered_samples(self) -> int:
        """Client samples that wait to be animated; above two seconds a transport stops reading."""
        done = self._streamer.samples_for(self._hops_done)
        waiting = max(
            resampled_length(self._received - self.options.first_sample, self.options.sample_rate_hz) - done, 0
        )
        return waiting * self.options.sample_rate_hz // MODEL_RATE_HZ

    @property
    def latency_samples(self) -> int:
        """Announced latency: no frame needs audio further than this behind the sample it belongs to."""
        hops = self.motion_clock.latency_hops() + Fraction(self._streamer.ahead_samples, self._streamer.hop_samples)
        if self._streamer.lookahead_samples == 0:
            hops = Fraction(1)  # a frame at the very end of a hop waits for the next one (see `complete_hops`)
        return client_latency_samples(
            hops,
            self._streamer.hop_samples,
            self.options.sample_rate_hz,
            resampler_delay_samples(self.options.sample_rate_hz),
        )

    @property
    def hold_samples(self) -> int:
        """Client samples that may have to be held before a step can begin."""
        return self._streamer.ahead_samples * self.options.sample_rate_hz // MODEL_RATE_HZ

    @property
    def ready_hops(self) -> int:
        """Hops that can be computed now; 0 once closed, failed or done."""
        if self._is_closed or self.failure is not None or self.is_done:
            return 0
        if self._whole is not None:
            part = self.next_part()
            return self._hops_ahead or (part.end - part.first if part is not None else 0)
        ready = self._streamer.hops_ready(self._ring.end)
        if self._end_frame_index is not None:
            ready = min(ready, self.motion_clock.hops_for(self._end_frame_index))
        stop = self._acting.next_hop(self._hops_done)
        if stop is not None:
            ready = min(ready, stop)
        return ready - self._hops_done

    @property
    def hops_done(self) -> int:
        """Hops that have been computed, or are in the step under way."""
        return self._hops_done

    @property
    def is_whole(self) -> bool:
        """Animated in parts, each a step of its own that may take long."""
        return self._whole is not None

    @property
    def end_frame_index(self) -> int | None:
        """Index after the last frame, the rest tail included; known once `finish` was called."""
        return self._end_frame_index

    @property
    def is_finished(self) -> bool:
        """`finish` was called."""
        return self._end_frame_index is not None

    @property
    def is_done(self) -> bool:
        """Every frame there will be has been made."""
        return self._end_frame_index is not None and self.next_frame_index >= self._end_frame_index

    # What the pipeline calls

    def begin_step(self) -> int:
        """Hops that are ready for the step that begins now; until `end_step` the row stays this stream's.

        A row must not go to a new stream while a step still writes the old one's state into it.
        """
        with self._lock:
            ready = self.ready_hops
            self._is_stepping = not self._is_closed
            return ready

    def end_step(self) -> None:
        """The step is over; gives the row back if the stream was closed meanwhile."""
        with self._lock:
            was_stepping, self._is_stepping = self._is_stepping, False
            if not (was_stepping and self._is_closed):
                return
        self._release()

    def read_hops(self, out: Float32) -> None:
        """Copy the samples that the next step reads into `out`, silence before the first; `complete_hops` moves on."""
        with self._lock:
            begin = self._streamer.first_sample_for(self._hops_done)
            silent = max(-begin, 0)
            out[:silent] = 0.0
            self._ring.read(begin + silent, out[silent:])

    def next_part(self) -> WholePart | None:
        """What to animate next of a recording; `None` where more audio is needed first."""
        assert self._whole is not None
        hop_count = None if self._end_frame_index is None else self.motion_clock.hops_for(self._end_frame_index)
        part = self._whole.next_part(self._hops_done, self._acting.next_hop(self._hops_done), hop_count)
        return part if self._streamer.hops_ready(self._ring.end) >= part.reads_to else None

    def read_part(self, part: WholePart) -> Float32:
        """Samples `[1, T]` of a part."""
        hop = self._streamer.hop_samples
        samples = np.empty((1, (part.reads_to - part.reads_from) * hop), np.float32)
        with self._lock:
            self._ring.read(part.reads_from * hop, samples[0])
        return samples

    def keep_ahead(self, output: StepOutput) -> None:
        """Keep what a step gave for a part until its frames are made."""
        self._ahead = output
        self._hops_ahead = output.motion.shape[1] // self._streamer.motions_per_hop

    def take_ahead(self, most_hops: int) -> StepOutput:
        """The next hops of a part, at most so many, without state; only where `has_motion_ahead`."""
        assert self._ahead is not None
        rows, hops = self._streamer.motions_per_hop, min(most_hops, self._hops_ahead)
        begin = self._ahead.motion.shape[1] - rows * self._hops_ahead
        self._hops_ahead -= hops
        taken = self._ahead.between(begin, begin + rows * hops)
        if not self._hops_ahead:
            self._ahead = None
        return taken

    @property
    def has_motion_ahead(self) -> bool:
        return self._hops_ahead > 0

    @property
    def acting(self) -> Acting:
        """How the next hop is acted, as far as it was asked for."""
        return self._acting.acting

    def due_acting(self) -> Acting | None:
        """How the next hop is acted, where that has changed."""
        with self._lock:
            return self._acting.due(self._hops_done)

    def complete_hops(self, hop_count: int) -> int:
        """The next hops are computed: move on, and give the end of the frames that can be made now."""
        with self._lock:
            self._hops_done += hop_count
            self._ring.forget_before(max(self._streamer.first_sample_for(self._hops_done), self._ring.start))
            end = self.motion_clock.frames_ready(self._hops_done)
            if self._end_frame_index is not None:
                end = min(end, self._end_frame_index)
            elif self._streamer.lookahead_samples == 0:
                # A frame can be ready just before its own sample came; the audio may end there, so it has to wait.
                end = min(end, self.clock.frames_until(self._received))
            return max(end, self.next_frame_index)

    def frame_plan(self, ahead: int, row_count: int) -> tuple[int, float, float, float]:
        """How to make frame `next_frame_index + ahead` after a step that gave `row_count` motion rows.

        Gives its place in those motion rows (entry 0 is the row before them) and the share past it, its time in
        seconds, and its presence.
        """
        frame_index = self.next_frame_index + ahead
        row, share = self.motion_clock.position(frame_index)
        entry = row - (self._hops_done * self._streamer.motions_per_hop - row_count - 1)
        return entry, share, frame_index * self.frame_s, self.presence(frame_index)

    def due_control(self, frame_index: int) -> ControlChange | None:
        """The next change that acts on this frame, if any; call again until there is none."""
        if not self._controls:
            return None
        with self._lock:
            if self.clock.frames_until(self._controls[0][0]) > frame_index:
                return None
            return self._controls.popleft()[1]

    def presence(self, frame_index: int) -> float:
        """How much of the face is left while easing to rest after the end: 1 within the audio, 0 at the last frame."""
        end = self._end_frame_index
        if end is None:
            return 1.0
        audio_end = self.clock.frames_until(self._received)
        if frame_index < audio_end:
            return 1.0
        share = (frame_index - audio_end + 1) / (end - audio_end)
        return 1.0 - share * share * (3.0 - 2.0 * share)

    @property
    def first_given_frame(self) -> int:
        return max(self._first_given_frame, self.first_frame_index)

    def _check_room(self, count: int) -> None:
        if self._end_frame_index is not None:
            raise OutOfOrder("audio after the end of the audio; open a new stream for more")
        if self._is_closed:
            raise OutOfOrder("audio for a stream that is closed; open a new one")
        limit = BUFFER_LIMIT_S * self.options.sample_rate_hz
        if self.buffered_samples + count > limit:
            raise Busy(f"{self.buffered_samples + count} samples wait to be animated, at most {limit} may; send slower")
