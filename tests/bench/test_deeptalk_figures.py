import numpy as np
import pytest
import torch

from facestream_bench import deeptalk_speech as speech
from facestream_bench import deeptalk_takes as acted
from facestream_bench.deeptalk_motion import Motion
from facestream_bench.quality_sets import from_corpus
from facestream_models.corpus.emotions import EMOTIONS
from tests.bench.tiny_deeptalk import babble, tiny_face, tiny_takes
from tests.deeptalk.acted import acted as acted_take
from tests.deeptalk.acted import babbling

COUNT = len(EMOTIONS)


@pytest.fixture(scope="module")
def takes():
    return tiny_takes()


class Seer:
    """Sees in motion the emotion that the takes of the tests carry in a coefficient."""

    def emotion_logits(self, motion):
        return motion[:, 1 : 1 + COUNT]


def test_takes_are_held_by_emotion():
    found = acted.held_takes((acted_take(1.0, n % COUNT, n) for n in range(5 * COUNT)), of_each=3)
    assert [take.emotion for take in found] == [emotion for emotion in range(COUNT) for _ in range(3)]
    assert all(len(take.motion) == 25 for take in found)


def test_shown_emotion_is_told_from_another(takes):
    own = acted.score_shown(Seer(), [take.motion for take in takes], takes)
    assert own["accuracy"] == 1.0
    moved_on = acted.score_shown(Seer(), [take.motion for take in takes[2:] + takes[:2]], takes)
    assert moved_on["accuracy"] == 0.0
    one = acted.score_shown(Seer(), [takes[0].motion] * len(takes), takes)
    assert one["accuracy"] == pytest.approx(1 / COUNT)
    assert one[f"accuracy.{EMOTIONS[0]}"] == 1.0


def test_a_take_is_like_itself_and_not_like_another(face, takes):
    same = acted.score_likeness(face, [take.motion for take in takes], takes)
    assert set(same.values()) == {0.0}
    still = acted.score_likeness(face, [0.0 * take.motion for take in takes], takes)
    assert min(still["face_mm"], still["lips_mm"]) > 0.1
    assert still["lip_vertex_error_mm"] > still["lips_mm"]


def test_closures_are_those_of_the_lips(face):
    take = babble()
    shut = np.zeros_like(take.motion)
    wide = shut.copy()
    wide[:, 50] = 0.3
    assert acted.closure(face, [take.motion], [take]) == 1.0
    assert acted.closure(face, [shut], [take]) == 1.0
    assert acted.closure(face, [wide], [take]) == 0.0


def test_every_figure_of_takes_is_there_and_a_number(actor, face, takes):
    said = [takes[0], takes[3], babble()]
    random = np.random.default_rng(0)
    figures = (
        acted.score_prior(actor, face, takes)
        | acted.score_embedding(actor, face, takes, random)
        | acted.score_generator(actor, face, said, (1, 2), 1.0, random)
    )
    assert np.isfinite(list(figures.values())).all()
    assert 0.0 <= figures["speech_to_face"] <= 1.0
    assert figures["times_chance"] == pytest.approx(COUNT * figures["speech_to_face"])
    assert 1.0 <= figures["top.perplexity"] <= figures["top.used"] <= figures["top.of"] == 24.0
    assert figures["diversity.face_mm"] > 0.0
    fall = figures["closure.argmax"] - figures["closure.sampled"]
    assert figures["closure.fall_points"] == pytest.approx(100.0 * fall)
    frozen = acted.score_generator(actor, face, said, (5, 5), 1.0, random)
    assert frozen["diversity.face_mm"] == 0.0


def test_presets_are_judged_by_what_was_asked_for(actor, face):
    take = babble()

    class Obedient:
        """Shows whatever emotion it is given, as `Seer` sees it."""

        def move(self, audio, emotion):
            del audio
            motion = np.zeros((50, 53), np.float32)
            motion[:, 1 : 1 + COUNT] = emotion.numpy()
            return Motion(motion, np.zeros(0, int), np.zeros(0, int))

    seer = tiny_face()
    seer.emotion_logits = Seer().emotion_logits
    presets = dict(zip(EMOTIONS, torch.eye(COUNT), strict=True))
    found = acted.score_presets(Obedient(), seer, [take] * (2 * COUNT), presets)
    assert found["accuracy"] == 1.0
    assert found["accuracy_of_take"] == pytest.approx(1 / COUNT)
    turned = dict(zip(EMOTIONS, torch.eye(COUNT).roll(1, dims=0), strict=True))
    assert acted.score_presets(Obedient(), seer, [take] * COUNT, turned)["accuracy"] == 0.0
    real = acted.score_presets(actor, face, [take, take], {"happy": torch.ones(16), "sad": -torch.ones(16)})
    assert 0.0 <= real["closure"] <= 1.0


def test_rules_agree_with_themselves_and_backwards_speech_does_not(actor, face):
    clip = from_corpus(babbling(3, syllables=12).utterance)
    ground = speech.score_system(speech.rules(face, [clip]), [clip], {})
    assert ground["prompts.closure"] == 1.0
    assert ground["prompts.r_jaw"] > 0.98
    assert abs(ground["prompts.fine_sync_ms"]) < 3.0
    made = speech.systems(actor, face, None, {}, 1, 1.0)
    heard = [made[name](clip.audio) for name in ("deeptalk", "deeptalk_sampled")]
    assert all(one.curves.shape == clip.reference.shape for one in heard)
    assert not np.array_equal(heard[0].curves, heard[1].curves)


def test_a_clip_is_heard_once():
    calls = []
    remembered = speech.Remembered(lambda audio: calls.append(audio) or len(calls))
    one, other = np.zeros(4, np.float32), np.zeros(4, np.float32)
    assert [remembered(one), remembered(other), remembered(one)] == [1, 2, 1]


def test_what_lies_behind_live_is_positive():
    ours = {"prompts.closure": 0.90, "prompts.accuracy": 0.50, "prompts.fine_sync_ms": -30.0}
    theirs = {"prompts.closure": 0.92, "prompts.accuracy": 0.45, "prompts.fine_sync_ms": 20.0}
    found = speech.beside_live({"deeptalk": ours, "live": theirs})
    assert found == pytest.approx(
        {"behind_live.closure_points": 2.0, "behind_live.accuracy_points": -5.0, "behind_live.sync_ms": 10.0}
    )
    both = speech.beside_live({"product.deeptalk": theirs, "product.live": ours})
    assert both["product.behind_live.closure_points"] == pytest.approx(-2.0)
    sampled = {"deeptalk": ours, "deeptalk_sampled": {"prompts.closure": 0.87}, "live": theirs}
    assert speech.beside_live(sampled)["closure_fall_points"] == pytest.approx(3.0)


def test_plain_speech_shows_shares_of_emotions(actor, face):
    clip = from_corpus(babbling(3).utterance)
    shares = speech.shown_on(actor, face, [clip, clip])
    assert sum(shares.values()) == pytest.approx(1.0)
    assert set(shares.values()) == {0.0, 1.0}
