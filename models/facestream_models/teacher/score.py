"""How well the teacher hears: frame accuracy, bilabial recall and time offset on speech it was not trained on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import INDEX, MERGED, SILENCE
from facestream_models.corpus.store import SAMPLE_RATE, Utterance

_FRAME_SECONDS = 0.02
_CLOSED = INDEX["PP"]

Timed = tuple[int, float, float]
"""Class index, start and end in seconds."""


class Score(NamedTuple):
    """Figures over all recordings; shares are 0..1.

    `accuracy` and `speech_accuracy` are over the 14 merged classes, on all and on spoken frames. `bilabials` and
    `initial_bilabials` (after a pause) count as heard when the probability of PP exceeds .5 within 30 ms of the phone.
    `false_bilabials` is the share of open vowels (aa ae O E over 70 ms) with PP above .5 at their centre. `offset_ms`
    is the shift of the posteriors that fits the reference best (positive: the teacher is late).
    """

    recordings: int
    accuracy: float
    speech_accuracy: float
    bilabials: float
    initial_bilabials: float
    false_bilabials: float
    offset_ms: int


def read_english_classes(path: Path) -> dict[str, list[Timed]]:
    """The `classes.json` of the English prompts: key -> timed classes."""
    listing = json.loads(path.read_text(encoding="utf-8"))
    return {
        key: [(INDEX[name], float(start), float(end)) for name, start, end in entry["classes"]]
        for key, entry in listing.items()
    }


def score_teacher(rows: Sequence[tuple[list[Timed], NDArray[np.float32]]]) -> Score:
    """Score log posteriors [F, 21] against timed classes, one pair a recording."""
    merged = np.array(MERGED)
    right = frames = right_spoken = spoken = 0
    by_shift = dict.fromkeys(range(-4, 5), 0)
    heard: list[bool] = []
    heard_initial: list[bool] = []
    false: list[bool] = []
    for reference, log_probabilities in rows:
        count = min(len(log_probabilities), round(reference[-1][2] / _FRAME_SECONDS))
        labels = _labels(reference, count)
        guess = log_probabilities[:count].argmax(axis=1)
        same = merged[guess] == merged[labels]
        is_spoken = labels != SILENCE
        right, frames = right + int(same.sum()), frames + count
        right_spoken, spoken = right_spoken + int(same[is_spoken].sum()), spoken + int(is_spoken.sum())
        for shift in by_shift:
            by_shift[shift] += int((merged[np.roll(guess, -shift)] == merged[labels])[is_spoken].sum())
        closed = np.exp(log_probabilities[:, _CLOSED]) > 0.5
        for number, (class_index, start, end) in enumerate(reference):
            if class_index == _CLOSED:
                first, last = int((start - 0.03) / _FRAME_SECONDS), int(np.ceil((end + 0.03) / _FRAME_SECONDS))
                found = bool(closed[max(first, 0) : last].any())
                heard.append(found)
                if number == 0 or reference[number - 1][0] == SILENCE:
                    heard_initial.append(found)
            elif class_index in {INDEX[name] for name in ("aa", "ae", "O", "E")} and end - start > 0.07:
                false.append(bool(closed[min(int((start + end) / 2 / _FRAME_SECONDS), len(closed) - 1)]))
    return Score(
        recordings=len(rows),
        accuracy=round(right / max(frames, 1), 4),
        speech_accuracy=round(right_spoken / max(spoken, 1), 4),
        bilabials=round(float(np.mean(heard)), 4) if heard else 0.0,
        initial_bilabials=round(float(np.mean(heard_initial)), 4) if heard_initial else 0.0,
        false_bilabials=round(float(np.mean(false)), 4) if false else 0.0,
        offset_ms=round(1000 * _FRAME_SECONDS) * max(by_shift, key=lambda shift: by_shift[shift]),
    )


class AlignmentCheck(NamedTuple):
    """Bilabial centres of an alignment against those of a reference of the same texts.

    `matched` of `tokens` bilabials of the reference have a counterpart within 150 ms; of these, the shares within 40
    and 80 ms, the median difference and the median absolute deviation (ms, positive: the alignment is late).
    """

    tokens: int
    matched: int
    within_40_ms: float
    within_80_ms: float
    median_ms: float
    deviation_ms: float


def compare_bilabials(rows: Sequence[tuple[list[Timed], list[Timed]]]) -> AlignmentCheck:
    """Compare (reference, alignment) pairs of timed classes."""
    differences: list[float] = []
    tokens = 0
    for reference, alignment in rows:
        centres = np.array([(start + end) / 2 for class_index, start, end in alignment if class_index == _CLOSED])
        for class_index, start, end in reference:
            if class_index != _CLOSED:
                continue
            tokens += 1
            if len(centres):
                nearest = centres[np.abs(centres - (start + end) / 2).argmin()] - (start + end) / 2
                if abs(nearest) < 0.15:
                    differences.append(1000 * float(nearest))
    found = np.array(differences) if differences else np.array([np.nan])
    median = float(np.median(found))
    return AlignmentCheck(
        tokens=tokens,
        matched=len(differences),
        within_40_ms=round(float(np.mean(np.abs(found) <= 40)), 4),
        within_80_ms=round(float(np.mean(np.abs(found) <= 80)), 4),
        median_ms=round(median, 1),
        deviation_ms=round(float(np.median(np.abs(found - median))), 1),
    )


def timed_classes(utterance: Utterance) -> list[Timed]:
    """The segments of an utterance in seconds."""
    return [
        (int(class_index), float(start) / SAMPLE_RATE, float(end) / SAMPLE_RATE)
        for class_index, start, end in zip(utterance.classes, utterance.starts, utterance.ends, strict=True)
    ]


def _labels(reference: list[Timed], count: int) -> NDArray[np.int64]:
    ends = np.array([end for _, _, end in reference])
    centres = (np.arange(count) + 0.5) * _FRAME_SECONDS
    number = np.searchsorted(ends, centres, side="right").clip(max=len(reference) - 1)
    labels: NDArray[np.int64] = np.array([class_index for class_index, _, _ in reference], dtype=np.int64)[number]
    return labels
