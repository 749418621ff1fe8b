import pytest
import torch
from torch.nn import functional as F

from facestream_models.diffposetalk.speech import normalised
from facestream_models.encoders.speech_transformer import reflect_to_whole_frames
from tests.diffposetalk.tiny import model

SPEECH = model().speech
WAVEFORM = torch.randn(2, 64_000, generator=torch.Generator().manual_seed(1))


def convolved(waveform):
    return SPEECH.encoder.features(reflect_to_whole_frames(waveform))


@torch.no_grad()
def test_four_seconds_are_200_frames_and_100_frames_of_video():
    assert SPEECH.encoder(reflect_to_whole_frames(WAVEFORM)).shape == (2, 200, 32)
    assert SPEECH(WAVEFORM).shape == (2, 100, 128)


@pytest.mark.parametrize("frames", [1, 2, 7, 33])
@torch.no_grad()
def test_any_count_of_frames_comes_out_exact(frames):
    assert SPEECH(WAVEFORM[:, : 640 * frames]).shape[1] == frames


@torch.no_grad()
def test_the_mean_of_pairs_is_the_released_resize():
    context = SPEECH.encoder(reflect_to_whole_frames(WAVEFORM))
    resized = F.interpolate(context.transpose(1, 2), size=100, mode="linear", align_corners=False)
    torch.testing.assert_close(SPEECH(WAVEFORM), SPEECH.map(resized.transpose(1, 2)), atol=1e-6, rtol=0.0)
    shifted = SPEECH.map(context[:, 1::2])  # the control
    assert (SPEECH(WAVEFORM) - shifted).abs().max() > 1e-3


@pytest.mark.parametrize("sample", [31_680, 31_840, 32_000, 32_159, 32_320])
@torch.no_grad()
def test_a_click_is_heard_in_its_own_frames_only(sample):
    # Feature k is centred on sample 320 k + 160 and hears 200 samples to either side: frame i of the video, the
    # pair 2 i and 2 i + 1, is centred on sample 640 i + 320, so nothing is early or late.
    click = torch.zeros(1, 64_000)
    click[0, sample] = 1.0
    heard = (convolved(click) - convolved(click).median(dim=1, keepdim=True).values).abs().amax(dim=2)[0]
    touched = torch.nonzero(heard > 1e-6).flatten().tolist()
    centres = [k for k in range(200) if -200 <= sample - (320 * k + 160) < 200]
    assert touched == centres


@torch.no_grad()
def test_audio_is_normalised_over_its_whole_length():
    loud = 40.0 + 3.0 * WAVEFORM
    calm = normalised(loud)
    torch.testing.assert_close(calm.mean(dim=1), torch.zeros(2), atol=1e-5, rtol=0.0)
    expected = (loud - loud.mean(1, keepdim=True)) / (loud.var(1, keepdim=True, unbiased=True).sqrt() + 1e-5)
    torch.testing.assert_close(calm, expected, atol=1e-5, rtol=0.0)
    assert bool(torch.isfinite(normalised(torch.zeros(1, 640))).all())


def test_what_is_frozen_has_no_gradient():
    speech = model(window=12, past=4).speech
    try:
        speech.freeze_lower()
        still = {name.split(".")[0] for name, p in speech.encoder.named_parameters() if not p.requires_grad}
        assert still == {"convolutions", "clip_norm", "feature_norm", "project", "layers"}
        trained = [all(p.requires_grad for p in layer.parameters()) for layer in speech.encoder.layers]
        assert trained == [False, False, True]
        assert speech.map.weight.requires_grad
    finally:
        speech.requires_grad_(True)
