import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.serving.resume_token import ResumeToken


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 2**64 - 1))
def test_what_is_packed_comes_back(model: str, version: str, seed: int) -> None:
    token = ResumeToken(model, version, "30/1", seed)
    assert ResumeToken.unpack(token.pack()) == token


@given(st.text(max_size=200))
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"config\.resume\.token"):
        ResumeToken.unpack(text)
