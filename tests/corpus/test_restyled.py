"""More faces for the voices there are."""

import numpy as np
import pytest
from tests.corpus.spoken import sentence

from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.emotional_take import act_out
from facestream_models.corpus.prosody import pitch_of, prosody_of, quick_pitch_of
from facestream_models.corpus.restyled import heard_speaker, restyle, restyled
from facestream_models.corpus.speaking_style import style_of
from facestream_models.corpus.take_store import TakeWriter, iterate_takes

PROFILE = load_profile()
SEED = 5


@pytest.fixture(scope="module")
def takes():
    return [act_out(take_apart(sentence(n, syllables=5)), 3 * n, 0, "af_one#0", SEED, PROFILE) for n in (1, 2)]


def test_another_persona_has_the_same_sound_and_a_face_of_its_own(takes):
    take = takes[0]
    pitch = quick_pitch_of(take.utterance.audio)
    one, again, other = (restyled(take, pitch, persona, SEED, PROFILE) for persona in (1, 1, 2))
    for made in (one, other):
        np.testing.assert_array_equal(made.utterance.audio, take.utterance.audio)
        assert made.act == take.act
        assert made.motion.shape == take.motion.shape
        assert heard_speaker(made.speaker) == heard_speaker(take.speaker) == "af_one#0"
    np.testing.assert_array_equal(one.motion, again.motion)
    np.testing.assert_array_equal(one.traits, style_of("af_one#0/1", SEED).traits)
    assert len({take.key, one.key, other.key}) == len({take.speaker, one.speaker, other.speaker}) == 3
    for some, others in ((take, one), (one, other)):
        assert np.abs(some.motion - others.motion).max() > 0.05
        assert np.abs(some.head - others.head).max() > 0.005


@pytest.mark.parametrize("number", range(3))
def test_the_pitch_that_is_found_again_has_the_accents_of_the_slow_method(number):
    utterance = act_out(take_apart(sentence(10 + number, syllables=12)), 1, 0, "af_one#0", SEED, PROFILE).utterance
    found, slow = (prosody_of(utterance, track(utterance.audio)).accents[:, 0] for track in (quick_pitch_of, pitch_of))
    assert len(slow) >= 3
    near = [np.abs(found - time).min() < 0.1 for time in slow]
    assert np.mean(near) > 0.6
    assert abs(len(found) - len(slow)) <= 3


def test_takes_are_restyled_once_and_the_restyled_never(takes, tmp_path):
    with TakeWriter(tmp_path, "takes-p0", PROFILE.head_digest) as writer:
        for take in takes:
            writer.add(take)
    for personas in ((1,), (1, 2), (1, 2)):
        restyle(tmp_path, tmp_path, personas, SEED)
    keys = sorted(take.key for take in iterate_takes(tmp_path))
    assert keys == sorted(take.key + face for take in takes for face in ("", "/1", "/2"))
