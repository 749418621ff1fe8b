from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.spoken import sentence

from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotion_voice import Voice, VoiceShift, take_apart
from facestream_models.corpus.emotional_take import act_out
from facestream_models.corpus.other_voice import both, draw_other_voice

SHIFTS = st.builds(VoiceShift, *[st.floats(-0.4, 0.4)] * len(VoiceShift._fields))


@cache
def voice() -> Voice:
    return take_apart(sentence(1, syllables=4))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_another_voice_is_one_that_a_speaker_might_have(seed: int) -> None:
    shift = draw_other_voice(voice(), np.random.default_rng(seed))
    assert shift == draw_other_voice(voice(), np.random.default_rng(seed))
    before = float(np.median(voice().f0[voice().f0 > 0]))
    after = before * 2.0 ** (shift.pitch / 12.0)
    assert min(before, 74.9) <= after <= max(before, 290.1)
    assert abs(shift.tract) <= 0.14
    assert abs(shift.pitch) <= 5.0
    assert 0.0 <= shift.breath < 0.6
    # how loud it is, and what an act does to a phrase, are no part of a voice
    assert shift.level == shift.attack == shift.fall == shift.rise == shift.accents == shift.low_end == 0.0


def test_larger_speakers_have_lower_voices() -> None:
    drawn = [draw_other_voice(voice(), np.random.default_rng(seed)) for seed in range(300)]
    assert np.corrcoef([one.tract for one in drawn], [one.pitch for one in drawn])[0, 1] > 0.4


@given(SHIFTS, SHIFTS)
def test_shifts_one_after_the_other(first: VoiceShift, then: VoiceShift) -> None:
    together = both(first, then)
    assert together.pitch == first.pitch + then.pitch
    np.testing.assert_allclose(1.0 + together.tract, (1.0 + first.tract) * (1.0 + then.tract))
    np.testing.assert_allclose(1.0 + together.pace, (1.0 + first.pace) * (1.0 + then.pace))
    np.testing.assert_allclose(both(first, VoiceShift()), first, atol=1e-12)


def test_a_share_of_takes_is_in_another_voice() -> None:
    profile = load_profile()
    own, other = (act_out(voice(), 3, 0, "af_one#0", 5, profile, 25, other_voices=share) for share in (0.0, 1.0))
    assert own.act == other.act
    assert own.speaker == other.speaker
    assert len(own.utterance.audio) != len(other.utterance.audio)  # the pace of another speaker
