import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.visemes import BASIS, MESH_NAMES, MOUTH, VISEMES, VOWELS, visemes_of, vowels_of
from facestream_bench.plausible_faces import moving_faces


def test_each_viseme_is_found_in_its_own_pose() -> None:
    np.testing.assert_allclose(visemes_of(BASIS), np.eye(len(VISEMES)), atol=1e-6)


def test_names_are_those_of_oculus_and_of_avatars() -> None:
    assert VISEMES[:3] == ("sil", "PP", "FF")
    assert MESH_NAMES[-4:] == ("viseme_E", "viseme_I", "viseme_O", "viseme_U")


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), amount=st.sampled_from([0.1, 0.5, 1.0]))
def test_weights_are_the_nearest_that_there_are(seed: int, amount: float) -> None:
    """Against scipy, one frame at a time; beyond a sum of 1 both are scaled."""
    faces = (amount * np.random.default_rng(seed).random((8, len(ARKIT_NAMES)))).astype(np.float32)
    nearest = np.stack([nnls(BASIS[1:, MOUTH].T.astype(float), face[MOUTH].astype(float))[0] for face in faces])
    nearest /= np.maximum(nearest.sum(axis=1, keepdims=True), 1.0)
    found = visemes_of(faces)
    np.testing.assert_allclose(found[:, 1:], nearest, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


@given(seed=st.integers(0, 2**32 - 1), amount=st.sampled_from([0.05, 0.5, 1.0]))
def test_vowels_alone_are_the_nearest_that_vowels_can_make(seed: int, amount: float) -> None:
    faces = (amount * np.random.default_rng(seed).random((4, len(ARKIT_NAMES)))).astype(np.float32)
    poses = BASIS[[VISEMES.index(name) for name in VOWELS]][:, MOUTH].T.astype(float)
    nearest = np.stack([nnls(poses, face[MOUTH].astype(float))[0] for face in faces])
    nearest /= np.maximum(nearest.sum(axis=1, keepdims=True), 1.0)
    np.testing.assert_allclose(vowels_of(faces), nearest, atol=1e-5)


def test_an_open_consonant_opens_a_mouth_of_vowels() -> None:
    assert vowels_of(BASIS[[VISEMES.index("kk")]]).sum() > 0.15
    np.testing.assert_allclose(vowels_of(BASIS[[VISEMES.index(name) for name in VOWELS]]), np.eye(5), atol=1e-6)
    assert not vowels_of(BASIS[:1]).any()


def test_a_face_at_rest_is_silent_whatever_its_brows_do() -> None:
    face = np.zeros((1, len(ARKIT_NAMES)), np.float32)
    face[0, [INDEX["browInnerUp"], INDEX["eyeBlinkLeft"]]] = 1.0
    assert visemes_of(face)[0, 0] == pytest.approx(1.0)


def test_a_moving_face_has_moving_visemes_without_jumps() -> None:
    """Active sets change from frame to frame; the weights they give must not."""
    faces = moving_faces(60, np.random.default_rng(3))
    between = (faces[:-1] + faces[1:]) / 2
    steps = np.abs(visemes_of(faces[:-1]) - visemes_of(between)).max(axis=1)
    halves = np.abs(visemes_of(between) - visemes_of(faces[1:])).max(axis=1)
    whole = np.abs(visemes_of(faces[:-1]) - visemes_of(faces[1:])).max(axis=1)
    assert np.all(np.maximum(steps, halves) <= whole + 0.12)
    assert whole.max() > 0.05
