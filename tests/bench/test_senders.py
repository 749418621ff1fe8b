import numpy as np
import pytest

from facestream.timebase import FrameRate
from facestream_bench.senders import measure_alone, pace_of

PERIOD = 1 / 60


def test_an_even_pace_has_no_jitter_and_bursts_have() -> None:
    even = np.arange(300) * PERIOD
    figures = pace_of([even, even + 0.4], PERIOD)
    assert figures["jitter_p99_ms"] == pytest.approx(0, abs=1e-6)
    assert figures["packets"] == 600
    bursts = np.repeat(np.arange(120) * 0.04, [2, 3] * 60)  # as frames come from hops of 40 ms
    assert pace_of([bursts], PERIOD)["jitter_p99_ms"] > 15


def test_one_late_packet_is_seen_and_the_beginning_left_out() -> None:
    times = np.arange(300) * PERIOD
    times[10] += 0.012
    assert pace_of([times], PERIOD)["jitter_max_ms"] == pytest.approx(0, abs=1e-6)
    times[200] += 0.012
    assert pace_of([times], PERIOD)["jitter_max_ms"] == pytest.approx(12)


def test_every_face_of_every_subject_arrives() -> None:
    figures = measure_alone(3, FrameRate(60), 1.6)
    assert figures["packets"] >= 3 * 96
