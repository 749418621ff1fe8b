import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.corpus.coarticulation import CURVE
from facestream_models.live.losses import gap_of
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS, LiveNetwork, LiveShape, parameter_count
from tests.live.tiny import tiny_network

NETWORK = tiny_network()
AUDIO = 0.3 * torch.randn(2, HOP_SAMPLES * 40, generator=torch.Generator().manual_seed(1))


def streamed(network, audio, hops):
    state = network.fresh_state(len(audio))
    outputs, position = [], 0
    with torch.no_grad():
        for count in hops:
            piece = audio[:, position * HOP_SAMPLES : (position + count) * HOP_SAMPLES]
            output, state = network(piece, state)
            outputs.append(output)
            position += count
    return [torch.cat(parts, dim=1) for parts in zip(*outputs, strict=True)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_any_hops_give_what_the_whole_clip_gives(hops):
    whole = streamed(NETWORK, AUDIO, [sum(hops)] if sum(hops) <= 40 else [40])
    hops = hops if sum(hops) <= 40 else [13, 1, 26]
    for ours, reference in zip(streamed(NETWORK, AUDIO, hops), whole, strict=True):
        torch.testing.assert_close(ours, reference, atol=1e-5, rtol=0.0)


def test_a_forgotten_state_shows():
    # The control of the test above.
    whole = streamed(NETWORK, AUDIO, [40])[0]
    with torch.no_grad():
        late, _ = NETWORK(AUDIO[:, 20 * HOP_SAMPLES :], NETWORK.fresh_state(2))
    assert (late.curves - whole[:, 20 * HOP_STEPS :]).abs().max() > 1e-3


def test_a_step_depends_on_nothing_later():
    changed = AUDIO.clone()
    changed[:, 25 * HOP_SAMPLES :] = 0.0
    a, b = (streamed(NETWORK, audio, [40])[0] for audio in (AUDIO, changed))
    assert torch.equal(a[:, : 25 * HOP_STEPS], b[:, : 25 * HOP_STEPS])
    assert not torch.equal(a[:, 25 * HOP_STEPS :], b[:, 25 * HOP_STEPS :])


def test_rows_do_not_know_each_other():
    alone = streamed(NETWORK, AUDIO[1:], [40])[0]
    together = streamed(NETWORK, AUDIO, [40])[0][1:]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0.0)


def test_anatomy_holds_for_any_weights():
    for seed in range(5):
        curves = streamed(tiny_network(seed), AUDIO, [40])[0]
        assert float(curves.min()) >= 0.0
        assert float(curves.max()) <= 1.0
        assert bool((curves[..., CURVE["mouthClose"]] <= curves[..., CURVE["jawOpen"]]).all())


def test_a_full_seal_leaves_no_gap():
    network = tiny_network()
    with torch.no_grad():
        network.contacts.bias.copy_(torch.tensor([200.0, 0.0]))
    assert float(gap_of(streamed(network, AUDIO, [40])[0]).max()) < 1e-6


def test_the_shipped_shape_keeps_its_budget():
    network = LiveNetwork(LiveShape())
    state = sum(value.numel() for value in network.fresh_state(1).values())
    assert parameter_count(network) < 3.5e6
    assert 4 * state < 100_000  # bytes that are copied for every stream and step
    assert network.shape.lookahead_samples <= 1280
