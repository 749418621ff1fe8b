"""When the emotions of live streams are heard: at fixed places of each stream's own audio, a few streams a step.

Hearing costs as much as moving, and streams that began together would all be heard in one step: 16 of them took 193 ms
where the next codes are due after 160 (2026-11-21). So what is heard in the sound up to code `h` counts only from code
`h + LATER_CODES` on, and any step until then may hear it. Which one does changes no frame.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from facestream.motion.base import Column
from facestream.motion.heard_emotion import EVERY_CODES, WINDOW_CODES, Listener, follow, is_speech
from facestream.types import Float32

LATER_CODES = 3
"""0.48 s more before a new tone shows; the filter behind it takes 1.5."""

HEARD, HEARD_SPREAD, HEARD_COUNT = "deeptalk.heard", "deeptalk.heard_spread", "deeptalk.heard_count"
COMING, COMING_SPREAD, STAGE = "deeptalk.coming", "deeptalk.coming_spread", "deeptalk.stage"
_OPEN, _WAITS, _DONE = range(3)
"""Stages of a hearing: still to be made; made, and `COMING` until it counts; over."""

Places = npt.NDArray[np.intp]
State = dict[str, npt.NDArray[Any]]


class Listening:
    """Hears for rows that follow their speech; `rows_at_once` a step, more only where it can not wait."""

    def __init__(self, listener: Listener, width: int, code_samples: int, ahead_codes: int, rows_at_once: int) -> None:
        self._listener = listener
        self._code_samples = code_samples
        self._reach = 1 + ahead_codes
        self._rows_at_once = rows_at_once
        self.read_past = WINDOW_CODES - self._reach + LATER_CODES
        """Codes before its hop that a step must read."""
        self.columns: Mapping[str, Column] = {
            HEARD: ((width,), np.float32),
            HEARD_SPREAD: ((width,), np.float32),
            HEARD_COUNT: ((), np.float32),
            COMING: ((width,), np.float32),
            COMING_SPREAD: ((width,), np.float32),
            STAGE: ((), np.int8),
        }

    def listen(self, pcm: Float32, code: npt.NDArray[np.int64], follows: npt.NDArray[np.bool_], state: State) -> None:
        """Move the heard emotions of all rows on to the codes `[B]`, in place; `pcm` `[B, T]` ends behind what these
        codes wait for. Raises `EngineError`.
        """
        since = code % EVERY_CODES
        state[STAGE][since == 0] = _OPEN
        self._hear_first(pcm, code, np.flatnonzero(follows & (state[HEARD_COUNT] == 0)), state)
        is_open = follows & (state[HEARD_COUNT] > 0) & (state[STAGE] == _OPEN) & (since <= LATER_CODES)
        self._hear_next(pcm, code, np.flatnonzero(is_open), state)
        ripe = np.flatnonzero(follows & (state[STAGE] == _WAITS) & (since == LATER_CODES))
        self._follow(ripe, (state[COMING][ripe], state[COMING_SPREAD][ripe]), np.ones(len(ripe), np.float32), state)

    def _hear_first(self, pcm: Float32, code: npt.NDArray[np.int64], rows: Places, state: State) -> None:
        """Rows that have heard no speech yet hear at once; silence stands in until there is some."""
        for part, samples in self._windows(pcm, code, rows, np.zeros(len(rows), np.int64)):
            loud = is_speech(samples)
            wanted = loud | ~state[HEARD][part].any(axis=1)
            if wanted.any():
                heard = self._listener.hear(samples[wanted])
                self._follow(part[wanted], heard, loud[wanted].astype(np.float32), state)

    def _hear_next(self, pcm: Float32, code: npt.NDArray[np.int64], rows: Places, state: State) -> None:
        """The rows whose hearing counts soonest hear; those of silent windows need not."""
        since = code[rows] % EVERY_CODES
        soonest = np.argsort(-since, kind="stable")
        room = max(self._rows_at_once, int((since == LATER_CODES).sum()))
        for part, samples in self._windows(pcm, code, rows[soonest[:room]], since[soonest[:room]]):
            loud = is_speech(samples)
            state[STAGE][part] = np.where(loud, _WAITS, _DONE)
            if loud.any():
                state[COMING][part[loud]], state[COMING_SPREAD][part[loud]] = self._listener.hear(samples[loud])

    def _follow(self, rows: Places, heard: tuple[Float32, Float32], loud: Float32, state: State) -> None:
        mean, log_variance, counts = (state[name][rows] for name in (HEARD, HEARD_SPREAD, HEARD_COUNT))
        follow(mean, log_variance, counts, heard, loud)
        state[HEARD][rows], state[HEARD_SPREAD][rows], state[HEARD_COUNT][rows] = mean, log_variance, counts
        state[STAGE][rows] = _DONE

    def _windows(
        self, pcm: Float32, code: npt.NDArray[np.int64], rows: Places, since: npt.NDArray[np.int64]
    ) -> Iterator[tuple[Places, Float32]]:
        """Groups of `rows` and their windows, which end with what the code `since` codes ago waited for."""
        lengths = np.minimum(code[rows] - since + self._reach, WINDOW_CODES)
        for length, late in sorted(set(zip(lengths.tolist(), since.tolist(), strict=True))):
            part = rows[(lengths == length) & (since == late)]
            end = pcm.shape[1] - late * self._code_samples
            yield part, np.ascontiguousarray(pcm[part, end - length * self._code_samples : end])
