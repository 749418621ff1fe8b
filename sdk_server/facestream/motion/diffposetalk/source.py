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
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.acting import Acting
from facestream.audio.resample import MODEL_RATE_HZ as SAMPLE_RATE_HZ
from facestream.engines.base import CostTable, ModelFacts, StepOutput
from facestream.engines.diffposetalk import DiffPoseTalkGraphs, Heard
from facestream.errors import InvalidValue
from facestream.motion.base import Column, Rows, WholePart
from facestream.motion.diffposetalk.guidance import Guidance
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
LONGEST_STEP_S = 1.5
"""A step of rows that are all asked for much must not be taken for a hung engine, which is given up after 2 s."""
LONGEST_WINDOW_S = 20.0
"""The same for a window of a recording, which may take 60 s where the machine is busy."""
_WARM_UP_RUNS, _SEVERAL_STEPS = 2, 4
_QUIETEST = 3e-3
"""Deviation of the sound, -50 dBFS: what is quieter is not made louder where a network wants normalised audio."""
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
_NAMES = (*SAMPLERS, DISTILLED)
_LIVE, _RECORDED = _PLACES = range(2)
"""Columns of samplers and steps hold those of live streams and of recordings."""


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
        frame, hop = manifest.frame_samples, manifest.pieces.hop_frames
        lookahead = frame - manifest.instant_samples
        self.live_streamer = HopStreamer(
            hop * frame, hop, lookahead,
            manifest.pieces.context_frames * frame, manifest.pieces.ahead_frames * frame,
        )  # fmt: skip
        window_hops = manifest.window.frames // hop - 1
        self.whole_clips = WindowedRecordings(
            self,
            ClipStreamer(
                hop * frame, hop, lookahead,
                min(FIRST_HOPS, window_hops), window_hops, manifest.pieces.context_frames // hop,
            ),
        )  # fmt: skip
        self._costs = CostTable()
        self._evaluation_s: float | None = None
        """CPU seconds of one evaluation for one branch of one row, and of a hop beside its evaluations."""
        self._beside_s = 0.0
        self.max_rows = MAX_ROWS
        kept = manifest.window.past + manifest.pieces.known_frames
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
            SCALES: ((2,), np.float64),
            HEAD_AMOUNT: ((), np.float32),
            HEAD_SHOWN: ((), np.float32),
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
        sampling = samplings[0]
        style = styling.style if isinstance(styling.style, Style) else None
        row: dict[str, Any] = {
            IS_STYLED: style is not None,
            STRENGTH: styling.strength,
            SAMPLER: [_NAMES.index(one.sampler) for one in samplings],
            STEPS: [one.steps for one in samplings],
            MODE: MODES.index(sampling.guidance),
            SCALES: (sampling.audio_scale, sampling.style_scale),
            HEAD_AMOUNT: styling.head_amount,
        }
        if style is not None:
            row[STYLE] = style.vector
        return row

    def check_pace(self, acting: Acting, *, is_clip: bool) -> None:
        """Raise `InvalidValue` for more steps than a hop (or the patience for a recording's window) has time for.

        Without that one stream with 500 steps would hold up all others, and be taken for an engine that hangs.
        """
        if self._evaluation_s is None:
            return
        row = self.acting_row(acting)
        place = _RECORDED if is_clip else _LIVE
        steps = row[STEPS][place]
        branches = 1 if _is_distilled(row, place) else len(_guidance(row).weights(has_style=_is_styled(row)))
        hop_s = self.live_streamer.hop_samples / SAMPLE_RATE_HZ
        seconds = LONGEST_WINDOW_S if is_clip else min(hop_s, LONGEST_STEP_S / self.max_rows)
        step_s = branches * self._evaluation_s
        most = int((seconds - self._beside_s) / step_s)
        if steps > most:
            where = "in a recording" if is_clip else "live"
            raise InvalidValue(
                "styling.steps", steps,
                f"{f'1 to {most}' if most > 0 else 'none'} {where} on this machine, where one takes "
                f"{1000 * step_s:.3g} ms in {branches} branches"
                + ("" if is_clip else "; send recordings (AnimateClip), or guide less"),
            )  # fmt: skip

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        raise AssertionError("a diffposetalk model has no emotions")

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        """One or more hops of every row; each hop has its own window, whatever was asked for at once."""
        now: State = {name: value.copy() for name, value in state.items()}
        streamer = self.live_streamer
        window = streamer.samples_for(1) - streamer.first_sample_for(0)
        runs = []
        for begin in range(0, pcm.shape[1] - window + 1, streamer.hop_samples):
            heard = self.listen(pcm[:, begin : begin + window], self._pieces.context_frames, now[FRAME])
            runs.append(self.make(heard, now, count=self._pieces.hop_frames, longest_known=self._pieces.known_frames))
        seals = [run.seal for run in runs if run.seal is not None]
        return StepOutput(
            np.concatenate([run.motion for run in runs], axis=1),
            np.concatenate([run.phone for run in runs], axis=1),
            now,
            np.concatenate(seals, axis=1) if seals else None,
        )

    def warm_up(self) -> None:
        self.max_rows = rows_in_time(self.step, self._rows_to_warm, self._costs, most=self.max_rows, runs=_WARM_UP_RUNS)
        self._measure_pace(*self._rows_to_warm(1))

    def _rows_to_warm(self, row_count: int) -> tuple[Float32, Rows]:
        streamer, fresh = self.live_streamer, self.fresh_row(0, 0)
        state: Rows = {
            name: np.array(np.broadcast_to(fresh.get(name, 0), (row_count, *shape)), dtype)
            for name, (shape, dtype) in self.columns.items()
        }
        state[IS_STYLED][:] = True
        return np.zeros((row_count, streamer.samples_for(1) - streamer.first_sample_for(0)), np.float32), state

    def _measure_pace(self, pcm: Float32, state: Rows) -> None:
        """Processor time of this thread, so that what else the machine does at the start does not count."""
        own = _NAMES.index(self._manifest.sampling.sampler)  # a stride of the distilled network costs one branch
        now = {**state, SAMPLER: np.full_like(state[SAMPLER], own), STEPS: np.ones_like(state[STEPS])}
        branches = len(_guidance({name: value[0] for name, value in now.items()}).weights())

        def cpu_s(steps: int) -> float:
            now[STEPS][:] = steps
            begin = time.thread_time()
            self.step(pcm, now)
            return time.thread_time() - begin

        one, several = (min(cpu_s(steps) for _ in range(_WARM_UP_RUNS)) for steps in (1, _SEVERAL_STEPS))
        self._evaluation_s = max((several - one) / (_SEVERAL_STEPS - 1) / branches, 1e-6)
        self._beside_s = max(one - branches * self._evaluation_s, 0.0)

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    def make(self, heard: Heard, state: State, *, count: int, longest_known: int) -> StepOutput:
        """The next `count` frames, without the state; `heard` are as many or more.

        Moves `state` on: frames given out and what was heard of them, and what is expected of those that follow.
        """
        rows = [{name: value[row] for name, value in state.items()} for row in range(len(state[FRAME]))]
        windows = [self._window_of(row, heard.features[place], longest_known) for place, row in enumerate(rows)]
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

    def listen(self, pcm: Float32, context: int, frame: npt.NDArray[np.int64]) -> Heard:
        """What is heard behind `context` frames of `pcm` `[B, T]`; rows stand at `frame` `[B]`.

        Where the network wants it, audio is normalised over what there is of the stream.
        """
        if self._manifest.normalised_audio:
            silent = np.maximum(context - frame, 0) * self._manifest.frame_samples
            pcm = np.stack([normalised(row, begin) for row, begin in zip(pcm, silent.tolist(), strict=True)])
        return self._graphs.hear(np.ascontiguousarray(pcm)).between(context, None)

    def _window_of(self, row: Rows, features: Float32, longest_known: int) -> Window:
        """The next window of one row, from its state."""
        frames, past = self._window.frames, self._window.past
        known = min(int(row[FRAME]), longest_known)
        first = len(row[MOTION]) - known
        place = _RECORDED if longest_known == 0 else _LIVE
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
                _guidance(row),
                _is_distilled(row, place),
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

    def __init__(self, motion: DiffPoseTalkMotion, streamer: ClipStreamer) -> None:
        self._motion = motion
        self.streamer = streamer
        self.next_part = streamer.next_part

    def step(self, pcm: Float32, state: Rows, part: WholePart) -> StepOutput:
        """See `WholeClips`."""
        now: State = {name: value.copy() for name, value in state.items()}
        frames = self.streamer.motions_per_hop
        heard = self._motion.listen(pcm, (part.first - part.reads_from) * frames, now[FRAME])
        made = self._motion.make(heard, now, count=(part.end - part.first) * frames, longest_known=0)
        return StepOutput(made.motion, made.phone, now, made.seal)


def _is_styled(row: Mapping[str, Any]) -> bool:
    return bool(row[IS_STYLED]) and row[STRENGTH] > 0.0


def _is_distilled(row: Mapping[str, Any], place: int) -> bool:
    return _NAMES[int(row[SAMPLER][place])] == DISTILLED


def _guidance(row: Mapping[str, Any]) -> Guidance:
    audio_scale, style_scale = (float(scale) for scale in row[SCALES])
    return Guidance(audio_scale, float(row[STRENGTH]) * style_scale, MODES[int(row[MODE])])


def normalised(row: Float32, begin: int) -> Float32:
    """Samples `row` [T] with mean 0 and deviation 1 from `begin` on; what lies before is silence."""
    heard = row[begin:].astype(np.float64)
    normal = np.zeros_like(row)
    normal[begin:] = (heard - heard.mean()) / max(float(heard.std(ddof=1)), _QUIETEST)
    return normal
