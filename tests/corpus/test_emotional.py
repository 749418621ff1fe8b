import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus.spoken import sentence

import facestream_models.corpus as corpus
from facestream.curves import INDEX, sided
from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.emotional import make_all, make_split
from facestream_models.corpus.emotional_checks import classification, closures, lip_gap, relative_to_voice
from facestream_models.corpus.emotional_take import MOTION_SIZE, Take, act_out
from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.corpus.phones import INDEX as CLASS
from facestream_models.corpus.store import CorpusWriter, Utterance, iterate
from facestream_models.corpus.take_store import TakeWriter, iterate_takes, read_take_shard
from facestream_models.corpus.visits import emotions_of_visit

CONFIG = Path(corpus.__file__).parent / "configs" / "emotional_v1.toml"
PROFILE = load_profile()


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    voice = take_apart(sentence(1, syllables=4))
    return [act_out(voice, emotion, 0, "af_one#0", 5, PROFILE, 50) for emotion in range(len(EMOTIONS))]


def small_config(seconds: float, **changes: int) -> dict:
    part = {"hours": seconds / 3600, "visits": 2, "personas_per_voice": 2}
    config = {"seed": 3, "sources": ["buzz"], "frame_rate": 25, "processes": 1, "takes_per_shard": 2}
    return {**config, "acts_per_visit": 2, "train": part, "validation": part, **changes}


def small_corpus(home: Path, seeds: range) -> None:
    for split, texts in (("train", "ABCB"), ("validation", "B")):
        with CorpusWriter(home / split, "buzz", 2) as writer:
            for seed, text in zip(seeds, texts, strict=False):
                writer.add(replace(sentence(seed, syllables=3), text=text, voice=f"{split}_voice"))


def test_the_committed_config_is_complete() -> None:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert set(small_config(1.0)) == set(config)
    # every utterance is acted in all eight emotions, and there are enough speakers
    assert config["acts_per_visit"] * config["train"]["visits"] >= 8
    assert 50 * config["train"]["personas_per_voice"] >= 60
    assert 4 * config["validation"]["personas_per_voice"] >= 12


def test_visits_go_through_all_emotions() -> None:
    utterance = sentence(1, syllables=3)
    order = [number for visit in range(4) for number in emotions_of_visit(utterance, visit, 4, 9)]
    assert sorted(order[:8]) == sorted(order[8:]) == list(range(8))
    assert order[:8] != order[8:]


