import numpy as np
import torch

from facestream_models.corpus.phones import INDEX
from facestream_models.corpus.store import Utterance
from facestream_models.live.calibrate import apply_setting, choose_setting
from facestream_models.live.losses import gap_of
from tests.live.tiny import tiny_network


def speech():
    names = ("sil", "aa", "PP", "aa", "sil")
    ends = np.arange(1, 6, dtype=np.int32) * 3200
    audio = np.random.default_rng(0).integers(-9000, 9000, ends[-1]).astype(np.int16)
    classes = np.array([INDEX[name] for name in names], np.int8)
    return [Utterance("x", "test", "en", "v", "", audio, names, classes, (ends - 3200).astype(np.int32), ends)]


def test_settings_are_ranked_and_false_closures_outweigh_all():
    ranked = choose_setting(tiny_network(), speech())
    merits = [setting.merit for setting in ranked]
    assert merits == sorted(merits, reverse=True)
    assert ranked[0]._replace(false_closure=0.2).merit < ranked[0]._replace(false_closure=0.0).merit - 3.0


def test_applying_a_setting_moves_only_the_seal():
    pcm = 0.2 * torch.randn(1, 640 * 10, generator=torch.Generator().manual_seed(0))
    before, after = tiny_network(), tiny_network()
    apply_setting(after, choose_setting(before, speech())[0]._replace(sharpness=2.0, shift=1.0))
    with torch.no_grad():
        one, _ = before(pcm, before.fresh_state(1))
        two, _ = after(pcm, after.fresh_state(1))
    torch.testing.assert_close(two.contacts[..., 0], 2.0 * (one.contacts[..., 0] + 1.0))
    assert torch.equal(two.contacts[..., 1], one.contacts[..., 1])
    assert torch.equal(two.raw, one.raw)
    lifted = two.contacts[..., 0] > one.contacts[..., 0]
    assert bool((gap_of(two.curves)[lifted] <= gap_of(one.curves)[lifted] + 1e-6).all())
