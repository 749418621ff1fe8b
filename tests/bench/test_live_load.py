"""What is said of a speaker's frames, against times that are chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.client import StreamInfo
from facestream.timebase import FrameClock, FrameRate
from facestream_bench.live_load import CHUNK_MS, MISSED_AFTER_S, Speaker, percentiles_ms

RATE_HZ = 16_000
CHUNK = RATE_HZ * CHUNK_MS // 1000


def a_speaker(look_ahead: int, chunks: int, wait_s: float, sending_late_s: float = 0.0) -> Speaker:
    """Every frame comes `wait_s` after the chunk that completes its audio; its audio begins at 5 s of the clock."""
    clock = FrameClock(FrameRate(30), RATE_HZ)
    info = StreamInfo("", "", "", (), clock, look_ahead, 0, 0, 0, 0.0, None, 0, "")
    sent = [CHUNK * (number + 1) for number in range(chunks)]
    speaker = Speaker(5.0, sent, [5.0 + sample / RATE_HZ + sending_late_s for sample in sent], [], info)
    for index in range(clock.frames_until(sent[-1])):
        needed = clock.sample_of(index) + look_ahead
        chunk = min(-(-needed // CHUNK), chunks)  # what is needed beyond the last one is never waited for
        speaker.arrivals.append((speaker.sent_s[max(chunk, 1) - 1] + wait_s, index, 1))
    return speaker


@given(look_ahead=st.integers(0, 3000), chunks=st.integers(8, 40), wait_s=st.floats(0.0, 0.09))
def test_added_latency_is_the_wait_and_lag_has_the_look_ahead_too(look_ahead: int, chunks: int, wait_s: float) -> None:
    speaker = a_speaker(look_ahead, chunks, wait_s)
    added = speaker.added_s()
    assert added
    np.testing.assert_allclose(added, wait_s, atol=1e-9)
    lags = np.array(speaker.lag_s())
    assert len(lags) == speaker.expected_count()
    whole = lags[: len(added)]  # the rest is completed by the end of the audio
    assert (whole >= look_ahead / RATE_HZ + wait_s - 1e-9).all()
    assert (whole <= look_ahead / RATE_HZ + wait_s + CHUNK_MS / 1000 + 1e-9).all()
    assert speaker.missed_count() == 0


def test_frames_that_never_come_and_frames_that_come_too_late_are_missed() -> None:
    speaker = a_speaker(640, 20, 0.01)
    late = speaker.arrivals[3]
    speaker.arrivals[3] = (late[0] + MISSED_AFTER_S, *late[1:])
    assert speaker.missed_count() == 1
    del speaker.arrivals[7:9]
    assert speaker.missed_count() == 3


def test_a_client_that_can_not_keep_up_is_told_apart_from_the_server() -> None:
    speaker = a_speaker(640, 20, 0.01, sending_late_s=0.03)
    np.testing.assert_allclose(speaker.sending_late_s(), 0.03, atol=1e-9)
    np.testing.assert_allclose(speaker.added_s(), 0.01, atol=1e-9)


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=300))
def test_percentiles_are_in_order_and_within_what_was_seen(seconds: list[float]) -> None:
    found = percentiles_ms(seconds)
    assert list(found) == ["p50_ms", "p95_ms", "p99_ms", "max_ms"]
    values = list(found.values())
    assert values == sorted(values)
    assert found["max_ms"] == pytest.approx(1000 * max(seconds))
    assert sum(1000 * one <= found["p50_ms"] + 1e-6 for one in seconds) >= len(seconds) / 2
