"""Which frames of a take to show: those whose mouth anyone can judge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facestream.types import Float32

TELLING_PHONES = (
    "m", "b", "p", "f", "v", "w", "uw", "ow", "aa", "ae", "ay", "iy", "sh", "s", "th", "l", "r", "ao", "uh", "eh",
)  # fmt: skip
"""ARPABET, the most telling first: lips shut, lower lip under the teeth, round, open, wide."""


@dataclass(frozen=True)
class Caption:
    """A phone of the transcript and the word it stands in; seconds from the take's first frame."""

    start_s: float
    end_s: float
    phone: str
    word: str = ""


@dataclass(frozen=True)
class Shown:
    """A frame on the sheet: its row in the take, and what to write under it."""

    frame: int
    caption: str


def choose_moments(times_s: Float32, captions: Sequence[Caption], count: int) -> list[Shown]:
    """Up to `count` frames of those at `times_s` [F], in order of time.

    With captions: the middles of phones, telling ones first and each phone once before any comes twice; without:
    evenly spread.
    """
    spoken = [caption for caption in captions if times_s[0] <= _middle(caption) <= times_s[-1]]
    if not spoken:
        rows = np.unique(np.linspace(0, len(times_s) - 1, min(count, len(times_s))).round().astype(int))
        return [Shown(int(row), "") for row in rows]
    seen: dict[str, int] = {}
    ranked = []
    for caption in spoken:
        turn = seen[caption.phone] = seen.get(caption.phone, -1) + 1
        known = caption.phone in TELLING_PHONES
        ranked.append((turn, TELLING_PHONES.index(caption.phone) if known else len(TELLING_PHONES), caption))
    ranked.sort(key=lambda entry: entry[:2])
    chosen = sorted((caption for *_, caption in ranked[:count]), key=_middle)
    return [Shown(int(np.argmin(np.abs(times_s - _middle(caption)))), _label(caption)) for caption in chosen]


def _middle(caption: Caption) -> float:
    return (caption.start_s + caption.end_s) / 2


def _label(caption: Caption) -> str:
    return f"{caption.phone}  {caption.word}" if caption.word else caption.phone
