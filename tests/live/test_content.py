import torch

from facestream_models.corpus.phones import CLASSES, INDEX
from facestream_models.live.content import GATE_SHIFT, LiveContent
from facestream_models.live.network import HOP_SAMPLES, HOP_STEPS
from tests.live.tiny import TINY, tiny_network

CURVE_HOPS = 4
"""What the curve blocks remember: they begin anew with the content, one hop late."""


def test_phones_and_seal_are_those_of_the_network_at_each_frame() -> None:
    network = tiny_network()
    with torch.no_grad():
        network.contacts.bias.add_(3.0)  # lively, so that the gate counts beside the classes
    content = LiveContent(network).eval()
    waveform = 0.3 * torch.randn(2, 30 * HOP_SAMPLES, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        heard = content(waveform)
        output, _ = network(torch.nn.functional.pad(waveform, (0, HOP_SAMPLES)), network.fresh_state(2))
        phones, seal = content.phones(heard), content.seal(heard)
    classes = torch.softmax(output.logits, dim=2)[:, HOP_STEPS:]
    torch.testing.assert_close(phones, classes[:, ::HOP_STEPS])
    gates = torch.sigmoid(output.contacts[:, HOP_STEPS:, 0])
    first, second = (gates[:, step::HOP_STEPS] for step in range(HOP_STEPS))
    one, other = (classes[:, step::HOP_STEPS, INDEX["PP"]] for step in range(HOP_STEPS))
    expected = torch.maximum(torch.maximum(one, other), torch.minimum(first, second) - GATE_SHIFT)
    torch.testing.assert_close(seal[:, CURVE_HOPS:], expected[:, CURVE_HOPS:])
    by_gate = (seal > torch.maximum(one, other) + 0.01).float().mean()
    assert by_gate > 0.1


def test_a_bilabial_in_the_second_step_alone_shuts_the_lips() -> None:
    content = LiveContent(tiny_network())
    sounds = torch.full((1, 5, HOP_STEPS, len(CLASSES)), -20.0)
    sounds[:, :, :, INDEX["aa"]] = 0.0
    sounds[:, 2, 1] = -20.0
    sounds[:, 2, 1, INDEX["PP"]] = 0.0
    with torch.no_grad():
        content.network.contacts.bias.fill_(-20.0)  # the gate says nothing
        seal = content.seal(torch.cat([torch.zeros(1, 5, TINY.width), sounds.flatten(2)], dim=2))
    assert (seal[0] > 0.99).tolist() == [False, False, True, False, False]
    assert seal[0, [0, 1, 3, 4]].max() < 0.01
