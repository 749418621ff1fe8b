"""Motion of the `diffposetalk` family: diffusion in a style, live by short hops and over recordings window by window.

    audio ─> features of what is new ─┐
    last frames, and what follows ────┤
    style, noise by absolute frame ───┴> sampler ─> frames; the next ones as they are expected ─> faded, restored

Live, a window begins with frames that were given out; they are put back at every step of the sampler. In a recording it
begins behind the last of them. Either way a window says how it would go on, and the next one is faded in from that
over a few frames: motion has no jumps where two windows think differently, nor where the style changes.
"""

import time
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facestream.acting import Acting
from facestream.audio.resample import MODEL_RATE_HZ as SAMPLE_RATE_HZ
from facestream.engines.base import CostTable, ModelFacts, StepOutput
from facestream.engines.diffposetalk import DiffPoseTalkGraphs, Heard
from facestream.errors import InvalidValue
from facestream.motion.base import Column, Rows, WholePart
from facestream.motion.diffposetalk.guidance import Guidance
from facestream.motion.diffposetalk.hearing import listen, live_hearing
from facestream.motion.diffposetalk.noise import CounterNoise
from facestream.motion.diffposetalk.samplers.base import Plan
from facestream.motion.diffposetalk.samplers.names import SAMPLERS, plan_named
from facestream.motion.diffposetalk.sampling import Recipe, Window, sample
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream.motion.diffposetalk.space import MotionSpace, MotionStatistics
from facestream.motion.diffposetalk.streamers import ClipStreamer, HopStreamer
from facestream.motion.warm_up import MAX_ROWS, rows_in_time
from facestream.style import Style
from facestream.styling import DISTILLED, MODES
from facestream.types import Float32

FIRST_HOPS = 4
"""Of a recording's first window: 0.64 s, behind which a hop more must be heard."""
LONGEST_WINDOW_S = 20.0
"""Of a recording: the engine is given up after 60 s, and the machine may be busy."""
_WARM_UP_RUNS, _SEVERAL_STEPS, _FEW_STEPS = 2, 4, 2
STRIDES_OF = "ddim"
"""The sampler whose updates the distilled network takes as strides."""
_HEAD, _JAW = slice(0, 3), slice(3, 6)

FRAME, SEED, ORIGIN = "diffposetalk.frame", "diffposetalk.seed", "diffposetalk.origin"
MOTION, AUDIO = "diffposetalk.motion", "diffposetalk.audio"
EXPECTED, EXPECTED_COUNT = "diffposetalk.expected", "diffposetalk.expected_count"
STYLE, IS_STYLED, STRENGTH = "diffposetalk.style", "diffposetalk.is_styled", "diffposetalk.strength"
SAMPLER, STEPS, MODE = "diffposetalk.sampler", "diffposetalk.steps", "diffposetalk.mode"
SCALES = "diffposetalk.scales"
HEAD_AMOUNT, HEAD_SHOWN = "diffposetalk.head_amount", "diffposetalk.head_shown"

State = dict[str, npt.NDArray[Any]]


class Pace(NamedTuple):
    """Processor seconds on this machine: of one evaluation of a whole window for one branch of one row, of one stride
    in a live window, and of a hop beside them; and what share of its time alone a row takes among others.
    """

    evaluation_s: float
    stride_s: float
    beside_s: float
    share_together: float = 1.0


class LiveWindow(NamedTuple):
    """How a live window is filled: at most `known` frames that were given out before, and `frames` in all."""

    known: int
    frames: int


_NAMES = (*SAMPLERS, DISTILLED)
_LIVE, _RECORDED = _PLACES = range(2)
"""Columns of samplers, steps and scales hold those of live streams and of recordings."""


