import json
from itertools import pairwise
from pathlib import Path

import pytest

from facestream.cli.demo import EXAMPLE
from facestream.cli.phones import read_phones
from facestream.errors import InvalidValue


def test_phones_of_the_example_lie_one_after_the_other_inside_it() -> None:
    phones = read_phones(EXAMPLE)
    assert {"p", "b", "m", "f", "v", "w"} <= {phone.phone for phone in phones}
    assert [phone.word for phone in phones[:3]] == ["had"] * 3
    assert all(before.end_s <= after.start_s for before, after in pairwise(phones))
    assert phones[-1].end_s < 9.34


def test_a_recording_without_phones_has_none(tmp_path: Path) -> None:
    assert read_phones(tmp_path / "speech.wav") == []


@pytest.mark.parametrize("content", ["no json", "{}", json.dumps({"sample_rate_hz": 0, "phones": [["p", 0, 1, "w"]]})])
def test_phones_of_another_form_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "speech.json").write_text(content)
    with pytest.raises(InvalidValue, match=r"speech\.json.*sample_rate_hz"):
        read_phones(tmp_path / "speech.wav")
