import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from tests.corpus.spoken import sentence

from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.emotional_sheet import emotion_sheet, quaternion_of


@given(st.tuples(*[st.floats(-1.5, 1.5)] * 3))
def test_a_rotation_vector_becomes_its_quaternion(vector: tuple[float, float, float]) -> None:
    expected = Rotation.from_rotvec(vector).as_quat()
    given_as = quaternion_of(np.array(vector))
    assert abs(float(np.dot(expected, given_as))) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.slow
def test_a_sheet_shows_all_emotions_at_all_intensities() -> None:
    sheet = np.asarray(emotion_sheet(take_apart(sentence(2, syllables=4)), "voice#0", 1, tile_size=32))
    assert sheet.shape == (8 * (32 + 22), 6 * 32, 3)
    tiles = [sheet[row * 54 : row * 54 + 32, column * 32 : column * 32 + 32] for row in range(8) for column in range(6)]
    assert all(tile.std() > 10 for tile in tiles)  # a face, not a blank
    calm, angry = tiles[2].astype(float), tiles[3 * 6 + 2].astype(float)
    assert np.abs(calm - angry).mean() > 0.5
