import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import InvalidValue
from facestream.motion.diffposetalk.guidance import Branch, Guidance
from facestream_models.diffposetalk.threshold import DynamicThreshold

NOTHING, AUDIO, STYLE, BOTH = Branch(False, False), Branch(True, False), Branch(False, True), Branch(True, True)
scales = st.floats(0.0, 10.0)
answers = st.lists(st.floats(-5, 5), min_size=4, max_size=4)


def combined(guidance, y, has_style=True):
    return sum(weight * y[branch] for branch, weight in guidance.weights(has_style=has_style).items())


@given(scales, scales, answers)
def test_the_weights_are_those_of_the_formulas(audio, style, values):
    y = dict(zip((NOTHING, AUDIO, STYLE, BOTH), values, strict=True))
    y0, y1, y2, y2_alone = y[NOTHING], y[AUDIO], y[BOTH], y[STYLE]
    expected = y0 + audio * (y1 - y0) + style * (y2 - y1)
    assert combined(Guidance(audio, style), y) == pytest.approx(expected, abs=1e-9)
    expected = y0 + audio * (y1 - y0) + style * (y2_alone - y0)
    assert combined(Guidance(audio, style, "independent"), y) == pytest.approx(expected, abs=1e-9)
    assert combined(Guidance(audio, style), y, has_style=False) == pytest.approx(y0 + audio * (y1 - y0), abs=1e-9)


@pytest.mark.parametrize(
    ("guidance", "has_style", "branches"),
    [
        (Guidance(), True, {NOTHING, AUDIO, BOTH}),
        (Guidance(audio_scale=1.0), True, {AUDIO, BOTH}),
        (Guidance(1.0, 1.0), True, {BOTH}),
        (Guidance(2.0, 2.0), True, {NOTHING, BOTH}),
        (Guidance(1.0, 0.0), True, {AUDIO}),
        (Guidance(0.0, 0.0), True, {NOTHING}),
        (Guidance(1.15, 3.0, "independent"), True, {NOTHING, AUDIO, STYLE}),
        (Guidance(0.5, 0.5, "independent"), True, {AUDIO, STYLE}),
        (Guidance(), False, {NOTHING, AUDIO}),
        (Guidance(1.0, 3.0), False, {AUDIO}),
    ],
)
def test_branches_that_count_for_nothing_are_dropped(guidance, has_style, branches):
    assert set(guidance.weights(has_style=has_style)) == branches


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audio_scale": -0.1}, "audio_scale: got -0.1; allowed: 0 to 10"),
        ({"style_scale": 10.5}, "style_scale: got 10.5; allowed: 0 to 10"),
        ({"style_scale": float("nan")}, "style_scale: got nan"),
        ({"mode": "joint"}, "mode: got joint; allowed: incremental or independent"),
    ],
)
def test_guidance_out_of_range_is_refused(changes, message):
    with pytest.raises(InvalidValue, match=message):
        Guidance(**changes)


HEAD = slice(50, 53)
GUESS = (
    torch.randn(3, 100, 54, generator=torch.Generator().manual_seed(5)) * torch.tensor([0.2, 1.0, 5.0])[:, None, None]
)


def test_a_guess_is_clamped_to_its_own_quantile():
    clamped = DynamicThreshold()(GUESS, HEAD)
    for row, before in zip(clamped.numpy(), GUESS.numpy(), strict=True):
        bound = min(max(np.quantile(np.abs(before), 0.99), 1.0), 4.0)
        np.testing.assert_allclose(row, np.clip(before, -bound, bound), atol=1e-4)
    largest = clamped.abs().amax(dim=(1, 2))
    assert largest[0] < 1.0  # within the least bound: nothing to clamp
    assert 1.0 < largest[1] < GUESS[1].abs().max()
    assert largest[2] == 4.0


def test_head_rotation_may_be_spared():
    clamped = DynamicThreshold(spares_head=True)(GUESS, HEAD)
    assert torch.equal(clamped[..., HEAD], GUESS[..., HEAD])
    assert torch.equal(clamped[..., :50], DynamicThreshold()(GUESS, HEAD)[..., :50])
    assert not torch.equal(DynamicThreshold()(GUESS, HEAD)[..., HEAD], GUESS[..., HEAD])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ratio": 0.0}, "threshold.ratio: got 0.0"),
        ({"ratio": 1.1}, "threshold.ratio: got 1.1"),
        ({"least": 0.0}, "threshold.least: got 0.0"),
        ({"least": 5.0}, "at most threshold.most = 4.0"),
    ],
)
def test_a_threshold_out_of_range_is_refused(values, message):
    with pytest.raises(InvalidValue, match=message):
        DynamicThreshold(**values)
