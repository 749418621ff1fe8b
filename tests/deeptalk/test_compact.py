"""The words that the compact network hears: at once, hop by hop, and as `live` itself hears them."""

import pytest
import torch

from facestream_models.deeptalk.compact import LIPS_WIDTH, CompactContent
from facestream_models.live.content import LiveContent
from facestream_models.live.network import HOP_SAMPLES
from tests.live.tiny import tiny_network


@pytest.fixture(scope="module")
def content():
    return CompactContent(tiny_network()).eval()


def noise(hops):
    return 0.3 * torch.randn(2, hops * HOP_SAMPLES, generator=torch.Generator().manual_seed(hops))


@torch.no_grad()
def test_hops_heard_one_by_one_are_those_heard_at_once(content):
    audio = noise(23)
    whole = content.whole(audio)
    state, parts = content.network.fresh_state(2), []
    for samples in torch.nn.functional.pad(audio, (0, HOP_SAMPLES)).split([HOP_SAMPLES, 7 * HOP_SAMPLES] * 3, dim=1):
        heard, state = content.listen(samples, state)
        parts.append(heard)
    kept = (slice(1, None), slice(1, -1))
    for together, apart, rows in zip(whole, zip(*parts, strict=True), kept, strict=True):
        torch.testing.assert_close(torch.cat(apart, dim=1)[:, rows], together, atol=1e-5, rtol=0)
    assert set(state) == set(content.network.fresh_state(1))


@torch.no_grad()
def test_what_is_heard_is_what_live_hears(content):
    audio = noise(20)
    heard, plain = content.whole(audio), LiveContent(content.network)
    torch.testing.assert_close(heard.content[:, :, :-LIPS_WIDTH], plain(audio))
    torch.testing.assert_close(content(audio), heard.content)
    torch.testing.assert_close(heard.phone[:, 1::2], plain.phones(plain(audio)), msg="every other step is a frame's")
    output, _ = content.network(torch.nn.functional.pad(audio, (0, HOP_SAMPLES)), content.network.fresh_state(2))
    torch.testing.assert_close(heard.phone, torch.softmax(output.logits, dim=2)[:, 1:-1])
