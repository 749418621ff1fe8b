"""Which frames of a take to draw: those whose mouth shape anyone can check against the phone spoken."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facestream.errors import InvalidValue
from facestream.preview.contact_sheet import Shown, contact_sheet
from facestream.timebase import FrameClock
from facestream.types import Float32, Frames

TILES = 18

TELLING_PHONES = (
    ("m", "b", "p"),  # lips shut
    ("w", "uw", "uh"),  # round and narrow
    ("v", "f"),  # lower lip at the teeth
    ("ae", "aa", "ay"),  # open
    ("ao", "ow"),  # round and open
    ("iy", "ey", "eh"),  # spread
    ("s", "z", "sh"),  # teeth together
    ("l", "th", "dh"),
    ("r",),
)
"""Groups in turn give one frame each until the sheet is full; phones are ARPABET, as in `examples/*.json`."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of the recording, the word it belongs to, and its place in seconds."""

    name: str
    word: str
    start_s: float
    end_s: float

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2


def read_phones(clip: Path) -> list[Phone]:
    """Phones of a recording from the JSON beside it, none where there is no such file.

    Raises `InvalidValue` for a file of another form.
    """
    path = clip.with_suffix(".json")
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rate_hz = content["sample_rate_hz"]
        return [
            Phone(str(name), str(word), start / rate_hz, end / rate_hz) for name, start, end, word in content["phones"]
        ]
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise InvalidValue(
            str(path), type(error).__name__, 'JSON with "sample_rate_hz" and "phones": [[phone, start, end, word], ...]'
        ) from error


def telling_frames(phones: Iterable[Phone], frame_times_s: Float32, count: int = TILES) -> list[Shown]:
    """Up to `count` frames in order of time, spread over the groups of `TELLING_PHONES` and over the clip."""
    everything = list(phones)
    waiting = [[phone for phone in everything if phone.name in group] for group in TELLING_PHONES]
    picked: list[Phone] = []
    while len(picked) < count and any(waiting):
        for group in waiting:
            if group and len(picked) < count:
                # the one farthest from what was picked before, so that the whole clip is seen
                farthest = max(group, key=lambda one: _distance_s(one, picked))
                group.remove(farthest)
                picked.append(farthest)
    picked.sort(key=lambda phone: phone.start_s)
    return [
        Shown(int(np.argmin(np.abs(frame_times_s - phone.middle_s))), f"{phone.name}  {phone.word}") for phone in picked
    ]


def _distance_s(phone: Phone, others: list[Phone]) -> float:
    return min((abs(phone.start_s - other.start_s) for other in others), default=0.0)


def draw_sheet(clip: Path, frames: Frames, clock: FrameClock, on_progress: Callable[[int, int], None]) -> Image.Image:
    """Contact sheet of a take: at telling phones where they are known, else evenly over its length."""
    times_s = np.array(
        [float(clock.time_of(index)) for index in range(frames.first_index, frames.end_index)], np.float32
    )
    shown = telling_frames(read_phones(clip), times_s)
    if not shown:
        shown = [Shown(int(row), "") for row in np.linspace(0, frames.count - 1, min(TILES, frames.count))]
    # the last frame is at rest: what the face does when nobody speaks belongs on the sheet
    shown.append(Shown(frames.count - 1, "rest"))
    return contact_sheet(
        frames.weights,
        times_s,
        shown,
        title=clip.stem,
        head=None if frames.pose is None else frames.pose.head,
        eyes=None if frames.pose is None else (frames.pose.left_eye, frames.pose.right_eye),
        progress=lambda done: on_progress(done, len(shown)),
    )
