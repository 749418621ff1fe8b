import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.audio.ring import SampleRing

_ACTION = st.tuples(st.sampled_from(["append", "silence", "forget"]), st.integers(0, 20_000))


@settings(max_examples=60, deadline=None)
@given(st.lists(_ACTION, max_size=25), st.integers(0, 2**32))
def test_samples_stay_at_their_positions(actions: list[tuple[str, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    ring = SampleRing()
    everything = np.zeros(0, np.float32)
    for action, count in actions:
        if action == "append":
            samples = rng.standard_normal(count).astype(np.float32)
            ring.append(samples)
            everything = np.concatenate((everything, samples))
        elif action == "silence":
            ring.append_silence(count)
            everything = np.concatenate((everything, np.zeros(count, np.float32)))
        else:
            ring.forget_before(min(ring.start + count, ring.end))
        held = np.empty(ring.held, np.float32)
        ring.read(ring.start, held)
        np.testing.assert_array_equal(held, everything[ring.start : ring.end])
        assert ring.end == everything.size


def test_a_long_stream_that_is_read_stays_small() -> None:
    ring = SampleRing()
    for _ in range(5000):
        ring.append(np.ones(640, np.float32))
        ring.forget_before(ring.end - 320)
    assert ring._buffer.size <= 20_000