class DiffPoseTalkMotion:
    """A diffposetalk bundle at work."""

    def __init__(self, graphs: DiffPoseTalkGraphs) -> None:
        manifest = graphs.manifest
        self.model: ModelFacts = graphs.model
        self._graphs = graphs
        assert graphs.model.abilities is not None
        assert graphs.model.abilities.styling is not None
        self._styles = graphs.model.abilities.styling
        self._manifest = manifest
        self._pieces, self._window = manifest.pieces, manifest.window
        self._space = MotionSpace(
            MotionStatistics.from_file(graphs.folder / manifest.statistics), manifest.head_rotation
        )
        self._hearing = live_hearing(graphs)
        self._live_windows = {False: LiveWindow(manifest.pieces.known_frames, manifest.window.frames)}
        if manifest.distilled is not None:
            self._live_windows[True] = LiveWindow(manifest.distilled.known_frames, manifest.distilled_frames)
        frame, hop = manifest.frame_samples, manifest.pieces.hop_frames
        lookahead = frame - manifest.instant_samples
        self.live_streamer = HopStreamer(
            hop * frame, hop, lookahead,
            self._hearing.context_frames * frame, manifest.pieces.ahead_frames * frame,
        )  # fmt: skip
        window_hops = manifest.window.frames // hop - 1
        self.whole_clips = WindowedRecordings(
            self,
            graphs,
            ClipStreamer(
                hop * frame, hop, lookahead,
                min(FIRST_HOPS, window_hops), window_hops, manifest.pieces.context_frames // hop,
            ),
        )  # fmt: skip
        self._costs = CostTable()
        self.pace: Pace | None = None
        """Known from `warm_up` on."""
        self.max_rows = MAX_ROWS
        kept = manifest.window.past + max(shape.known for shape in self._live_windows.values())
        self.columns: Mapping[str, Column] = {
            FRAME: ((), np.int64),
            SEED: ((), np.uint64),
            ORIGIN: ((), np.int64),
            MOTION: ((kept, graphs.motion_count), np.float32),
            AUDIO: ((kept, graphs.width), np.float32),
            EXPECTED: ((hop, graphs.motion_count), np.float32),
            EXPECTED_COUNT: ((), np.int64),
            STYLE: ((manifest.style_width,), np.float32),
            IS_STYLED: ((), np.bool_),
            STRENGTH: ((), np.float32),
            SAMPLER: ((len(_PLACES),), np.int64),
            STEPS: ((len(_PLACES),), np.int64),
            MODE: ((), np.int64),
            SCALES: ((len(_PLACES), 2), np.float64),
            HEAD_AMOUNT: ((), np.float32),
            HEAD_SHOWN: ((), np.float32),
            **self._hearing.columns,
        }

        @cache
        def plan(sampler: int, steps: int) -> Plan:
            name = STRIDES_OF if _NAMES[sampler] == DISTILLED else _NAMES[sampler]
            return plan_named(name, cosine_schedule(manifest.diffusion_steps), steps)

        self._plan = plan

    def fresh_row(self, seed: int, first_sample: int) -> Mapping[str, Any]:
        learned, past = self._graphs.learned, self._window.past
        row = {name: np.zeros(*self.columns[name]) for name in (MOTION, AUDIO)}
        row[MOTION][-past:], row[AUDIO][-past:] = learned.start_motion, learned.start_audio
        return {
            SEED: np.uint64(seed),
            ORIGIN: first_sample // self._manifest.frame_samples,
            **row,
            **self.acting_row(Acting()),
        }

    def acting_row(self, acting: Acting) -> Mapping[str, Any]:
        styling = acting.styling
        samplings = [self._styles.sampling(styling, is_clip=place == _RECORDED) for place in _PLACES]
        style = styling.style if isinstance(styling.style, Style) else None
        row: dict[str, Any] = {
            IS_STYLED: style is not None,
            STRENGTH: styling.strength,
            SAMPLER: [_NAMES.index(one.sampler) for one in samplings],
            STEPS: [one.steps for one in samplings],
            MODE: MODES.index(styling.guidance or MODES[0]),
            SCALES: [(one.audio_scale, one.style_scale) for one in samplings],
            HEAD_AMOUNT: styling.head_amount,
        }
        if style is not None:
            row[STYLE] = style.vector
        return row

    def check_pace(self, acting: Acting, *, is_clip: bool) -> None:
        """Raise `InvalidValue` for more steps than a hop (or the patience for a recording's window) has time for.

        Without that one stream with 500 steps would hold up all others, and be taken for an engine that hangs.
        """
        if self.pace is None:
            return
        steps, branches, step_s = self._asked(acting, is_clip=is_clip)
        hop_s = self.live_streamer.hop_samples / SAMPLE_RATE_HZ
        most = int(((LONGEST_WINDOW_S if is_clip else hop_s) - self.pace.beside_s) / step_s)
        if steps > most:
            where = "in a recording" if is_clip else "live"
            raise InvalidValue(
                "styling.steps", steps,
                f"{f'1 to {most}' if most > 0 else 'none'} {where} on this machine, where one takes "
                f"{1000 * step_s:.3g} ms in {branches} branches"
                + ("" if is_clip else "; send recordings (AnimateClip), or guide less"),
            )  # fmt: skip

    def hop_s(self, acting: Acting) -> float:
        if self.pace is None:
            return 0.0
        steps, _, step_s = self._asked(acting, is_clip=False)
        return (self.pace.beside_s + steps * step_s) * self.pace.share_together

    def _asked(self, acting: Acting, *, is_clip: bool) -> tuple[int, int, float]:
        """How many steps, in how many branches, and the seconds of one step."""
        assert self.pace is not None
        row, place = self.acting_row(acting), _RECORDED if is_clip else _LIVE
        steps: int = row[STEPS][place]
        if _is_distilled(row, place):
            return steps, 1, self.pace.evaluation_s if is_clip else self.pace.stride_s
        branches = len(_guidance(row, place).weights(has_style=_is_styled(row)))
        return steps, branches, branches * self.pace.evaluation_s

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        raise AssertionError("a diffposetalk model has no emotions")

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        """One or more hops of every row; each hop has its own window, whatever was asked for at once."""
        now: State = {name: value.copy() for name, value in state.items()}
        streamer = self.live_streamer
        window = streamer.samples_for(1) - streamer.first_sample_for(0)
        runs = []
        for begin in range(0, pcm.shape[1] - window + 1, streamer.hop_samples):
            heard = self._hearing.hear(pcm[:, begin : begin + window], now[FRAME], now)
            runs.append(self.make(heard, now, count=self._pieces.hop_frames, is_live=True))
        seals = [run.seal for run in runs if run.seal is not None]
        return StepOutput(
            np.concatenate([run.motion for run in runs], axis=1),
            np.concatenate([run.phone for run in runs], axis=1),
            now,
            np.concatenate(seals, axis=1) if seals else None,
        )

    def warm_up(self) -> None:
        def step(pcm: Float32, state: Rows) -> StepOutput:
            return self.step(
                pcm, self._with_steps(state, _FEW_STEPS, is_distilled=self._manifest.distilled is not None)
            )

        self.max_rows = rows_in_time(step, self._rows_to_warm, self._costs, most=self.max_rows, runs=_WARM_UP_RUNS)
        self.pace = self._measured_pace(*self._rows_to_warm(1))

    def _rows_to_warm(self, row_count: int) -> tuple[Float32, Rows]:
        streamer, fresh = self.live_streamer, self.fresh_row(0, 0)
        state: Rows = {
            name: np.array(np.broadcast_to(fresh.get(name, 0), (row_count, *shape)), dtype)
            for name, (shape, dtype) in self.columns.items()
        }
        state[IS_STYLED][:] = True
        return np.zeros((row_count, streamer.samples_for(1) - streamer.first_sample_for(0)), np.float32), state

    def _with_steps(self, state: Rows, steps: int, *, is_distilled: bool) -> Rows:
        """Rows in so many steps, by the distilled network or by the bundle's own sampler."""
        name = DISTILLED if is_distilled else self._manifest.sampling.sampler
        sampler = np.full_like(state[SAMPLER], _NAMES.index(name))
        return {**state, SAMPLER: sampler, STEPS: np.full_like(state[STEPS], steps)}

    def _measured_pace(self, pcm: Float32, state: Rows) -> Pace:
        """Processor time of this thread, so that what else the machine does at the start does not count."""
        branches = len(_guidance({name: value[0] for name, value in state.items()}, _LIVE).weights())

        def cpu_s(steps: int, *, is_distilled: bool) -> float:
            now = self._with_steps(state, steps, is_distilled=is_distilled)
            begin = time.thread_time()
            self.step(pcm, now)
            return time.thread_time() - begin

        def one_and_next_s(*, is_distilled: bool) -> tuple[float, float]:
            one, several = (
                min(cpu_s(steps, is_distilled=is_distilled) for _ in range(_WARM_UP_RUNS))
                for steps in (1, _SEVERAL_STEPS)
            )
            return one, max((several - one) / (_SEVERAL_STEPS - 1), 1e-6)

        one, step_s = one_and_next_s(is_distilled=False)
        together = self._costs.cost_s(self.max_rows) / (self.max_rows * self._costs.cost_s(1))
        return Pace(
            evaluation_s=step_s / branches,
            stride_s=step_s / branches if self._manifest.distilled is None else one_and_next_s(is_distilled=True)[1],
            beside_s=max(one - step_s, 0.0),
            share_together=min(together, 1.0),
        )

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    def make(self, heard: Heard, state: State, *, count: int, is_live: bool) -> StepOutput:
        """The next `count` frames, without the state; `heard` are as many or more.

        Moves `state` on: frames given out and what was heard of them, and what is expected of those that follow.
        """
        rows = [{name: value[row] for name, value in state.items()} for row in range(len(state[FRAME]))]
        windows = [self._window_of(row, heard.features[place], is_live=is_live) for place, row in enumerate(rows)]
        made = sample(self._graphs, windows)
        behind = [one[len(window.known) :] for one, window in zip(made, windows, strict=True)]
        fresh = np.stack([one[: heard.features.shape[1]] for one in behind])
        given = self._faded(fresh[:, :count], state)
        self._expect(fresh[:, count:], state)
        for name, new in ((MOTION, given), (AUDIO, heard.features[:, :count])):
            state[name] = np.concatenate([state[name], new], axis=1)[:, -state[name].shape[1] :]
        state[HEAD_SHOWN] = np.where(state[FRAME] == 0, state[HEAD_AMOUNT], state[HEAD_SHOWN])
        state[FRAME] = state[FRAME] + count
        now_heard = heard.between(0, count)
        return StepOutput(self._restored(given, state), now_heard.phone, {}, now_heard.seal)

    def _window_of(self, row: Rows, features: Float32, *, is_live: bool) -> Window:
        """The next window of one row, from its state."""
        place = _LIVE if is_live else _RECORDED
        is_distilled = _is_distilled(row, place)
        shape = self._live_windows[is_distilled] if is_live else LiveWindow(0, self._window.frames)
        frames, past = shape.frames, self._window.past
        known = min(int(row[FRAME]), shape.known)
        first = len(row[MOTION]) - known
        end = known + len(features)
        audio = np.tile(self._graphs.silence, (frames, 1))
        audio[:known], audio[known:end] = row[AUDIO][first:], features
        return Window(
            past_motion=row[MOTION][first - past : first],
            past_audio=row[AUDIO][first - past : first],
            audio=audio,
            indicator=(np.arange(frames) < end).astype(np.float32),
            known=row[MOTION][first:],
            style=row[STYLE] if _is_styled(row) else None,
            recipe=Recipe(
                self._plan(int(row[SAMPLER][place]), int(row[STEPS][place])),
                _guidance(row, place),
                is_distilled,
            ),
            noise=CounterNoise(int(row[SEED])),
            first_frame=int(row[ORIGIN] + row[FRAME]) - known,
        )

    def _faded(self, fresh: Float32, state: State) -> Float32:
        """`fresh` `[B, F, D]`, as far as the window before expected frames on the way from what it expected."""
        count = min(fresh.shape[1], state[EXPECTED].shape[1])
        counts = state[EXPECTED_COUNT][:, None]
        left = np.maximum(1.0 - (np.arange(count, dtype=np.float32) + 1.0) / (counts + 1.0), 0.0)
        off = state[EXPECTED][:, :count] - fresh[:, :count]
        faded = fresh.copy()
        faded[:, :count] += left[:, :, None].astype(np.float32) * off
        return faded

    def _expect(self, ahead: Float32, state: State) -> None:
        count = min(ahead.shape[1], state[EXPECTED].shape[1])
        state[EXPECTED] = np.zeros_like(state[EXPECTED])
        state[EXPECTED][:, :count] = ahead[:, :count]
        state[EXPECTED_COUNT] = np.full_like(state[EXPECTED_COUNT], count)

    def _restored(self, given: Float32, state: State) -> Float32:
        """Columns of the pipeline: expression, jaw, and the head as far as it is wanted.

        A new amount is reached within a hop.
        """
        expression, pose = self._space.restored(given)
        motion = [expression, pose[:, :, _JAW]]
        if self._manifest.head_rotation:
            way = np.minimum((np.arange(given.shape[1]) + 1) / self._pieces.hop_frames, 1.0).astype(np.float32)
            shown, wanted = state[HEAD_SHOWN][:, None], state[HEAD_AMOUNT][:, None]
            motion.append(pose[:, :, _HEAD] * (shown + way * (wanted - shown))[:, :, None])
        state[HEAD_SHOWN] = state[HEAD_AMOUNT].copy()
        return np.concatenate(motion, axis=2)


