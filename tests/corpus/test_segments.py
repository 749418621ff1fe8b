import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.segments import Segment, fit_pauses, pause, utterance

RATE = 16_000


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1.2), st.floats(0, 0.4), st.booleans()), max_size=12),
    st.floats(0, 0.3),
    st.floats(0, 0.3),
    st.integers(200, 16_000),
)
def test_any_segments_become_a_valid_utterance(
    drawn: list[tuple[float, float, bool]], lead: float, tail: float, samples: int
) -> None:
    segments = [
        pause(start, start + length) if silent else Segment("p", 1, start, start + length)
        for start, length, silent in sorted(drawn)
    ]
    made = utterance(
        key="k",
        source="s",
        language="es",
        voice="v",
        text="",
        audio=np.ones(samples),
        segments=segments,
        lead=lead,
        tail=tail,
    )  # its own checks assert that segments are contiguous and cover the audio
    assert len(made.audio) == samples + round(lead * RATE) + round(tail * RATE)
    spoken = made.classes != 0
    assert np.all(made.ends[spoken] <= round(lead * RATE) + samples)
    assert np.all(made.starts[spoken] >= round(lead * RATE))


def test_boundaries_beside_pauses_move_to_the_sound() -> None:
    audio = np.zeros(RATE)
    audio[int(0.30 * RATE) : int(0.60 * RATE)] = 0.5
    labelled = [pause(0, 0.1), Segment("a", 11, 0.1, 0.4), Segment("u", 17, 0.4, 0.9), pause(0.9, 1.0)]
    fitted = fit_pauses(labelled, audio, RATE)
    assert [segment.phone for segment in fitted] == ["_", "a", "u", "_"]
    assert abs(fitted[1].start - 0.27) < 0.011
    assert fitted[1].end == 0.4
    assert abs(fitted[2].end - 0.62) < 0.011
    stop = fit_pauses([pause(0, 0.1), Segment("p", 1, 0.1, 0.9), pause(0.9, 1.0)], audio, RATE)
    assert abs(stop[1].start - 0.22) < 0.011


def test_labels_that_fit_the_sound_stay() -> None:
    audio = np.zeros(RATE)
    audio[int(0.30 * RATE) : int(0.60 * RATE)] = 0.5
    labelled = [pause(0, 0.29), Segment("a", 11, 0.29, 0.61), pause(0.61, 1.0)]
    for before, after in zip(labelled, fit_pauses(labelled, audio, RATE), strict=True):
        assert abs(before.start - after.start) < 0.015
