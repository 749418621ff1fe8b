import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from facestream_models.corpus.coarticulation import CURVES, contacts, lip_gap, speech_curves
from facestream_models.corpus.phones import CLASSES, INDEX, SILENCE
from facestream_models.corpus.store import CorpusWriter, Utterance
from facestream_models.live.data import Batch, Material, Mixture, Unchanged
from facestream_models.live.losses import LiveLoss, LossWeights, gap_of, lips_disagreement
from facestream_models.live.network import LiveOutput
from facestream_models.live.stage import build_live
from facestream_models.live.weights import load_network
from tests.live.tiny import TINY

RANDOM = np.random.default_rng(0)


def utterance(key, names=("sil", "aa", "PP", "I", "sil"), source="kokoro"):
    classes = np.array([INDEX[name] for name in names], np.int8)
    ends = np.cumsum(RANDOM.integers(1000, 4000, len(names))).astype(np.int32)
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int32)
    audio = np.zeros(ends[-1], np.int16)
    for label, start, end in zip(classes, starts, ends, strict=True):
        if label != SILENCE:  # every class is a tone of its own
            audio[start:end] = 8000 * np.sin(np.arange(end - start) * 0.05 * (1 + label))
    return Utterance(key, source, "en", "v", "", audio, tuple("x" * len(names)), classes, starts, ends)


def material():
    made = Material(TINY.bands, np.random.default_rng(1), noises=2)
    for number in range(6):
        made.add(utterance(str(number)))
    made.add(utterance("quiet", ("sil",)))
    return made


def test_batches_hold_windows_of_the_asked_length_with_targets_that_fit():
    batch = material().batch(5, 60, Mixture(negatives=0.0))
    assert batch.power.shape == (5, 120, TINY.bands)
    assert batch.classes.shape == (5, 60, len(CLASSES))
    assert batch.curves.shape == (5, 60, len(CURVES))
    torch.testing.assert_close(batch.classes.sum(dim=2), torch.ones(5, 60), atol=2e-3, rtol=0.0)
    assert bool(torch.isnan(batch.lips).all())
    assert bool((batch.labelled == 1.0).all())


def test_noise_alone_asks_for_a_shut_mouth():
    batch = material().batch(4, 60, Mixture(negatives=1.0))
    assert float(batch.curves.abs().max()) == 0.0
    assert bool((batch.classes[..., SILENCE] == 1.0).all())


def test_spliced_windows_change_the_order_but_not_what_is_heard_of_a_phone():
    made = Material(TINY.bands, np.random.default_rng(1), noises=2)
    made.augment = Unchanged(TINY.bands, made.random)
    for number in range(3):
        phones = RANDOM.permutation(["aa", "PP", "I", "O", "SS", "FF", "E", "KK", "W", "U"])
        made.add(utterance(str(number), ("sil", *phones, "sil")))
    whole, spliced = (made.batch(24, 80, Mixture(negatives=0.0, lips=0.0, spliced=share)) for share in (0.0, 1.0))

    def heard(batch, name):
        """Loudest bands while the class lasts, away from its edges."""
        label = batch.classes.argmax(dim=2) == INDEX[name]
        inside = label & torch.roll(label, 1, 1) & torch.roll(label, -1, 1)
        inside[:, [0, -1]] = False
        return batch.power[:, ::2].argmax(dim=2)[inside]

    for name in ("aa", "PP", "I"):
        usual = heard(whole, name).mode().values
        assert float((heard(whole, name) == usual).float().mean()) > 0.8
        assert float((heard(spliced, name) == usual).float().mean()) > 0.8

    def neighbours(batch):
        labels = batch.classes.argmax(dim=2)
        return {(int(a), int(b)) for a, b in zip(labels[:, :-1].flatten(), labels[:, 1:].flatten(), strict=True)}

    assert neighbours(spliced) - neighbours(whole)

    def unheard(pieces):
        """How often one class follows another that it never follows in a whole utterance."""
        batch = made.batch(24, 80, Mixture(negatives=0.0, lips=0.0, spliced=1.0, pieces=pieces))
        labels = batch.classes.argmax(dim=2)
        known = neighbours(whole)
        return sum((int(a), int(b)) not in known for row in labels for a, b in pairwise(row))

    assert unheard((4, 8)) > 1.5 * unheard((40, 60))


def test_measured_lips_come_without_phones_until_the_phones_are_known():
    made = material()
    made.add_lips("clip", np.zeros(48_000, np.float32), np.linspace(0, 0.1, 150, dtype=np.float32))
    batch = made.batch(3, 60, Mixture(negatives=0.0, lips=1.0))
    assert bool((batch.labelled == 0.0).all())
    assert bool(torch.isfinite(batch.lips).all())
    made.add(utterance("grid-clip", source="grid"))
    batch = made.batch(3, 60, Mixture(shares={"grid": 1.0}, negatives=0.0, lips=0.0))
    assert bool(torch.isfinite(batch.lips).all())
    assert bool((batch.labelled == 1.0).all())


