import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream.client.history import AudioHistory


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=1, max_size=30),
    st.integers(0, 900),
    st.integers(20, 400),
    st.sampled_from([1, 2, 8]),
)
def test_what_is_kept_comes_back_at_its_positions(
    pieces: list[tuple[int, int]], since: int, longest: int, width: int
) -> None:
    history = AudioHistory(width, longest)
    sent: dict[int, bytes] = {}
    position = 0
    for gap, count in pieces:
        position += gap
        data = np.random.default_rng(position).bytes(count * width)
        history.add(position, data)
        for sample in range(count):
            sent[position + sample] = data[sample * width : (sample + 1) * width]
        position += count
    kept = {
        first + sample: data[sample * width : (sample + 1) * width]
        for first, data in history.since(since)
        for sample in range(len(data) // width)
    }
    oldest = max(since, history.first_sample)
    assert kept == {sample: value for sample, value in sent.items() if sample >= oldest}
    assert history.end_sample == position
    assert history.first_sample <= max(0, position - longest) or history.first_sample == pieces[0][0]
    assert position - history.first_sample <= longest + 45
