import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import INDEX
from facestream_bench.plausible_faces import moving_faces
from facestream_bench.quality_systems import curves_of
from facestream_bench.seen_face import READ_FRAMES, to_50_hz
from facestream_models.deeptalk.audio import CODE_SAMPLES


def noise(samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9000), st.integers(0, 100))
def test_50_hz_frames_lie_on_the_lines_between_25_hz_frames(samples, seed):
    frames = -(-samples // 640)
    motion = np.random.default_rng(seed).normal(size=(frames, 3)).astype(np.float32)
    shown = to_50_hz(motion, samples)
    assert len(shown) == samples // 320 + 1
    assert np.array_equal(shown[::2][:frames], motion[: len(shown[::2])])
    between = 0.5 * (motion[:-1] + motion[1:])
    np.testing.assert_allclose(shown[1::2][: frames - 1], between[: len(shown[1::2])], atol=1e-6)
    assert np.array_equal(shown[2 * frames - 1 :], np.repeat(motion[-1:], max(len(shown) - 2 * frames + 1, 0), axis=0))


def test_the_likeliest_motion_is_one_and_samples_are_many(actor):
    audio = noise(14_000)
    likeliest = actor.move(audio)
    assert likeliest.values.shape == (22, 53)
    assert len(likeliest.bottom) == 2 * len(likeliest.top)
    assert np.array_equal(actor.move(audio).values, likeliest.values)
    one, other = actor.move(audio, None, 1), actor.move(audio, None, 2)
    assert np.array_equal(actor.move(audio, None, 1).values, one.values)
    assert not np.array_equal(one.top, other.top)
    cold = actor.move(audio, None, 1, 1e-4)
    assert np.array_equal(cold.top, likeliest.top)
    assert np.array_equal(cold.values, likeliest.values)


def test_the_emotion_is_the_speechs_own_unless_one_is_given(actor):
    audio = noise(30_000)
    own = actor.hear(audio).mean
    assert np.array_equal(actor.move(audio, own).values, actor.move(audio).values)
    assert not np.array_equal(actor.move(audio, -own).values, actor.move(audio).values)


def test_emotion_is_heard_in_the_middle_of_the_speech(actor):
    audio = noise(12 * CODE_SAMPLES)
    edges = audio.copy()
    edges[: 2 * CODE_SAMPLES] = edges[-2 * CODE_SAMPLES :] = 0.0
    assert np.array_equal(actor.hear(audio, 0.32).mean, actor.hear(edges, 0.32).mean)
    assert not np.array_equal(actor.hear(audio).mean, actor.hear(edges).mean)
    speech = audio[2 * CODE_SAMPLES : -2 * CODE_SAMPLES]
    assert np.array_equal(actor.hear(edges).mean, actor.hear(speech).mean), "silence around it is not heard"
    assert actor.hear(audio[:100]).mean.shape == actor.hear(audio).mean.shape


def test_a_face_gives_back_the_weights_that_its_motion_was_made_of(face):
    weights = moving_faces(60, np.random.default_rng(2))
    weights[:, INDEX["tongueOut"]] = 0.0  # no part of the motion of 53
    motion = face.profile.motion_of(weights)
    np.testing.assert_allclose(face.weights(motion), weights, atol=0.05)
    heard = face.heard_50_hz(motion, 59 * 320)
    np.testing.assert_allclose(heard.curves, curves_of(weights), atol=0.05)
    shown = face.heard_weights(weights, 59 * 320)
    assert np.array_equal(shown.classes, heard.classes)


@pytest.mark.parametrize("frames", [1, READ_FRAMES - 1, READ_FRAMES, READ_FRAMES + 7])
def test_every_frame_is_read_in_whole_windows(face, frames):
    motion = face.profile.motion_of(moving_faces(frames, np.random.default_rng(3)))
    read = face.visemes(motion)
    assert read.shape == (frames,)
    last = motion[-min(frames, READ_FRAMES) :]
    assert np.array_equal(read[-len(last) :], face.visemes(last))
