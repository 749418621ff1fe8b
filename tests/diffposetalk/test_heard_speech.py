"""What the compact model hears beside phones: how loud it is."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.phones import CLASSES
from facestream_models.diffposetalk.compact import CompactSpeech, ContentMap
from facestream_models.diffposetalk.heard_speech import LEVELS, HeardSpeech, levels, louder
from facestream_models.live.content import LiveContent
from tests.live.tiny import TINY, tiny_network

NETWORK = tiny_network()
CONTENT_MAP = ContentMap(16, TINY.width + 2 * len(CLASSES) + LEVELS)
torch.nn.init.normal_(CONTENT_MAP.beats.out.weight, generator=torch.Generator().manual_seed(1))


def noise(frames, seed=0, size=0.1):
    return size * torch.randn(1, 640 * frames, generator=torch.Generator().manual_seed(seed))


def test_silence_has_no_level_and_thirty_decibels_below_full_scale_have_one():
    assert torch.equal(levels(torch.zeros(2, 640 * 5)), torch.zeros(2, 5, LEVELS))
    tone = torch.full((1, 640 * 5), 10 ** (-30 / 20))
    loud = levels(tone)
    torch.testing.assert_close(loud[:, :-1], torch.ones(1, 4, LEVELS))
    torch.testing.assert_close(loud[:, -1], torch.tensor([[1.0, 1.0, 0.0, 0.0]]))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**31))
def test_a_frame_hears_its_own_blocks_and_those_of_the_next(frames, seed):
    random = np.random.default_rng(seed)
    blocks = random.uniform(0.01, 1.0, size=2 * frames).astype(np.float32)
    found = levels(torch.from_numpy(np.repeat(blocks, 320))[None])[0].numpy()
    expected = (2.0 * np.log10(blocks) + 6.0) / 3.0
    np.testing.assert_allclose(found[:, :2].ravel(), expected, atol=1e-4)
    np.testing.assert_allclose(found[:-1, 2:].ravel(), expected[2:], atol=1e-4)


def test_phones_and_seals_are_those_of_the_content_alone():
    heard, content = HeardSpeech(NETWORK).eval(), LiveContent(NETWORK).eval()
    audio = noise(12)
    with torch.no_grad():
        whole, alone = heard(audio), content(audio)
        torch.testing.assert_close(whole[:, :, :-LEVELS], alone)
        torch.testing.assert_close(heard.phones(whole), content.phones(alone))
        torch.testing.assert_close(heard.seal(whole), content.seal(alone))
    torch.testing.assert_close(whole[:, :, -LEVELS:], levels(audio))


def test_louder_is_what_louder_audio_would_have_been():
    audio = torch.cat([noise(4), torch.zeros(1, 640 * 3)], dim=1)
    heard = torch.cat([noise(7, seed=1).reshape(1, 7, 640)[:, :, :9], levels(audio)], dim=2)
    moved = louder(heard, torch.tensor([0.6]))
    torch.testing.assert_close(moved[:, :, -LEVELS:], levels(10**0.3 * audio))
    assert torch.equal(moved[:, :, :9], heard[:, :, :9])
    assert float(louder(heard, torch.tensor([-9.0]))[:, :, -LEVELS:].abs().max()) == 0.0


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 2**31))
@torch.no_grad()
def test_hops_are_heard_as_the_whole_however_they_are_cut(cuts, seed):
    speech = CompactSpeech(HeardSpeech(NETWORK), CONTENT_MAP).eval()
    hops = sum(cuts)
    audio, state = noise(hops, seed), speech.fresh_state(1)
    whole, at_the_end = speech.hear(audio, state)
    parts = []
    for samples in audio.split([640 * count for count in cuts], dim=1):
        part, state = speech.hear(samples, state)
        parts.append(part)
    for name, expected in whole._asdict().items():
        torch.testing.assert_close(
            torch.cat([getattr(part, name) for part in parts], dim=1), expected, atol=1e-4, rtol=0
        )
    for name, expected in at_the_end.items():
        torch.testing.assert_close(state[name], expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_hops_are_heard_as_clips_are_a_hop_later():
    speech = CompactSpeech(HeardSpeech(NETWORK), CONTENT_MAP).eval()
    audio = torch.cat([torch.zeros(1, 640 * 28), noise(12)], dim=1)
    heard, _ = speech.hear(torch.nn.functional.pad(audio, (0, 640)), speech.fresh_state(1))
    clip = speech.content(audio)
    torch.testing.assert_close(heard.features[:, 1:], speech.features(clip), atol=1e-5, rtol=0)
    torch.testing.assert_close(heard.phone[:, 1:], speech.content.phones(clip), atol=1e-5, rtol=0)
    torch.testing.assert_close(heard.seal[:, 1:], speech.content.seal(clip), atol=1e-4, rtol=0)
    loud, _ = speech.hear(noise(12), speech.fresh_state(1))
    assert (loud.features[:, -8:] - heard.features[:, 33:41]).abs().max() > 1e-3  # beats count a second of silence
