from hypothesis import given
from hypothesis import strategies as st

from facestream.motion.diffposetalk.streamers import ClipStreamer, HopStreamer

FRAME = 640


@given(st.integers(1, 6), st.integers(0, 8), st.integers(0, 20), st.integers(0, 400_000))
def test_a_hop_is_ready_when_its_samples_are_there(hop, ahead, context, count):
    streamer = HopStreamer(hop * FRAME, hop, FRAME, context * FRAME, ahead * FRAME)
    ready = streamer.hops_ready(count)
    assert streamer.samples_for(ready) <= count or ready == 0
    assert streamer.samples_for(ready + 1) > count
    assert streamer.first_sample_for(3) == (3 * hop - context) * FRAME


@given(
    st.integers(1, 8), st.integers(0, 20), st.integers(0, 6), st.integers(1, 300),
    st.lists(st.integers(0, 300), max_size=5), st.booleans(),
)  # fmt: skip
def test_parts_follow_each_other_on_one_grid(window, more, context, hops, stops, known):
    streamer = ClipStreamer(4 * FRAME, 4, FRAME, min(3, window + more), window + more, context)
    done, ends = 0, []
    while done < hops:
        stop = min((at for at in stops if at > done), default=None)
        part = streamer.next_part(done, stop, hops if known or hops - done <= streamer.window_hops + 1 else None)
        assert part.first == done < part.end
        assert part.reads_from == max(done - context, 0)
        assert part.end <= part.reads_to <= part.first + streamer.window_hops + 1
        done = part.end
        ends.append(done)
    assert done == hops
    border = streamer.first_hops
    while border + 1 < hops:
        assert border in ends  # stops cut a window, they never move the next one
        border += streamer.window_hops
