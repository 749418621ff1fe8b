import json
from pathlib import Path

import numpy as np
import pytest

from facestream.cli.demo import EXAMPLE
from facestream.cli.sheet import TELLING_PHONES, TILES, read_phones, telling_frames
from facestream.errors import InvalidValue

TIMES = np.arange(300, dtype=np.float32) / 30


def test_the_example_shows_every_group_of_mouth_shapes_in_order_of_time() -> None:
    shown = telling_frames(read_phones(EXAMPLE), TIMES)
    assert len(shown) == TILES
    names = {one.caption.split()[0] for one in shown}
    present = {phone.name for phone in read_phones(EXAMPLE)}
    for group in TELLING_PHONES:
        assert names & set(group) or not present & set(group)
    assert [one.frame for one in shown] == sorted(one.frame for one in shown)


def test_a_recording_without_phones_shows_none(tmp_path: Path) -> None:
    assert read_phones(tmp_path / "speech.wav") == []


@pytest.mark.parametrize("content", ["no json", "{}", json.dumps({"sample_rate_hz": 0, "phones": [["p", 0, 1, "w"]]})])
def test_phones_of_another_form_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "speech.json").write_text(content)
    with pytest.raises(InvalidValue, match=r"speech\.json.*sample_rate_hz"):
        read_phones(tmp_path / "speech.wav")
