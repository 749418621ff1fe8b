"""What the shipped model makes of the example clip: the frames themselves, and what anyone can see in them."""

import numpy as np
import pytest

from facestream.cli.demo import EXAMPLE
from facestream.cli.phones import read_phones
from facestream.curves import INDEX, sided
from facestream.types import Float32
from tests.golden.shipped_frames import golden_weights, make_weights

TOLERANCE = 0.01
"""Weights: processors sum floats in other orders, and the seal of the lips follows a threshold on what they give."""

FPS = 30
SHUT = 0.04
"""Lip gap of a closed mouth (the project's closure metric)."""


@pytest.fixture(scope="module")
def weights() -> Float32:
    return make_weights()


def lip_gap(weights: Float32) -> Float32:
    """`max(0, jawOpen - mouthClose + 0.30 mouthLowerDown + 0.25 mouthUpperUp)`, `[F]`."""
    lower = weights[:, sided("mouthLowerDown")].mean(axis=1)
    upper = weights[:, sided("mouthUpperUp")].mean(axis=1)
    gap = weights[:, INDEX["jawOpen"]] - weights[:, INDEX["mouthClose"]] + 0.30 * lower + 0.25 * upper
    return np.maximum(0, gap)


def share_shut(weights: Float32, shift_s: float = 0.0) -> float:
    """Share of the clip's p, b and m whose smallest gap within the phone and 30 ms around it is closed."""
    gap = lip_gap(weights)
    shut = []
    for phone in read_phones(EXAMPLE):
        if phone.phone in ("p", "b", "m"):
            first = round((phone.start_s - 0.03 + shift_s) * FPS)
            last = round((phone.end_s + 0.03 + shift_s) * FPS)
            shut.append(gap[max(first, 0) : last + 1].min() < SHUT)
    assert len(shut) > 15
    return float(np.mean(shut))


def test_the_shipped_model_still_makes_the_golden_frames(weights: Float32) -> None:
    np.testing.assert_allclose(weights, golden_weights(), atol=TOLERANCE)


def test_lips_meet_on_p_b_m_and_not_just_anywhere(weights: Float32) -> None:
    assert share_shut(weights) >= 0.8
    elsewhere = [share_shut(weights, shift_s) for shift_s in (-0.25, 0.2, 0.3)]
    assert np.mean(elsewhere) < share_shut(weights) - 0.3


def test_open_vowels_are_open(weights: Float32) -> None:
    gap = lip_gap(weights)
    middles = [
        round((phone.start_s + phone.end_s) / 2 * FPS)
        for phone in read_phones(EXAMPLE)
        if phone.phone in ("ae", "aa", "ay") and phone.end_s - phone.start_s > 0.07
    ]
    assert len(middles) >= 3
    assert (gap[middles] > SHUT).mean() >= 0.8


def test_the_mouth_rests_closed_before_and_after_speech(weights: Float32) -> None:
    assert lip_gap(weights[:3]).max() < SHUT
    np.testing.assert_array_equal(weights[-1], 0)
