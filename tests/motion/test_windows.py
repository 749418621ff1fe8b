from hypothesis import given
from hypothesis import strategies as st

from facestream.motion.windows import WholeStreamer, WindowStreamer

HOP = 2560


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 100))
def test_a_window_waits_for_what_it_reads_and_no_longer(past: int, ahead: int, hops: int) -> None:
    streamer = WindowStreamer(HOP, past, ahead)
    needed = streamer.samples_for(hops)
    assert streamer.hops_ready(needed) == hops
    assert streamer.hops_ready(needed - 1) == max(hops - 1, 0)
    assert streamer.first_sample_for(hops) == (hops - past) * HOP


@given(st.integers(1, 8), st.integers(20, 60), st.integers(1, 400), st.lists(st.integers(1, 400), max_size=4))
def test_parts_cover_a_recording_once_and_share_their_borders(
    shared: int, longest: int, total: int, stops: list[int]
) -> None:
    streamer = WholeStreamer(HOP, longest, shared)
    done, reached = 0, 0
    while done < total:
        stop = next((stop for stop in sorted(stops) if stop > done), None)
        part = streamer.next_part(done, stop, total)
        assert part.first == done
        assert part.end > done
        assert stop is None or part.end <= stop
        assert part.reads_from == max(done - shared, 0)
        assert part.reads_to - part.reads_from <= longest
        assert part.end <= total
        assert part.end + shared <= part.reads_to or part.reads_to == total
        # where the end of the audio is not known yet, a part that can be read whole is cut alike
        if part.reads_to < total:
            assert streamer.next_part(done, stop, None) == part
        done, reached = part.end, max(reached, part.reads_to)
    assert reached == total


def test_a_short_recording_is_one_part() -> None:
    part = WholeStreamer(HOP, 300, 7).next_part(0, None, 300)
    assert (part.first, part.end, part.reads_from, part.reads_to) == (0, 300, 0, 300)