class WindowedRecordings:
    """Recordings window by window, the `WholeClips` of this family."""

    def __init__(self, motion: DiffPoseTalkMotion, graphs: DiffPoseTalkGraphs, streamer: ClipStreamer) -> None:
        self._motion, self._graphs = motion, graphs
        self.streamer = streamer
        self.next_part = streamer.next_part

    def step(self, pcm: Float32, state: Rows, part: WholePart) -> StepOutput:
        """See `WholeClips`."""
        now: State = {name: value.copy() for name, value in state.items()}
        frames = self.streamer.motions_per_hop
        heard = listen(self._graphs, pcm, (part.first - part.reads_from) * frames, now[FRAME])
        made = self._motion.make(heard, now, count=(part.end - part.first) * frames, is_live=False)
        return StepOutput(made.motion, made.phone, now, made.seal)


def _is_styled(row: Mapping[str, Any]) -> bool:
    return bool(row[IS_STYLED]) and row[STRENGTH] > 0.0


def _is_distilled(row: Mapping[str, Any], place: int) -> bool:
    return _NAMES[int(row[SAMPLER][place])] == DISTILLED


def _guidance(row: Mapping[str, Any], place: int) -> Guidance:
    audio_scale, style_scale = (float(scale) for scale in row[SCALES][place])
    return Guidance(audio_scale, float(row[STRENGTH]) * style_scale, MODES[int(row[MODE])])