def perfect(rows=1, steps=80, late=2):
    """Targets of one sentence, and the output of a network that hears it perfectly `late` steps later."""
    classes = np.array([INDEX[name] for name in ("sil", "aa", "PP", "I", "FF", "O")])
    starts = np.arange(6) * 4000
    segments = (classes, starts, starts + 4000)
    curves = torch.from_numpy(speech_curves(*segments, frames=steps)).repeat(rows, 1, 1)
    touch = torch.from_numpy(contacts(*segments, frames=steps)).repeat(rows, 1, 1)
    labels = torch.from_numpy(classes[np.minimum(np.arange(steps) * 320 // 4000, 5)])
    one_hot = torch.nn.functional.one_hot(labels, len(CLASSES)).float().repeat(rows, 1, 1)
    batch = Batch(
        torch.zeros(rows, 2 * steps, 4), one_hot, curves, touch, torch.full((rows, steps), torch.nan),
        torch.ones(rows, steps),
    )  # fmt: skip

    def delayed(value):
        return torch.cat([value[:, :1].repeat(1, late, 1), value[:, : steps - late]], dim=1)

    output = LiveOutput(delayed(curves), delayed(20 * one_hot), delayed(40 * (touch - 0.5)), delayed(curves))
    return output, batch


def test_the_look_ahead_is_taken_out_before_judging():
    output, batch = perfect()
    right = LiveLoss(LossWeights(), lookahead_steps=3)(output, batch)
    early = LiveLoss(LossWeights(), lookahead_steps=1)(output, batch)
    for name in ("classes", "curves", "gap", "velocity"):
        assert float(right[name]) < 1e-4
        assert float(early[name]) > 100 * float(right[name]) + 1e-3


def test_open_lips_in_a_bilabial_and_shut_lips_in_a_vowel_cost():
    output, batch = perfect()
    loss = LiveLoss(LossWeights(), lookahead_steps=3)
    right = loss(output, batch)
    swung = loss(output._replace(curves=torch.roll(output.curves, 12, dims=1)), batch)
    assert float(right["closure"]) < 1e-5
    assert float(swung["closure"]) > 1e-3
    shut = loss(output._replace(curves=torch.zeros_like(output.curves)), batch)
    assert float(right["false_closure"]) == 0.0
    assert float(shut["false_closure"]) > 1e-3


def test_lips_are_followed_in_course_not_in_scale():
    lips = torch.rand(2, 50) * 0.1 + 0.03
    assert float(lips_disagreement(3 * lips + 0.1, lips)) < 0.01
    assert float(lips_disagreement(-lips, lips)) > 1.5
    unmeasured = torch.full((1, 50), torch.nan)
    assert float(lips_disagreement(torch.cat([lips, lips[:1]]), torch.cat([lips, unmeasured]))) < 0.01


def test_torch_and_numpy_agree_on_the_gap():
    curves = torch.rand(20, len(CURVES))
    curves[:, 1] *= curves[:, 0]
    np.testing.assert_allclose(gap_of(curves), lip_gap(curves.numpy()), atol=1e-6)


CONFIG = """
rows = 4
steps = 50
noises = 2
validation_seconds = 20.0
[run]
steps = 40
learning_rate = 5e-3
warmup_steps = 2
report_every = 5
validate_every = 20
save_every = 20
[mixture]
negatives = 0.0
[shape]
bands = 40
stem_channels = [4, 6]
width = 24
hidden = 32
dilations = [1, 3]
curve_width = 16
curve_hidden = 24
curve_dilations = [2]
"""


@pytest.fixture
def corpus(tmp_path):
    with CorpusWriter(tmp_path / "corpus" / "train", "kokoro") as writer:
        for number in range(8):
            writer.add(utterance(str(number)))
    with CorpusWriter(tmp_path / "corpus" / "validation", "kokoro") as writer:
        writer.add(utterance("other voice"))
    return tmp_path / "corpus"


def test_a_run_learns_and_its_weights_are_the_beginning_of_another(tmp_path, corpus):
    torch.set_num_threads(1)
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    first = build_live(config, corpus, tmp_path / "first")
    judged = first.train()
    lines = [json.loads(line) for line in (first.out / "log.jsonl").read_text().splitlines()]
    losses = [line["classes"] for line in lines if line["event"] == "train"]
    assert losses[-1] < 0.8 * losses[0]
    assert 0.0 <= judged["accuracy"] <= 1.0
    assert judged["curve_error"] < 0.2

    config.write_text('begin_with = "first"' + CONFIG)
    second = build_live(config, corpus, tmp_path / "second")
    for name, value in load_network(first.out / "weights.pt").state_dict().items():
        assert torch.equal(value, second.stage.network.state_dict()[name])


def test_batches_depend_on_the_step_alone(tmp_path, corpus):
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    stage = build_live(config, corpus, tmp_path / "run").stage
    stage.network.eval()
    with torch.no_grad():
        one, other, again = (stage.terms(np.random.default_rng([1, step]), 0.0)["classes"] for step in (7, 8, 7))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_an_unknown_key_in_a_config_is_refused(tmp_path, corpus):
    path = tmp_path / "config.toml"
    path.write_text("learning_rte = 1e-3")
    with pytest.raises(ValueError, match="learning_rte"):
        build_live(path, corpus, tmp_path / "run")
