import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.events import SpeechEnded, SpeechStarted
from facestream.serving.pipeline import SILENCE_EXTRA
from facestream.serving.speech import SpeechGate
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Frames

CLOCK = FrameClock(FrameRate(50), 16000)


def events_of(voiced: list[bool], cuts: list[int]) -> list[object]:
    silence = 1.0 - np.array(voiced, np.float32)
    gate, found, first = SpeechGate(CLOCK), [], 0
    for piece in np.split(silence, sorted({cut % (len(voiced) + 1) for cut in cuts})):
        run = Frames(first, np.zeros((piece.size, 52), np.float32), extras={SILENCE_EXTRA: piece})
        found.extend(gate.follow(run))
        first += piece.size
    return found


def test_a_sentence_begins_once_and_ends_once_despite_clicks_and_stops() -> None:
    voiced = [False] * 20 + [True] + [False] * 20 + [True] * 30 + [False] * 5 + [True] * 30 + [False] * 40
    assert events_of(voiced, []) == [SpeechStarted(41 * 320), SpeechEnded(106 * 320)]


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_events_alternate_and_do_not_depend_on_how_frames_came(voiced: list[bool], cuts: list[int]) -> None:
    events = events_of(voiced, cuts)
    assert events == events_of(voiced, [])
    assert all(isinstance(event, SpeechStarted) == (place % 2 == 0) for place, event in enumerate(events))
    samples = [event.sample for event in events]  # type: ignore[attr-defined]
    assert samples == sorted(samples)
