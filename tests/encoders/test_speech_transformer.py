import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.encoders.speech_transformer import (
    SpeechTransformer,
    SpeechTransformerShape,
    reflect_to_whole_frames,
)

SMALL = SpeechTransformerShape(
    channels=16, width=32, layers=2, heads=4, hidden=48, position_kernel=8, position_groups=4, dropout=0, layer_drop=0
)


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return SpeechTransformer(SMALL).eval()


@given(samples=st.integers(400, 9000))
@settings(max_examples=30, deadline=None)
def test_the_frame_count_is_known_before(small, samples):
    with torch.no_grad():
        assert small.features(torch.zeros(1, samples)).shape == (1, SMALL.frame_count(samples), 16)
    assert SMALL.frame_count(samples) == (samples - 400) // 320 + 1
    assert SMALL.receptive_samples == 400


@given(frames=st.integers(1, 9), every=st.integers(2, 4), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_frames_that_are_wanted_seldom_are_those_of_the_whole(frames, every, seed):
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        network = SpeechTransformer(SMALL).eval()
        for convolution in network.convolutions:
            torch.nn.init.normal_(convolution.weight, std=1.4 * convolution.weight[0].numel() ** -0.5)
        torch.nn.init.normal_(network.clip_norm.weight)
        torch.nn.init.normal_(network.clip_norm.bias)
        # sound with little treble, as speech has: some filters pass a thousandth of it
        waveform = torch.randn(2, 320 * every * frames).cumsum(dim=1)
        spaced = network.spaced_features(waveform, 320 * every)
        torch.testing.assert_close(spaced, network.features(waveform)[:, ::every], atol=5e-5, rtol=1e-4)
        # the control: sound that no frame hears counts, by the norm
        waveform[:, 420:430] += 3.0 * waveform.std()
        louder = network.spaced_features(waveform, 320 * every)
        torch.testing.assert_close(louder, network.features(waveform)[:, ::every], atol=5e-5, rtol=1e-4)
        assert not torch.allclose(louder, spaced, atol=1e-3)


@given(samples=st.integers(400, 9000))
def test_reflection_gives_every_whole_frame(samples):
    waveform = torch.arange(samples, dtype=torch.float32)[None]
    padded = reflect_to_whole_frames(waveform)
    added = padded.shape[1] - samples
    assert SMALL.frame_count(padded.shape[1]) == samples // 320
    assert added == {0: 0, 1: 40, 2: 80}[added // 40]
    assert torch.equal(padded[:, added // 2 : added // 2 + samples], waveform)


def test_reflecting_whole_frames_centres_them():
    waveform = torch.arange(640.0)[None]
    padded = reflect_to_whole_frames(waveform)
    assert padded.shape == (1, 720)
    assert padded[0, 20:40].tolist() == list(range(20, 0, -1))
    assert padded[0, :20].tolist() == list(range(0, 20)), "the second reflection mirrors the first"


def test_training_without_dropout_equals_use(small):
    waveform = torch.randn(2, 4000)
    with torch.no_grad():
        used = small(waveform)
    trained = small.train()(waveform)
    small.eval()
    torch.testing.assert_close(trained, used, atol=1e-5, rtol=0)


def test_rows_do_not_see_each_other(small):
    waveform = torch.randn(3, 4000)
    with torch.no_grad():
        torch.testing.assert_close(small(waveform)[1:2], small(waveform[1:2]), atol=1e-5, rtol=0)


def test_masked_frames_carry_nothing_of_their_audio(small):
    features = torch.randn(1, 12, 16)
    changed = features.clone()
    changed[0, 4] += 1.0
    masked = torch.zeros(1, 12, dtype=torch.bool)
    with torch.no_grad():
        assert not torch.allclose(small.context(features, masked), small.context(changed, masked))
        masked[0, 4] = True
        torch.testing.assert_close(small.context(features, masked), small.context(changed, masked))


def test_dropped_layers_change_training_only():
    torch.manual_seed(0)
    network = SpeechTransformer(SpeechTransformerShape(**{**vars(SMALL), "layer_drop": 0.5}))
    features = torch.randn(1, 9, 16)
    with torch.no_grad():
        trained = [network.train().context(features) for _ in range(12)]
        used = [network.eval().context(features) for _ in range(2)]
    assert any(not torch.equal(first, trained[0]) for first in trained)
    assert torch.equal(*used)
