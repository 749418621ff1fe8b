"""Motion of the `deeptalk` family: a network that hears past and future, run live by windows and over recordings whole.

    audio ─┬> words, hop by hop or of the window (`words`) ──────────────────────┐
           └> emotion, seldom (`listening`) ─> emotion moved within its spread ──┤
    codes already spoken, forced; noise by absolute code, or none ───────────────┴> graph ─> codes ─> 25 Hz motion

A window's motion is given out for the codes in its middle. What it says of the next code is kept: the next window's
motion of that code is faded in from it, so that motion has no seams where two windows think differently.

Rows are given 20 ms apart, half way between frames by a straight line, because what is heard of the words is known as
finely: lips that are shut for a whole frame where a bilabial is in one half of it are shut on its neighbours too. Of
the classes of 60 studio prompts a lip reader understands .8 % more by finer rows, with as many closures (2026-11-21).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from facestream.acting import Acting, Emotion
from facestream.engines.base import CostTable, ModelFacts, StepOutput
from facestream.engines.deeptalk import DeepTalkGraphs, Moved
from facestream.engines.facts import FRAMES_PER_CODE, ROWS_PER_CODE
from facestream.motion import code_noise, heard_emotion
from facestream.motion.base import Column, Rows, WholePart
from facestream.motion.code_noise import BOTTOM, TOP
from facestream.motion.listening import HEARD, HEARD_COUNT, HEARD_SPREAD, LATER_CODES, Listening
from facestream.motion.warm_up import MAX_ROWS, rows_in_time
from facestream.motion.windows import WholeStreamer, WindowStreamer
from facestream.motion.words import Spoken, word_hearing
from facestream.types import EXPRESSION_COUNT, JAW_COUNT, Float32

_WARM_UP_RUNS = 3
_FADE_IN = ((np.arange(FRAMES_PER_CODE) + 0.5) / FRAMES_PER_CODE).astype(np.float32)[:, None]
_MOTION_SIZE = EXPRESSION_COUNT + JAW_COUNT

CODE, SEED = "deeptalk.code", "deeptalk.seed"
ORIGIN = "deeptalk.origin"
TOP_CODES, BOTTOM_CODES = "deeptalk.top_codes", "deeptalk.bottom_codes"
EXPECTED, LAST = "deeptalk.expected", "deeptalk.last"
GIVEN, GIVEN_SPREAD, FOLLOWS = "deeptalk.given", "deeptalk.given_spread", "deeptalk.follows"
SPREAD, TEMPERATURES, SPEAKER = "deeptalk.spread", "deeptalk.temperatures", "deeptalk.speaker"

State = dict[str, npt.NDArray[Any]]


class Made(NamedTuple):
    """Of some codes: `motion` [B, R, 53], `phone` class probabilities [B, R, P]."""

    motion: Float32
    phone: Float32


def _joined(parts: Sequence[Made], axis: int) -> Made:
    motion, phone = (np.concatenate(each, axis) for each in zip(*parts, strict=True))
    return Made(motion, phone)


def _rows(before: Float32, motion: Float32) -> Float32:
    """Frames of `motion` `[B, F, D]`, each behind the mean of itself and the one before it, `[B, 2 F, D]`."""
    earlier = np.concatenate((before[:, None], motion[:, :-1]), axis=1)
    both = np.stack(((earlier + motion) * np.float32(0.5), motion), axis=2)
    return both.reshape(len(motion), -1, motion.shape[2])


class DeepTalkMotion:
    """A deeptalk bundle at work."""

    def __init__(self, graphs: DeepTalkGraphs) -> None:
        manifest = graphs.manifest
        self.model: ModelFacts = graphs.model
        self._graphs = graphs
        self._codes = manifest.codes
        self._speakers = manifest.speakers
        self._code_samples = manifest.code_samples
        self._past, self._ahead = manifest.window.past_codes, manifest.window.ahead_codes
        self._listening = Listening(
            graphs, manifest.emotion_width, manifest.code_samples, self._ahead, MAX_ROWS // (LATER_CODES + 1)
        )
        self._words = word_hearing(graphs, self._past + 1 + self._ahead, self._ahead)
        self._read_past = max(self._past, self._listening.read_past)
        """Codes before its hop that a step reads: for the words of a window, and for hearing an emotion."""
        self.live_streamer = WindowStreamer(manifest.code_samples, self._read_past, self._ahead)
        self.whole_clips = WholeRecordings(self, manifest.longest_samples // manifest.code_samples, self._past)
        self._costs = CostTable()
        self.max_rows = MAX_ROWS
        width = manifest.emotion_width
        self.columns: Mapping[str, Column] = {
            CODE: ((), np.int64),
            ORIGIN: ((), np.int64),
            SEED: ((), np.uint64),
            TOP_CODES: ((self._past,), np.int64),
            BOTTOM_CODES: ((2 * self._past,), np.int64),
            EXPECTED: ((FRAMES_PER_CODE, _MOTION_SIZE), np.float32),
            LAST: ((_MOTION_SIZE,), np.float32),
            **self._listening.columns,
            **self._words.columns,
            GIVEN: ((width,), np.float32),
            GIVEN_SPREAD: ((width,), np.float32),
            FOLLOWS: ((), np.bool_),
            SPREAD: ((), np.float32),
            TEMPERATURES: ((2,), np.float32),
            SPEAKER: ((), np.int64),
        }

    def fresh_row(self, seed: int, first_sample: int) -> Mapping[str, Any]:
        return {
            SEED: np.uint64(seed),
            ORIGIN: first_sample // self._code_samples,
            **self.acting_row(Acting()),
        }

    def acting_row(self, acting: Acting) -> Mapping[str, Any]:
        given = acting.emotion if isinstance(acting.emotion, Emotion) else None
        row: dict[str, Any] = {
            FOLLOWS: given is None,
            SPREAD: acting.spread if given is None or given.log_variance is not None else 0.0,
            TEMPERATURES: (acting.sampling.tau_top, acting.sampling.tau_bottom) if acting.sampling else (0.0, 0.0),
            SPEAKER: self._speakers.index(acting.speaker) if acting.speaker else 0,
        }
        if given is not None:
            # speech that is followed again later is heard anew
            row |= {GIVEN: given.mean, HEARD_COUNT: 0.0}
            row[GIVEN_SPREAD] = np.zeros(given.width) if given.log_variance is None else given.log_variance
        return row

    def check_pace(self, acting: Acting, *, is_clip: bool) -> None:
        """Every acting takes as long."""

    def hop_s(self, acting: Acting) -> float:
        return 0.0

    def step(self, pcm: Float32, state: Rows) -> StepOutput:
        """One or more hops of every row; each hop has its own window, whatever was asked for at once."""
        now: State = {name: value.copy() for name, value in state.items()}
        window = (self._read_past + 1 + self._ahead) * self._code_samples
        hop_count = (pcm.shape[1] - window) // self._code_samples + 1
        hops = []
        for hop in range(hop_count):
            begin = hop * self._code_samples
            hops.append(self._live_hop(pcm[:, begin : begin + window], now))
        made = _joined(hops, axis=1)
        return StepOutput(made.motion, made.phone, now)

    def warm_up(self) -> None:
        self.max_rows = rows_in_time(self.step, self._rows_to_warm, self._costs, most=self.max_rows, runs=_WARM_UP_RUNS)

    def _rows_to_warm(self, row_count: int) -> tuple[Float32, Rows]:
        samples = (self._read_past + 1 + self._ahead) * self._code_samples
        state: Rows = {name: np.zeros((row_count, *shape), dtype) for name, (shape, dtype) in self.columns.items()}
        state[CODE][:] = self._read_past
        state[FOLLOWS][:] = True
        return np.full((row_count, samples), 0.1, np.float32), state  # loud, so that emotions are heard

    def cost_s(self, row_count: int) -> float:
        return self._costs.cost_s(row_count)

    def hear(self, pcm: Float32) -> tuple[Float32, Float32]:
        """Mean and log-variance `[1, D]` of the emotion of a recording `[1, 2560 K]`.

        From any thread; raises `EngineError`.
        """
        hearing = self._graphs.manifest.hearing
        return heard_emotion.hear_whole(self._graphs, pcm, self._code_samples, hearing.codes, hearing.every)

    def hear_words(self, pcm: Float32) -> Spoken:
        """The words of a recording `[B, 2560 K]`. Raises `EngineError`."""
        return self._words.whole(pcm)

    def _live_hop(self, pcm: Float32, state: State) -> Made:
        """One code of every row, `pcm` `[B, window]`; moves `state` on."""
        self._listening.listen(pcm, state[CODE], state[FOLLOWS], state)
        self._words.hear(pcm, state[CODE], state)
        # a stream that has just begun has no past yet: it gets a shorter window, and silence is not made up for it
        past = np.minimum(state[CODE], self._past)
        groups = [np.flatnonzero(past == length) for length in np.unique(past)]
        made = []
        for rows in groups:
            length = int(past[rows[0]])
            part = {name: value[rows] for name, value in state.items() if name not in self._words.columns}
            spoken = self._words.window(pcm, state, rows, length + 1 + self._ahead)
            made.append(self.run(spoken, part, past=length, count=1, emotion=self.emotion(part)))
            for name, value in part.items():
                state[name][rows] = value
        in_order = np.argsort(np.concatenate(groups))
        return Made(*(part[in_order] for part in _joined(made, axis=0)))

    def emotion(self, state: Rows) -> Float32:
        """The emotion `[B, D]` that each row is acted in, moved within its spread."""
        follows = state[FOLLOWS][:, None]
        mean = np.where(follows, state[HEARD], state[GIVEN])
        if not state[SPREAD].any():
            return mean
        log_variance = np.where(follows, state[HEARD_SPREAD], state[GIVEN_SPREAD])
        draw = code_noise.emotion_draw(state[SEED], mean.shape[1]) * state[SPREAD][:, None]
        moved = mean + draw * np.exp(np.float32(0.5) * log_variance)
        moved = moved / (np.linalg.norm(moved, axis=1, keepdims=True) + np.float32(1e-8))
        return np.where(state[SPREAD][:, None] > 0, moved, mean).astype(np.float32)

    def run(self, spoken: Spoken, state: State, *, past: int, count: int, emotion: Float32) -> Made:
        """Motion of `count` codes behind `past` known ones in `spoken`, which may reach beyond them.

        Moves `state` on: codes taken, what is expected of the next one, the last frame.
        """
        codes = spoken.phone.shape[1] // ROWS_PER_CODE
        speaker = np.eye(len(self._speakers), dtype=np.float32)[state[SPEAKER]]
        top_noise = self._noise(TOP, state, past, codes, 1)
        bottom_noise = self._noise(BOTTOM, state, past, codes, 2)
        moved = self._graphs.move(spoken.speech, emotion, speaker, top_noise, bottom_noise)
        begin, end = FRAMES_PER_CODE * past, FRAMES_PER_CODE * (past + count)
        motion = moved.motion[:, begin:end].copy()
        is_expected = (state[CODE] > 0) & state[EXPECTED].any(axis=(1, 2))
        faded = state[EXPECTED] + _FADE_IN * (motion[:, :FRAMES_PER_CODE] - state[EXPECTED])
        motion[is_expected, :FRAMES_PER_CODE] = faded[is_expected]
        state[EXPECTED] = np.zeros_like(state[EXPECTED])
        if codes > past + count:
            state[EXPECTED] = moved.motion[:, end : end + FRAMES_PER_CODE].copy()
        self._keep_codes(moved, top_noise, bottom_noise, state, past + count)
        before = np.where(state[CODE][:, None] > 0, state[LAST], motion[:, 0])
        state[LAST] = motion[:, -1].copy()
        state[CODE] = state[CODE] + count
        rows = slice(ROWS_PER_CODE * past, ROWS_PER_CODE * (past + count))
        return Made(_rows(before, motion), spoken.phone[:, rows])

    def _noise(self, level: int, state: Rows, past: int, codes: int, per_code: int) -> Float32:
        """What is added to the logits of a window: the past forced, then samples' noise, or none."""
        rows = len(state[CODE])
        noise = np.zeros((rows, codes * per_code, self._codes), np.float32)
        if past:
            known = state[BOTTOM_CODES if level == BOTTOM else TOP_CODES][:, -past * per_code :]
            noise[:, : past * per_code] = code_noise.forced(known, self._codes)
        temperature = state[TEMPERATURES][:, level]
        sampled = np.flatnonzero(temperature)
        if sampled.size:
            first = (state[ORIGIN][sampled] + state[CODE][sampled]) * per_code
            drawn = code_noise.gumbel(state[SEED][sampled], level, first, (codes - past) * per_code, self._codes)
            noise[sampled, past * per_code :] = temperature[sampled, None, None] * drawn
        return noise

    def _keep_codes(self, moved: Moved, top_noise: Float32, bottom_noise: Float32, state: State, end: int) -> None:
        """The last codes before code `end` of the window: the next one must take the same."""
        for name, logits, noise, per_code in (
            (TOP_CODES, moved.top, top_noise, 1),
            (BOTTOM_CODES, moved.bottom, bottom_noise, 2),
        ):
            known = state[name].shape[1]
            taken = (logits + noise)[:, max(end * per_code - known, 0) : end * per_code].argmax(axis=2)
            state[name] = np.concatenate([state[name], taken], axis=1)[:, -known:]


class WholeRecordings:
    """Recordings as wholes, the `WholeClips` of this family."""

    def __init__(self, motion: DeepTalkMotion, longest_codes: int, shared_codes: int) -> None:
        self._motion = motion
        self.streamer = WholeStreamer(motion.live_streamer.hop_samples, longest_codes, shared_codes)
        self.next_part = self.streamer.next_part

    def step(self, pcm: Float32, state: Rows, part: WholePart) -> StepOutput:
        """See `WholeClips`. The emotion of speech is that of all the samples read."""
        now: State = {name: value.copy() for name, value in state.items()}
        if now[FOLLOWS][0]:
            now[HEARD], now[HEARD_SPREAD] = self._motion.hear(pcm)
        made = self._motion.run(
            self._motion.hear_words(pcm),
            now,
            past=part.first - part.reads_from,
            count=part.end - part.first,
            emotion=self._motion.emotion(now),
        )
        return StepOutput(made.motion, made.phone, now)
