import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import AudioError, InvalidValue
from facestream_models.deeptalk.audio import (
    audible_frames,
    content_waveform,
    emotion_waveform,
    pad_to_codes,
    padded_frames,
)
from facestream_models.encoders.speech_transformer import SpeechTransformerShape
from tests.deeptalk.small import SMALL, small_system


@pytest.fixture(scope="module")
def system():
    return small_system()


@given(samples=st.integers(1, 48 * 16_000))
def test_padding_gives_whole_codes_and_always_a_little_more_than_the_audio(samples):
    frames = padded_frames(samples)
    assert frames % 4 == 0
    assert 1 <= frames - samples * 25 // 16_000 <= 4
    assert samples < frames * 640
    assert 0 <= audible_frames(samples) * 640 - samples < 640
    assert audible_frames(samples) <= frames


def test_audio_without_length_or_of_a_minute_is_refused():
    for samples in (0, 1_196 * 640 + 2_560):
        with pytest.raises(AudioError, match="1 to 765440 samples"):
            pad_to_codes(torch.zeros(1, samples))
    assert pad_to_codes(torch.zeros(1, 765_440)).shape == (1, 768_000)


def test_rows_are_normalised_each_for_itself():
    waveform = torch.stack([torch.randn(2_560), 9.0 + 0.01 * torch.randn(2_560)])
    for normalise in (content_waveform, emotion_waveform):
        rows = normalise(waveform)
        torch.testing.assert_close(rows[1:], normalise(waveform[1:]))
        torch.testing.assert_close(rows.mean(dim=1), torch.zeros(2), atol=1e-3, rtol=0)
    assert emotion_waveform(waveform)[1].std() < content_waveform(waveform)[1].std(), "the floors differ"


@given(codes=st.integers(1, 300))
def test_every_other_frame_is_what_resampling_with_aligned_ends_gives(codes):
    frames = SpeechTransformerShape().frame_count(2_560 * codes)
    assert frames == 8 * codes - 1
    features = torch.randn(1, 2, frames)
    resampled = torch.nn.functional.interpolate(features, 4 * codes, mode="linear", align_corners=True)
    torch.testing.assert_close(features[..., ::2], resampled, atol=1e-4, rtol=0)


def test_training_without_dropout_equals_use(system):
    """With the released weights' batch norms at their running figures: those are what use means."""
    waveform = pad_to_codes(0.1 * torch.randn(2, 6_000))
    quiet = torch.zeros(2, 3, 32)
    actor = torch.eye(32)[:2]
    with torch.no_grad():
        emotion = system.hear_emotion(waveform)
        used = system(waveform, emotion.mean, actor, quiet, quiet.repeat(1, 2, 1))
    system.train()
    system.prior.eval()
    heard = system.hear_emotion(waveform)
    trained = system(waveform, heard.mean, actor, quiet, quiet.repeat(1, 2, 1))
    system.eval()
    for before, after in zip((*emotion, *used), (*heard, *trained), strict=True):
        torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


def test_a_clip_has_the_frames_of_its_audio_and_rows_are_independent(system):
    waveform = 0.1 * torch.randn(3, 7_001)
    motion = system.clip(waveform, actor=4)
    assert motion.shape == (3, 11, 53)
    torch.testing.assert_close(system.clip(waveform[1:2], actor=4), motion[1:2], atol=1e-5, rtol=0)
    assert system.clip(waveform, raw=True).shape == (3, 12, 53)


def test_emotion_and_actor_reach_the_logits(system):
    content = torch.randn(1, 8, SMALL.generator.content)
    emotions = torch.nn.functional.normalize(torch.randn(2, 128))
    actors = torch.eye(32)
    with torch.no_grad():
        base = system.generator.face_features(content, emotions[:1], actors[:1])
        assert not torch.allclose(base, system.generator.face_features(content, emotions[1:], actors[:1]))
        assert not torch.allclose(base, system.generator.face_features(content, emotions[:1], actors[3:4]))
    with pytest.raises(InvalidValue, match="actor: got 32; allowed: 0 to 31"):
        system.clip(torch.zeros(1, 4_000), actor=32)


def test_speech_beyond_the_horizon_does_not_change_the_emotion(system):
    features = torch.randn(1, 90, 48)
    longer = torch.cat([features[:, :60], torch.randn(1, 30, 48)], dim=1)
    with torch.no_grad():
        first, second = system.emotion.embedding(features), system.emotion.embedding(longer)
        shorter = system.emotion.embedding(features[:, :50])
    assert torch.equal(first.mean, second.mean)
    assert not torch.allclose(first.mean, shorter.mean)


def test_a_training_step_teaches_both_predictors_and_leaves_the_prior(system):
    system.prior.requires_grad_(False)
    content = torch.randn(2, 8, SMALL.generator.content)
    emotion = torch.nn.functional.normalize(torch.randn(2, 128))
    face = system.generator.face_features(content, emotion, torch.eye(32)[:2])
    made = system.generator.train_step(face, system.prior, temperature=1.0)
    made.motion.square().mean().backward()
    for part in (system.generator.top, system.generator.bottom, system.generator.emotion, system.generator.content):
        assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in part.parameters()
                   if parameter.ndim > 1)  # fmt: skip
    assert all(parameter.grad is None for parameter in system.prior.parameters())
    system.generator.zero_grad()
    system.prior.requires_grad_(True)
