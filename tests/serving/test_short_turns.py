import sys

import pytest

from facestream.serving.short_turns import take_short_turns


def test_turns_are_shorter_than_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[float] = []
    monkeypatch.setattr(sys, "setswitchinterval", set_to.append)
    take_short_turns()
    assert set_to
    assert 0 < set_to[0] < 0.005
