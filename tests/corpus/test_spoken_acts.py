import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus.spoken import sentence

import facestream_models.corpus as corpus
from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotion_voice import take_apart
from facestream_models.corpus.emotional import make_all
from facestream_models.corpus.emotional_take import act_out
from facestream_models.corpus.emotions import NEUTRAL
from facestream_models.corpus.real import RECORDED_SOURCES
from facestream_models.corpus.spoken_act import chance_of, say_act, take_key
from facestream_models.corpus.spoken_acts import make_heard
from facestream_models.corpus.store import CorpusWriter
from facestream_models.corpus.take_store import SpokenActWriter, TakeWriter, iterate_spoken_acts

CONFIG = Path(corpus.__file__).parent / "configs" / "heard_v1.toml"
PART = {
    "sources": ["grid"], "hours": 1.0, "visits": 2, "acts_per_visit": 1, "personas_per_voice": 2,
    "other_voices": 0.5, "plain": 0.2, "shortest_s": 1.6, "acts_per_shard": 3,
}  # fmt: skip


def config(**changes: object) -> dict:
    return {"seed": 3, "sources": ["grid"], "processes": 1, "heard": {"people": {**PART, **changes}}}


def small_corpus(home: Path) -> None:
    for split, texts in (("train", "ABCDEF"), ("validation", "B")):
        with CorpusWriter(home / split, "grid", 4) as writer:
            for seed, text in enumerate(texts):
                said = sentence(seed, syllables=1 if text == "C" else 3)
                writer.add(replace(said, text=text, source="grid", voice=f"{split}_voice"))


def test_the_committed_config_makes_what_is_read() -> None:
    committed = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    assert set(committed) == set(config())
    for part in committed["heard"].values():
        assert set(PART) - {"plain"} <= set(part) <= set(PART)
    # people are kept as they are, too: all of them, and nobody else
    people = {source for part in committed["heard"].values() if part.get("plain") for source in part["sources"]}
    assert people == RECORDED_SOURCES


@pytest.mark.slow
def test_what_is_heard_of_an_act_is_what_its_take_would_say(tmp_path: Path) -> None:
    voice = take_apart(sentence(1, syllables=3))
    take = act_out(voice, 3, 0, "af_one#0", 5, load_profile(), other_voices=0.5)
    chance = chance_of(take_key(voice.utterance, 3, 0), "af_one#0", 5)
    act, _ = say_act(voice, 3, 0, "af_one#0", 5, chance, 0.5)
    assert act.act == take.act
    np.testing.assert_array_equal(act.utterance.audio, take.utterance.audio)
    with SpokenActWriter(tmp_path, "heard") as writer:
        writer.add(act)
    with TakeWriter(tmp_path, "takes", load_profile().head_digest) as takes:
        takes.add(replace(take, utterance=replace(take.utterance, key="other")))
    heard, seen = iterate_spoken_acts(tmp_path)
    assert (heard.key, seen.key) == (act.key, "other")
    for one in (heard, seen):
        assert (one.act, one.speaker) == (act.act, act.speaker)
        np.testing.assert_array_equal(one.utterance.audio, act.utterance.audio)
    assert heard.utterance.source == voice.utterance.source


@pytest.mark.slow
def test_a_stopped_part_goes_on_says_no_held_out_text_and_keeps_some_as_it_is(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    make_all(tmp_path, tmp_path / "whole", config(), 0)
    for hours in (2.0 / 3600, 1.0):
        make_heard(tmp_path, tmp_path / "parts", config(hours=hours), "people", skipped_texts={"B"})
    whole, parts = (
        {act.key: act for act in iterate_spoken_acts(tmp_path / out / "heard")} for out in ("whole", "parts")
    )
    assert set(whole) == set(parts)
    for key, act in whole.items():
        np.testing.assert_array_equal(act.utterance.audio, parts[key].utterance.audio)
    plain = {key for key in whole if key.endswith("-plain")}
    assert {act.utterance.text for act in whole.values()} == set("ADEF")  # C is too short
    assert len(whole) - len(plain) == 2 * 4
    assert 0 < len(plain) < 4
    for key in plain:
        assert whole[key].act.emotion == NEUTRAL


def test_what_is_no_act_is_refused(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    with pytest.raises(ValueError, match="not a shard of acts"):
        list(iterate_spoken_acts(tmp_path / "train"))
