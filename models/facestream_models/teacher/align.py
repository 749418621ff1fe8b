"""Forced alignment: finds where in the audio each phone of a known text lies.

Viterbi over the phone parts of the text in their order, on the teacher's class probabilities at 50 Hz. Between words
(and at both ends) an optional pause may stand. Each part lasts at least two frames, the parts of a diphthong and
taps at least one (speech-motion-data specification, section 2.2). Known word times can bound the search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import PAUSE_SYMBOL, SILENCE, Part
from facestream_models.corpus.segments import Segment, pause

FRAME_SECONDS = 0.02
_PAUSE_ENTRY = -2.0  # log cost of putting a pause between two words
_SHORTEST_PAUSE = 4
_OUTSIDE = -12.0  # per frame, log cost of a phone outside the bounds of its word
_SINGLE_FRAME = frozenset("ɾʔh")


@dataclass(frozen=True)
class Word:
    """The phones of one word, each a tuple of parts, and the seconds it must lie in, where known."""

    phones: tuple[tuple[Part, ...], ...]
    earliest: float = 0.0
    latest: float = float("inf")


@dataclass(frozen=True)
class Alignment:
    """`segments` in seconds cover the audio; `score` is the mean log probability of the spoken frames on the path."""

    segments: list[Segment]
    score: float


@dataclass(frozen=True)
class _Unit:
    symbol: str
    class_index: int
    shortest: int
    optional: bool
    earliest: float
    latest: float


def align(log_probabilities: NDArray[np.float32], words: Sequence[Word], duration: float) -> Alignment:
    """Align `words` to `log_probabilities` [F, 21] at 50 Hz of audio of `duration` seconds.

    Raises ValueError when the audio is shorter than the phones need.
    """
    units = _units(words)
    # Every unit becomes `shortest` states in a row; the last one may repeat.
    state_unit = np.array([number for number, unit in enumerate(units) for _ in range(unit.shortest)])
    starts = np.flatnonzero(np.r_[True, np.diff(state_unit) > 0])
    last = np.r_[starts[1:], len(state_unit)] - 1
    frames, states = len(log_probabilities), len(state_unit)
    emission = log_probabilities[:, [units[number].class_index for number in state_unit]].astype(np.float64)
    centre = (np.arange(frames) + 0.5) * FRAME_SECONDS
    for number, unit in enumerate(units):
        outside = (centre < unit.earliest) | (centre > unit.latest)
        emission[np.ix_(outside, np.arange(starts[number], last[number] + 1))] += _OUTSIDE

    score = np.full(states, -np.inf)
    came_from = np.zeros((frames, states), dtype=np.int32)
    for entry in _entries(units, 0):
        score[starts[entry]] = _entry_cost(units[entry]) + emission[0, starts[entry]]
    stay = np.zeros(states, dtype=bool)
    stay[last] = True
    within = np.ones(states, dtype=bool)
    within[starts] = False
    predecessors = [[last[p] for p in _predecessors(units, number)] for number in range(len(units))]
    first_choice = np.array([p[0] if p else -1 for p in predecessors])
    second_choice = np.array([p[1] if len(p) > 1 else -1 for p in predecessors])
    costs = np.array([_entry_cost(unit) for unit in units])
    index = np.arange(states)
    for frame in range(1, frames):
        best = np.where(stay, score, -np.inf)
        source = index.copy()
        step = np.where(within, np.r_[-np.inf, score[:-1]], -np.inf)
        source = np.where(step > best, index - 1, source)
        best = np.maximum(best, step)
        for choice in (first_choice, second_choice):
            entering = np.where(choice >= 0, score[choice], -np.inf) + costs
            better = entering > best[starts]
            best[starts] = np.where(better, entering, best[starts])
            source[starts] = np.where(better, choice, source[starts])
        score = best + emission[frame]
        came_from[frame] = source
    finals = [last[number] for number in _entries(units, -1)]
    state = max(finals, key=lambda final: score[final])
    if not np.isfinite(score[state]):
        raise ValueError(f"{frames} frames are too few for {len(units)} phones and pauses")
    path = np.zeros(frames, dtype=np.int64)
    for frame in range(frames - 1, -1, -1):
        path[frame] = state
        state = came_from[frame, state]
    return _alignment(path, state_unit, units, log_probabilities, duration)


def _units(words: Sequence[Word]) -> list[_Unit]:
    gap = _Unit(PAUSE_SYMBOL, SILENCE, _SHORTEST_PAUSE, True, 0.0, float("inf"))
    units = [gap]
    for word in words:
        for parts in word.phones:
            for part in parts:
                shortest = 1 if len(parts) > 1 or part.symbol in _SINGLE_FRAME else 2
                units.append(_Unit(part.symbol, part.class_index, shortest, False, word.earliest, word.latest))
        units.append(gap)
    if len(units) == len(words) + 1:
        raise ValueError("there is no phone to align")
    return units


def _entries(units: list[_Unit], end: int) -> list[int]:
    """Units that may come first (`end` 0) or last (`end` -1): the outer pause, or the phone beside it."""
    order = range(len(units)) if end == 0 else range(len(units) - 1, -1, -1)
    found = []
    for number in order:
        found.append(number)
        if not units[number].optional:
            break
    return found


def _predecessors(units: list[_Unit], number: int) -> list[int]:
    found = []
    for before in range(number - 1, -1, -1):
        found.append(before)
        if not units[before].optional:
            break
    return found[:2]


def _entry_cost(unit: _Unit) -> float:
    return _PAUSE_ENTRY if unit.optional else 0.0


def _alignment(
    path: NDArray[np.int64],
    state_unit: NDArray[np.int64],
    units: list[_Unit],
    log_probabilities: NDArray[np.float32],
    duration: float,
) -> Alignment:
    numbers = state_unit[path]
    changes = np.flatnonzero(np.r_[True, np.diff(numbers) != 0, True])
    segments = []
    spoken = []
    for first, end in pairwise(changes):
        unit = units[numbers[first]]
        start, stop = first * FRAME_SECONDS, min(end * FRAME_SECONDS, duration)
        if end == len(path):
            stop = duration
        if unit.symbol == PAUSE_SYMBOL:
            segments.append(pause(start, stop))
        else:
            segments.append(Segment(unit.symbol, unit.class_index, start, stop))
            spoken.append(log_probabilities[first:end, unit.class_index])
    return Alignment(segments, float(np.mean(np.concatenate(spoken))))
