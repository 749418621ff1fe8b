import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.coarticulation import CURVE, CURVES, contacts, lip_gap, speech_curves
from facestream_models.corpus.phones import CLASSES, INDEX, SILENCE

PHONES = st.lists(
    st.tuples(st.integers(0, len(CLASSES) - 1), st.integers(480, 6400)),  # class, 30-400 ms in samples
    min_size=1,
    max_size=25,
)


def arranged(phones):
    classes = np.array([label for label, _ in phones])
    ends = np.cumsum([length for _, length in phones])
    return classes, np.concatenate([[0], ends[:-1]]), ends


def said(*names, length=1600):
    return arranged([(INDEX[name], length) for name in names])


@settings(max_examples=60, deadline=None)
@given(PHONES)
def test_any_phones_give_weights_with_the_jaw_bounding_the_closure(phones):
    curves = speech_curves(*arranged(phones))
    assert curves.shape[1] == len(CURVES)
    assert np.isfinite(curves).all()
    assert curves.min() >= 0.0
    assert curves.max() <= 1.0
    assert (curves[:, CURVE["mouthClose"]] <= curves[:, CURVE["jawOpen"]] + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(PHONES, st.integers(0, 24), st.integers(800, 4000))
def test_lips_meet_in_every_bilabial_whatever_is_around_it(phones, place, length):
    place = min(place, len(phones))
    classes, starts, ends = arranged([*phones[:place], (INDEX["PP"], length), *phones[place:]])
    gap = lip_gap(speech_curves(classes, starts, ends))
    within = (np.arange(len(gap)) * 320 >= starts[place] - 190) & (np.arange(len(gap)) * 320 <= starts[place] + 280)
    assert gap[within].min() < 1e-6


def test_open_vowels_do_not_close_the_lips():
    # The control of the test above: the same place without a bilabial stays open.
    classes, starts, ends = said("aa", "DD", "aa")
    gap = lip_gap(speech_curves(classes, starts, ends))
    assert gap[int(starts[1] / 320) : int(ends[1] / 320)].min() > 0.1


def test_silence_is_a_closed_calm_mouth():
    assert np.all(speech_curves(*arranged([(SILENCE, 32_000)])) == 0.0)


def test_the_mouth_rests_in_a_long_pause_and_opens_before_the_next_sound():
    classes, starts, ends = arranged([(INDEX["aa"], 3200), (SILENCE, 32_000), (INDEX["PP"], 1600), (INDEX["aa"], 3200)])
    gap = lip_gap(speech_curves(classes, starts, ends))
    onset = ends[1] // 320
    assert gap[60] < 0.01
    assert gap[onset - 8 : onset - 4].max() > 0.08
    assert gap[onset : onset + 2].min() < 1e-6


def test_lower_lip_is_under_the_teeth_in_f_and_v():
    curves = speech_curves(*said("aa", "FF", "aa"))
    assert curves[6, CURVE["mouthRollLower"]] >= 0.44
    assert curves[6, CURVE["jawOpen"]] < 0.6 * curves[2, CURVE["jawOpen"]]


def test_rounding_begins_before_the_rounded_vowel():
    curves = speech_curves(*said("I", "SS", "DD", "U"))
    pucker = curves[:, CURVE["mouthPucker"]]
    assert pucker[14] > 1.5 * pucker[10] > 0.0
    assert pucker[17] > 0.4


def test_onset_r_narrows_the_mouth_and_final_r_does_not():
    onset = lip_gap(speech_curves(*said("aa", "RR", "aa")))[7]
    final = lip_gap(speech_curves(*said("aa", "RR", "DD")))[7]
    assert onset < 0.7 * final


def test_louder_vowels_open_the_jaw_wider():
    classes, starts, ends = said("aa", "DD", "aa", "DD", "aa", "sil")
    audio = np.ones(ends[-1])
    audio[: ends[0]] *= 0.1
    jaw = speech_curves(classes, starts, ends, audio)[:, CURVE["jawOpen"]]
    assert jaw[2:4].mean() < 0.85 * jaw[12:14].mean()
    even = speech_curves(classes, starts, ends)[:, CURVE["jawOpen"]]
    assert even[2:4].mean() == pytest.approx(even[12:14].mean(), rel=0.15)


def test_a_long_text_is_the_same_whether_blended_whole_or_alone():
    # The blend is computed in blocks with a limited reach: far phones must not matter.
    phones = [(label % len(CLASSES), 1600) for label in range(7, 300)]
    classes, starts, ends = arranged(phones)
    whole = speech_curves(classes, starts, ends)
    part = speech_curves(classes[100:150], starts[100:150] - starts[100], ends[100:150] - starts[100])
    first = starts[100] // 320
    np.testing.assert_allclose(whole[first + 60 : first + 190], part[60:190], atol=1e-3)


def test_contacts_are_what_the_rules_enforce():
    segments = said("aa", "PP", "aa", "FF", "aa")
    made = contacts(*segments, frames=25)
    assert made[5:8, 0].max() == 1.0
    assert made[15:18, 1].max() == 1.0
    assert made[[0, 24]].max() == 0.0


@pytest.mark.parametrize("ends", [[1600, 1600], [1600]])
def test_phones_out_of_order_are_refused(ends):
    with pytest.raises(ValueError, match="every end after its start"):
        speech_curves(np.array([1, 2]), np.array([0, 1600]), np.array(ends))
