import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.style import Style, StyleSpace, blended, mean_style

SPACE = StyleSpace("tiny", "ab" * 32, 16, (3.2, 4.6))


def vectors(count, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(count, 16))
    return (4.0 * drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40), st.text())
def test_a_file_gives_back_every_bit(numbers, model):
    style = Style(np.array(numbers, np.float32), model, "d")
    found = Style.from_bytes(style.to_bytes())
    np.testing.assert_array_equal(found.vector, style.vector)
    assert (found.model, found.digest) == (model, "d")


def changed(**values):
    content = json.loads(Style(vectors(1)[0], "tiny", SPACE.digest).to_bytes())
    return json.dumps(content | values).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "allowed: a .style file; make one: facestream style extract"),
        (b"\x89PNG", "a .style file"),
        (b"[1, 2]", "does not say format 'facestream-style'"),
        (changed(format="other"), "does not say format"),
        (changed(version=2), "version 2, this release reads 1"),
        (changed(model=3), "model and digest must be texts"),
        (changed(style=["a"]), "something else than numbers"),
        (changed(style=[]), "numbers of shape"),
        (changed(style=[1e999]), "not finite"),
        (changed(style=[10**400]), "a .style file"),
        (b"[" * 100_000, "a .style file"),
        (b" " * (1 << 19), "at most 262144"),
        (b'{"format": "facestream-style", "version": 1}', "'model'"),
    ],
)
def test_what_is_no_style_is_told_in_one_line(tmp_path, content, said):
    with pytest.raises(InvalidValue, match=said) as refused:
        Style.from_bytes(content)
    assert "\n" not in str(refused.value)
    (tmp_path / "my.style").write_bytes(content)
    with pytest.raises(InvalidValue, match=r"my\.style"):
        Style.load(tmp_path / "my.style")
    with pytest.raises(InvalidValue, match=r"none\.style \(No such file"):
        Style.load(tmp_path / "none.style")


@pytest.mark.parametrize(
    ("style", "said"),
    [
        (Style(vectors(1)[0], "other", SPACE.digest), "a style of other abababababab; allowed: styles of tiny ababab"),
        (Style(vectors(1)[0], "tiny", "cd" * 32), "a style of tiny cdcdcdcdcdcd; allowed: styles of tiny ababababab"),
        (Style(np.ones(8, np.float32), "tiny", SPACE.digest), "8 numbers; allowed: 16"),
        (Style(np.zeros(16, np.float32), "tiny", SPACE.digest), r"norm 0; allowed: 3\.2 to 4\.6"),
        (Style(2 * vectors(1)[0], "tiny", SPACE.digest), "norm 8"),
    ],
)
def test_a_style_of_another_model_or_of_nobody_is_refused(style, said):
    SPACE.check(Style(vectors(1)[0], "tiny", SPACE.digest))
    with pytest.raises(InvalidValue, match=said):
        SPACE.check(style)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(0, 1))
def test_what_lies_between_two_styles_is_a_style(seed, share):
    pair = vectors(2, seed)
    mixed = blended(pair, np.array([1 - share, share]))
    assert np.linalg.norm(mixed) == pytest.approx(4.0, rel=1e-5)
    # it leans to one as far as away from the other
    near, far = mixed @ pair[0], mixed @ pair[1]
    assert (near - far) * (0.5 - share) >= -1e-4
    np.testing.assert_allclose(blended(pair, np.array([1.0, 0.0])), pair[0], atol=1e-6)
    np.testing.assert_allclose(mean_style(pair), blended(pair, np.array([0.5, 0.5])), atol=1e-6)


def test_opposites_have_nothing_between_them():
    one = vectors(1)
    with pytest.raises(InvalidValue, match="the opposite of each other"):
        mean_style(np.concatenate([one, -one]))
