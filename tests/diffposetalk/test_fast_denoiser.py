import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from tests.diffposetalk.tiny import model, window_inputs

SMALL = {"window": 12, "past": 4}
FAST = FastDenoiser(model(**SMALL).denoiser)


def opened(fast, inputs):
    heard = fast.hear(inputs["past"].audio, inputs["audio"])
    return fast.open(inputs["person"], inputs["past"].motion, inputs["indicator"], heard)


def plain(network, inputs):
    return network.denoiser.masked(**inputs)[:, network.shape.past :]


@pytest.mark.parametrize("head_rotation", [True, False])
@torch.no_grad()
def test_cached_and_uncached_agree(head_rotation):
    network = model(head_rotation)
    fast = FastDenoiser(network.denoiser)
    inputs = window_inputs(network, 3)
    cached = fast(inputs["noisy"], inputs["step"], opened(fast, inputs))
    torch.testing.assert_close(cached, plain(network, inputs), atol=1e-5, rtol=0.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(0, 99))
@torch.no_grad()
def test_one_cache_serves_all_steps(rows, seed):
    network = model(**SMALL)
    inputs = window_inputs(network, rows, seed)
    window = opened(FAST, inputs)
    for step in (500, 251, 1):
        inputs["step"] = torch.full((rows,), step)
        inputs["noisy"] = inputs["noisy"].flip(1)
        cached = FAST(inputs["noisy"], inputs["step"], window)
        torch.testing.assert_close(cached, plain(network, inputs), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("name", ["step", "person", "past", "audio", "indicator"])
@torch.no_grad()
def test_a_cache_of_another_window_shows(name):
    # The control of the tests above: they would notice any part that is stale.
    network = model(**SMALL)
    inputs = window_inputs(network, 2)
    stale = inputs | {name: window_inputs(network, 2, seed=1)[name]}
    cached = FAST(inputs["noisy"], stale["step"], opened(FAST, stale))
    assert (cached - plain(network, inputs)).abs().max() > 1e-3


@torch.no_grad()
def test_branches_may_share_what_is_heard():
    network = model(**SMALL)
    inputs = window_inputs(network, 2)
    other = window_inputs(network, 2, seed=1)
    people = torch.cat([inputs["person"], other["person"], other["person"].flip(0)])
    # Three branches of two rows: the first two hear their own audio, the third one that of the other row.
    which = torch.tensor([0, 1, 0, 1, 1, 0])
    heard = FAST.hear(inputs["past"].audio, inputs["audio"]).rows(which)
    guesses = FAST(
        inputs["noisy"], inputs["step"], FAST.open(people, inputs["past"].motion, inputs["indicator"], heard)
    )
    for branch, (person, rows) in enumerate(zip(people.split(2), which.split(2), strict=True)):
        past = inputs["past"]._replace(audio=inputs["past"].audio[rows])
        expected = plain(network, inputs | {"person": person, "past": past, "audio": inputs["audio"][rows]})
        torch.testing.assert_close(guesses[2 * branch : 2 * branch + 2], expected, atol=1e-5, rtol=0.0)


@torch.no_grad()
def test_steps_are_embedded_once():
    denoiser = model(**SMALL).denoiser
    calls = []
    handle = denoiser.step.register_forward_hook(lambda *_: calls.append(1))
    fast = FastDenoiser(denoiser)
    inputs = window_inputs(model(**SMALL), 1)
    window = opened(fast, inputs)
    for step in range(1, 20):
        fast(inputs["noisy"], torch.tensor([step]), window)
    assert calls == [1]
    torch.testing.assert_close(fast.step_table[7], denoiser.step(denoiser.step_rows[7]), atol=1e-6, rtol=0.0)
    handle.remove()


@torch.no_grad()
def test_the_last_layer_is_computed_for_the_window_alone():
    network = model(**SMALL)
    widths = []
    layers = list(network.denoiser.layers)
    handles = [
        layer.feed_forward.register_forward_hook(lambda _, given, __: widths.append(given[0].shape[1]))
        for layer in layers
    ]
    inputs = window_inputs(network, 1)
    FAST(inputs["noisy"], inputs["step"], opened(FAST, inputs))
    assert widths == [17, 17, 12]
    for handle in handles:
        handle.remove()


@torch.no_grad()
def test_a_few_frames_behind_the_end_stand_for_all_that_are_alike(monkeypatch):
    network, end, short = copy.deepcopy(model(**SMALL)), 5, 7
    first = 1 + network.shape.past + end
    network.denoiser.positions[:, first:] = network.denoiser.positions[:, first : first + 1]
    fast, inputs = FastDenoiser(network.denoiser), window_inputs(network, 3)
    inputs["indicator"] = (torch.arange(network.shape.window) < end).float().expand(3, -1)
    for name in ("noisy", "audio"):
        inputs[name][:, end:] = inputs[name][:, end : end + 1]
    cut = inputs | {name: inputs[name][:, :short] for name in ("noisy", "audio", "indicator")}

    def guessed(given):
        return fast(given["noisy"], given["step"], opened(fast, given))[:, :end]

    torch.testing.assert_close(guessed(cut), guessed(inputs), atol=1e-5, rtol=0.0)
    # the control: they count once each
    monkeypatch.setattr(FastDenoiser, "_counts", lambda self, given: torch.zeros(len(given), 1, 1, first - end + short))
    assert (guessed(cut) - guessed(inputs)).abs().max() > 1e-2
