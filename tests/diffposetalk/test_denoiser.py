import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.diffposetalk.denoiser import Past, alignment_bias
from tests.diffposetalk.tiny import model, released, window_inputs


def reference(network, noisy, step, person, past, audio, indicator):
    return network.denoising_net(noisy, audio, person, past.motion, past.audio, step, indicator)


@pytest.mark.parametrize("head_rotation", [True, False])
@torch.no_grad()
def test_our_layers_say_what_torchs_own_layers_say(head_rotation):
    inputs = window_inputs(model(head_rotation), 3)
    network, theirs = model(head_rotation).denoiser, reference(released(head_rotation)[0], **inputs)
    for ours in (network(**inputs), network.masked(**inputs)):
        assert ours.shape == (3, 110, 54 if head_rotation else 51)
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 3), st.integers(0, 99))
@torch.no_grad()
def test_they_agree_on_any_window(rows, seed):
    inputs = window_inputs(model(window=12, past=4), rows, seed)
    network, theirs = model(window=12, past=4).denoiser, reference(released(window=12, past=4)[0], **inputs)
    for ours in (network(**inputs), network.masked(**inputs)):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=0.0)


@pytest.mark.parametrize("name", ["noisy", "step", "person", "past", "audio", "indicator"])
@torch.no_grad()
def test_every_input_counts(name):
    # The control of the tests above: they would not notice what the output ignores.
    network = model(window=12, past=4)
    inputs = window_inputs(network, 2)
    other = window_inputs(network, 2, seed=1)
    changed = network.denoiser(**(inputs | {name: other[name]}))
    assert (changed - network.denoiser(**inputs)).abs().max() > 1e-3


def test_the_person_hears_everything_and_a_frame_its_own_audio():
    bias = alignment_bias(110)
    assert bias.shape == (111, 110)
    allowed = bias == 0
    assert bool(allowed[0].all())
    assert torch.equal(allowed[1:], torch.eye(110, dtype=torch.bool))
    assert bool(bias[~allowed].isneginf().all())


@torch.no_grad()
def test_what_a_frame_hears_does_not_depend_on_the_frame():
    attention = model().denoiser.layers[0].cross_attention
    g = torch.Generator().manual_seed(0)
    memory = torch.randn(2, 110, 128, generator=g)
    one, other = torch.randn(2, 2, 111, 128, generator=g)
    bias = alignment_bias(110)
    heard, again = (attention.across(x, memory, bias) for x in (one, other))
    torch.testing.assert_close(heard[:, 1:], again[:, 1:], atol=1e-6, rtol=0.0)
    torch.testing.assert_close(heard[:, 1:], attention.of_one_key(memory), atol=1e-6, rtol=0.0)
    assert (heard[:, 0] - again[:, 0]).abs().max() > 1e-3  # the person's token does choose
    bias[1:, 1:].fill_diagonal_(0.0)  # two keys for the frames that follow: now they choose, too
    heard, again = (attention.across(x, memory, bias) for x in (one, other))
    assert (heard[:, 2:] - again[:, 2:]).abs().max() > 1e-3


@torch.no_grad()
def test_the_end_of_the_audio_reaches_the_network_by_the_indicator_alone():
    network = model()
    inputs = window_inputs(network, 1)
    whole = network.denoiser(**(inputs | {"indicator": torch.ones(1, 100)}))
    cut = network.denoiser(**(inputs | {"indicator": (torch.arange(100) < 99).float()[None]}))
    assert (whole - cut).abs().max() > 1e-4


def test_dropout_acts_in_training_only():
    network = model(window=12, past=4).denoiser
    inputs = window_inputs(model(window=12, past=4), 1)
    calm = network(**inputs)
    try:
        network.train()
        torch.manual_seed(0)
        assert (network(**inputs) - calm).abs().max() > 1e-2
    finally:
        network.eval()
    assert torch.equal(network(**inputs), calm)


@given(st.integers(1, 15), st.integers(1, 6))
def test_the_past_is_the_last_frames_however_few_come(count, past):
    stream = torch.arange(60.0).reshape(1, -1, 1)
    state = Past(stream[:, :past], 2 * stream[:, :past])
    for first in range(past, 45, count):
        new = stream[:, first : first + count]
        state = state.followed_by(new, 2 * new)
        expected = stream[:, first + count - past : first + count]
        assert torch.equal(state.motion, expected)
        assert torch.equal(state.audio, 2 * expected)
