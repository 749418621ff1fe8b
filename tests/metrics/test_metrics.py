import numpy as np
import pytest

from facestream_models.corpus.coarticulation import CURVE, lip_gap, speech_curves
from facestream_models.corpus.phones import CLASSES, INDEX, MERGED
from facestream_models.metrics.accuracy import accuracy, confusion, likeliest
from facestream_models.metrics.closure import bilabial_closures, false_closures
from facestream_models.metrics.correlation import curve_correlations, pearson
from facestream_models.metrics.false_motion import false_motion
from facestream_models.metrics.real_lips import lip_agreement, sealed_onsets
from facestream_models.metrics.segments import Segments
from facestream_models.metrics.sync import fine_sync_offset_ms, sync_offset_ms

LATE = 8  # frames: 160 ms; the tolerance of a closure is 30 ms on either side of a phone of 50-90 ms


@pytest.fixture(scope="module")
def sentence():
    """A random sentence of 200 phones with its curves."""
    random = np.random.default_rng(5)
    classes = random.integers(1, len(CLASSES), 200)
    ends = np.cumsum(random.integers(800, 1440, 200))
    starts = np.concatenate([[0], ends[:-1]])
    return Segments(classes, starts / 16_000, ends / 16_000), speech_curves(classes, starts, ends)


def late(curves):
    return np.concatenate([np.repeat(curves[:1], LATE, axis=0), curves[:-LATE]])


def shuffled(curves):
    return curves[np.random.default_rng(0).permutation(len(curves))]


def test_the_rules_close_all_bilabials_and_no_vowel(sentence):
    segments, curves = sentence
    gap = lip_gap(curves)
    assert bilabial_closures(gap, segments).mean() == 1.0
    assert false_closures(gap, segments).mean() == 0.0


@pytest.mark.parametrize("spoil", [late, shuffled, lambda curves: np.full_like(curves, 0.3)])
def test_closure_sees_motion_that_is_late_shuffled_or_always_open(sentence, spoil):
    segments, curves = sentence
    assert bilabial_closures(lip_gap(spoil(curves)), segments).mean() < 0.8


def test_a_mouth_that_never_opens_closes_vowels_falsely(sentence):
    segments, curves = sentence
    assert false_closures(np.zeros(len(curves)), segments).mean() == 1.0


def test_curves_agree_with_themselves_and_not_with_others(sentence):
    _, curves = sentence
    for value in curve_correlations([curves], [curves]).values():
        assert value == pytest.approx(1.0)
    for spoil in (late, shuffled):
        spoiled = curve_correlations([spoil(curves)], [curves])
        assert max(spoiled.values()) < 0.7
    assert abs(pearson(np.ones(9), np.arange(9.0))) == 0.0


def test_correlation_is_pooled_over_clips_of_any_length(sentence):
    _, curves = sentence
    whole = curve_correlations([late(curves)], [curves])
    cut = curve_correlations([late(curves)[:100], late(curves)[100:]], [curves[:100], curves[100:]])
    assert cut == pytest.approx(whole)


def test_accuracy_counts_merged_classes():
    truth = np.array([INDEX[name] for name in ("sil", "DD", "NN", "PP", "aa", "U")])
    heard = np.array([INDEX[name] for name in ("sil", "NN", "LL", "FF", "aa", "W")])
    found = accuracy(confusion(heard, truth))
    assert found.speech == pytest.approx(4 / 5)
    assert found.all == pytest.approx(5 / 6)
    assert len(set(MERGED)) == 14


def test_members_of_a_merged_class_stand_together():
    probabilities = np.zeros((2, 21))
    for name, share in (("aa", 0.4), ("DD", 0.35), ("NN", 0.25)):
        probabilities[0, INDEX[name]] = share
    probabilities[1] = probabilities[0]
    probabilities[1, INDEX["aa"]] += 0.3
    assert likeliest(probabilities).tolist() == [INDEX["DD"], INDEX["aa"]]


def test_accuracy_of_chance_is_low():
    random = np.random.default_rng(0)
    truth, heard = random.integers(0, len(CLASSES), (2, 20_000))
    assert accuracy(confusion(heard, truth)).speech < 0.2


@pytest.mark.parametrize("shift", [-3, 0, 4])
def test_sync_finds_the_lag(sentence, shift):
    _, curves = sentence
    gap = lip_gap(curves)
    assert sync_offset_ms([np.roll(gap, shift)], [gap]) == 20.0 * shift


@pytest.mark.parametrize("late_ms", [-33.0, -5.0, 0.0, 8.0, 47.0])
def test_fine_sync_finds_a_lag_between_frames(sentence, late_ms):
    _, curves = sentence
    gap = lip_gap(curves)
    frames = np.arange(len(gap), dtype=float)
    shifted = np.interp(frames - late_ms / 20.0, frames, gap)
    assert fine_sync_offset_ms([shifted], [gap]) == pytest.approx(late_ms, abs=4.0)


def test_frame_classes_follow_the_segments():
    segments = Segments(np.array([INDEX["aa"], INDEX["PP"]]), np.array([0.02, 0.06]), np.array([0.06, 0.10]))
    names = [CLASSES[label] for label in segments.frame_classes(7)]
    assert names == ["sil", "aa", "aa", "PP", "PP", "sil", "sil"]


def test_false_motion_of_rest_and_of_speech(sentence):
    _, curves = sentence
    assert false_motion(np.zeros(50)) == (0.0, 0.0, 0.0)
    assert false_motion(lip_gap(curves)).open > 0.5


def test_lips_agree_at_their_lag_and_not_with_other_lips(sentence):
    _, curves = sentence
    gap = lip_gap(curves)
    lips = [0.05 + 0.1 * np.roll(gap, 2)[:400], 0.05 + 0.1 * np.roll(gap, 2)[400:800]]
    found = lip_agreement([gap[:400], gap[400:800]], lips)
    assert found.r > 0.98
    assert found.lag_ms == -40.0
    assert lip_agreement([shuffled(gap)[:400], shuffled(gap)[400:800]], lips).r < 0.3


def test_sealed_onsets_need_a_closure_near_the_onset(sentence):
    segments, curves = sentence
    onsets = segments.starts[segments.classes == INDEX["PP"]]
    assert sealed_onsets(lip_gap(curves), onsets).all()
    opened = curves.copy()
    opened[:, CURVE["mouthClose"]] = 0.0
    assert sealed_onsets(lip_gap(opened) + 0.05, onsets).mean() == 0.0
