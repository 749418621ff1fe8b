"""Convolutions over loudness that look back only, and alike wherever a window begins."""

import torch

from facestream_models.diffposetalk.voice_beats import CONTEXT, VoiceBeats

torch.manual_seed(0)
BEATS = VoiceBeats(8)
with torch.no_grad():
    BEATS.out.weight.normal_()
LEVELS = torch.rand(1, 80, 4, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_untrained_they_say_nothing():
    assert torch.equal(VoiceBeats(8)(LEVELS), torch.zeros(1, 80, 8))
    assert BEATS(LEVELS).abs().max() > 0.1


@torch.no_grad()
def test_frames_behind_enough_of_the_past_are_those_of_the_whole():
    whole = BEATS(LEVELS)
    torch.testing.assert_close(BEATS(LEVELS[:, 30:])[:, CONTEXT:], whole[:, 30 + CONTEXT :])
    assert not torch.allclose(BEATS(LEVELS[:, 30:])[:, CONTEXT - 1], whole[:, 30 + CONTEXT - 1])
    torch.testing.assert_close(BEATS(torch.cat([torch.zeros(1, 40, 4), LEVELS], dim=1))[:, 40:], whole)


@torch.no_grad()
def test_what_comes_later_does_not_count():
    later = LEVELS.clone()
    later[:, 50:] = 0.0
    torch.testing.assert_close(BEATS(later)[:, :50], BEATS(LEVELS)[:, :50])
    assert (BEATS(later)[:, 50] - BEATS(LEVELS)[:, 50]).abs().max() > 1e-3