def test_a_take_is_what_its_arguments_say(takes: list[Take]) -> None:
    take = takes[3]
    again = act_out(take_apart(sentence(1, syllables=4)), 3, 0, "af_one#0", 5, PROFILE, 50)
    other = act_out(take_apart(sentence(1, syllables=4)), 3, 1, "af_one#0", 5, PROFILE, 25)
    assert again.act == take.act
    np.testing.assert_array_equal(again.utterance.audio, take.utterance.audio)
    np.testing.assert_array_equal(again.curves, take.curves)
    np.testing.assert_array_equal(again.head, take.head)
    np.testing.assert_array_equal(take.motion[:, -1], take.curves[:, INDEX["tongueOut"]])
    np.testing.assert_allclose(take.motion, PROFILE.motion_of(take.curves, ("tongueOut",)), atol=1e-5)
    assert other.curves.shape == (-(-len(other.utterance.audio) // 640), 52)
    assert other.motion.shape == (len(other.curves), MOTION_SIZE)
    np.testing.assert_array_equal(other.traits, take.traits)


def test_half_the_frame_rate_is_every_second_frame(takes: list[Take]) -> None:
    half = act_out(take_apart(sentence(1, syllables=4)), 3, 0, "af_one#0", 5, PROFILE, 25)
    np.testing.assert_array_equal(half.curves, takes[3].curves[::2])
    np.testing.assert_array_equal(half.head, takes[3].head[::2])


def test_lips_close_under_every_emotion_and_the_check_sees_when_not(takes: list[Take]) -> None:
    for take in takes:
        closed, apart = closures(take, PROFILE)
        assert len(closed) >= 1
        assert closed.all()
        assert apart.max() < 1.0
        parted = take.curves.copy()
        parted[:, INDEX["mouthClose"]] = 0.0
        parted[:, sided("mouthLowerDown")] = 0.2
        assert not closures(replace(take, curves=parted), PROFILE)[0].any()
        open_frames = lip_gap(take.curves)[np.isin(_classes_of_frames(take), [CLASS["aa"], CLASS["ae"], CLASS["E"]])]
        assert open_frames.size == 0 or open_frames.mean() > 0.05


def _classes_of_frames(take: Take) -> np.ndarray:
    utterance = take.utterance
    samples = np.minimum(np.arange(len(take.curves)) * 16_000 // take.frame_rate, len(utterance.audio) - 1)
    return utterance.classes[np.searchsorted(utterance.ends, samples, side="right")]


def test_takes_are_read_back_as_written(tmp_path: Path, takes: list[Take]) -> None:
    with TakeWriter(tmp_path, "part", PROFILE.head_digest, 3) as writer:
        for take in takes:
            writer.add(take)
    read = list(iterate_takes(tmp_path, PROFILE.head_digest))
    assert [take.key for take in read] == [take.key for take in takes]
    for left, right in zip(takes, read, strict=True):
        assert left.act == right.act
        assert left.speaker == right.speaker
        np.testing.assert_array_equal(left.utterance.audio, right.utterance.audio)
        np.testing.assert_allclose(left.curves, right.curves, atol=5e-4)
        np.testing.assert_allclose(left.motion, right.motion, atol=4e-3)
        np.testing.assert_allclose(left.head, right.head, atol=2e-4)
    assert [u.key for u in iterate(tmp_path)] == [take.key for take in takes]
    with pytest.raises(ValueError, match="motion is of head"):
        list(iterate_takes(tmp_path, "0" * 64))


def test_what_is_no_take_is_refused(tmp_path: Path, takes: list[Take]) -> None:
    with pytest.raises(ValueError, match="curves must have shape"):
        replace(takes[0], curves=takes[0].curves[:-1])
    with pytest.raises(ValueError, match="frame rate 30"):
        replace(takes[0], frame_rate=30)
    small_corpus(tmp_path, range(4))
    with pytest.raises(ValueError, match="not a shard of takes"):
        read_take_shard(tmp_path / "train" / "buzz-000.npz")
    with pytest.raises(FileNotFoundError, match="generate"):
        list(iterate_takes(tmp_path / "nothing"))


def keys(directory: Path) -> list[str]:
    return sorted(take.key for take in iterate_takes(directory))


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_a_split_hears_only_its_own(tmp_path: Path) -> None:
    small_corpus(tmp_path / "corpus", range(4))
    make_all(tmp_path / "corpus", tmp_path / "whole", small_config(1000.0), 0)
    # stopped after some seconds, then started again, twice
    for seconds in (8.0, 16.0, 1000.0):
        make_split(tmp_path / "corpus", tmp_path / "parts", small_config(seconds), "train", 0, {"B"})
    assert keys(tmp_path / "whole" / "train") == keys(tmp_path / "parts" / "train")
    parts = {take.key: take for take in iterate_takes(tmp_path / "parts" / "train")}
    for take in iterate_takes(tmp_path / "whole" / "train"):
        np.testing.assert_array_equal(take.utterance.audio, parts[take.key].utterance.audio)
        np.testing.assert_array_equal(take.curves, parts[take.key].curves)

    def heard(split: str) -> tuple[set[str], set[str], list[Utterance]]:
        found = [take.utterance for take in iterate_takes(tmp_path / "whole" / split)]
        return {u.voice for u in found}, {u.text for u in found}, found

    voices, texts, utterances = heard("train")
    assert texts == {"A", "C"}
    assert len(utterances) == 2 * 2 * 2  # utterances, visits, acts of a visit
    assert not voices & heard("validation")[0]
    assert heard("validation")[1] == {"B"}


def test_the_classifier_learns_what_is_there_and_nothing_from_chance() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 8, 400)
    features = random.normal(size=(400, 12))
    told = features.copy()
    told[np.arange(400), labels] += 3.0
    for inputs, low, high in ((told, 0.75, 0.999), (features, 0.0, 0.25)):
        confusions = classification((inputs[:300], labels[:300]), (inputs[300:], labels[300:]))
        assert confusions.sum() == 100
        assert low <= np.trace(confusions) / 100 <= high


def test_a_voice_is_compared_with_itself() -> None:
    random = np.random.default_rng(1)
    speakers = ["a#0", "a#1", "b#0"] * 5 + ["rare#0"] * 3
    own = random.normal(size=(18, 4))
    usual = {name: random.normal(0.0, 10.0, 4) for name in ("a", "b", "rare")}
    heard = own + np.stack([usual[speaker[:-2]] for speaker in speakers])
    relative = relative_to_voice(heard, speakers)
    assert np.isnan(relative[15:]).all()
    for voice in "ab":
        rows = [number for number, speaker in enumerate(speakers) if speaker[:-2] == voice]
        np.testing.assert_allclose(relative[rows], own[rows] - own[rows].mean(axis=0), atol=1e-9)
