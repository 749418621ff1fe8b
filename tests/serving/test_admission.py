"""Places, counted by one server or by several that share them."""

from pathlib import Path

import numpy as np
import pytest

from facestream.errors import Busy
from facestream.serving.admission import Admission, no_open_streams


def test_clips_and_live_streams_have_places_of_their_own() -> None:
    admission = Admission(2, 1)
    for _ in range(2):
        admission.enter(is_clip=False)
    with pytest.raises(Busy, match="all 2 places for live streams are taken") as caught:
        admission.enter(is_clip=False)
    assert caught.value.retry_after_s == 1.0
    assert (admission.live_count, admission.max_streams) == (2, 2)
    admission.enter(is_clip=True)
    with pytest.raises(Busy, match="all 1 places for clips"):
        admission.enter(is_clip=True)
    admission.leave(is_clip=False)
    admission.enter(is_clip=False)


def test_servers_that_share_the_places_count_each_other_in(tmp_path: Path) -> None:
    file = tmp_path / "open_streams"
    no_open_streams(2).tofile(file)
    first, second = (Admission(3, 0, np.memmap(file, np.int64, "r+").reshape(-1, 2), server) for server in range(2))
    for admission in (first, second, first):
        admission.enter(is_clip=False)
    assert (first.live_count, second.live_count) == (2, 1), "how many are here is each one's own"
    for admission in (first, second):
        with pytest.raises(Busy):
            admission.enter(is_clip=False)
    first.leave(is_clip=False)
    second.enter(is_clip=False)
    with pytest.raises(Busy):
        first.enter(is_clip=False)
    # whoever takes the place of one that died begins with nobody
    again = Admission(3, 0, np.memmap(file, np.int64, "r+").reshape(-1, 2), 1)
    for _ in range(2):
        again.enter(is_clip=False)
    with pytest.raises(Busy):
        first.enter(is_clip=False)
