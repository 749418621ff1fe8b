"""Real recordings, the words in them, and what the aligned teacher makes of both: utterances of the store."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facestream_models.corpus.phones import Part
from facestream_models.corpus.real import TRAINABLE_PROMPTS, Recording, grid_clips, is_grid_held_out, prompts
from facestream_models.corpus.segments import utterance
from facestream_models.corpus.store import Utterance
from facestream_models.corpus.transcript import phone_words
from facestream_models.teacher.align import Alignment, Word, align

WORST_SCORE = -1.6
"""Alignments below this mean log probability a frame are dropped: the text is not what is said."""

_ESPEAK_LANGUAGE = {"en": "en-us", "es": "es-419", "fr": "fr-fr", "it": "it", "ru": "ru", "en-gb": "en-gb"}
_WORD_SLACK = 0.10  # seconds that GRID's word times may be off


@dataclass(frozen=True)
class RealSet:
    """One set of recordings. `trainable` sets may teach the student; the others are for evaluation only."""

    name: str
    trainable: bool
    recordings: Callable[[], Iterator[Recording]]


def real_sets(grid: Path | None, grid_other: Path | None) -> list[RealSet]:
    """The installed prompt languages and the GRID folders given, trainable sets first."""
    sets = [_prompt_set(language) for language in ("it", "ru")]
    if grid is not None:
        folder = grid
        sets.append(RealSet("grid", True, lambda: (c for c in grid_clips(folder) if not is_grid_held_out(c.key))))
        sets.append(RealSet("grid-held-out", False, lambda: (c for c in grid_clips(folder) if is_grid_held_out(c.key))))
    if grid_other is not None:
        other = grid_other
        sets.append(RealSet("grid-other", False, lambda: grid_clips(other)))
    sets += [_prompt_set(language) for language in ("en", "es", "fr")]
    return sets


def _prompt_set(language: str) -> RealSet:
    return RealSet(f"prompt-{language}", language in TRAINABLE_PROMPTS, lambda: prompts(language))


def words_to_align(recording: Recording) -> list[Word]:
    """The phones of the transcript; where word times are known, each word is bounded by its own."""
    language = _ESPEAK_LANGUAGE[recording.language]
    spoken = [(begin, end, word) for begin, end, word in recording.words if word not in {"sil", "sp"}]
    if not spoken:
        if recording.language == "en-gb":  # GRID without times: word by word, so that letters are read as letters
            return [Word(phones) for word in recording.text.split() for phones in _isolated(word, language)]
        return [Word(phones) for phones in phone_words(recording.text, language)]
    return [
        Word(phones, begin - _WORD_SLACK, end + _WORD_SLACK)
        for begin, end, word in spoken
        for phones in _isolated(word.upper() if len(word) == 1 else word, language)
    ]


@cache
def _isolated(word: str, language: str) -> tuple[tuple[tuple[Part, ...], ...], ...]:
    """One word (a letter in upper case is its name) as espeak-ng says it alone."""
    return tuple(phone_words("A." if word == "A" else word, language))


def label(
    recording: Recording, source: str, log_probabilities: NDArray[np.float32], *, posteriors: bool = True
) -> tuple[Utterance, Alignment]:
    """Align one recording. Raises ValueError (also UnknownPhoneError) when its text can not be aligned."""
    duration = len(recording.audio) / 16_000
    alignment = align(log_probabilities, words_to_align(recording), duration)
    made = utterance(
        key=recording.key,
        source=source,
        language=_ESPEAK_LANGUAGE[recording.language],
        voice=source,
        text=recording.text,
        audio=recording.audio * (32768.0 / 32767.0),
        segments=alignment.segments,
        posteriors=np.exp(log_probabilities).astype(np.float16) if posteriors else None,
    )
    return made, alignment
