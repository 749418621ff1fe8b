"""Emotions by time code: by a model that acts, through its presets."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from facestream.acting import SPEECH, Abilities, Emotion
from facestream.nvidia_ace.a2f.v1.a2f_pb2 import EmotionParameters, EmotionPostProcessingParameters
from facestream.nvidia_ace.emotion_with_timecode.v1.emotion_with_timecode_pb2 import EmotionWithTimeCode
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.transports import ace_emotions
from facestream.transports.ace_emotions import EMOTIONS, EmotionRules, EmotionTimeline, emotion_wishes_of
from facestream.transports.server import Server
from tests.engines.tiny_deeptalk import write_tiny_deeptalk
from tests.serving.streams import babble
from tests.transports.ace_client import INFO, Answer, ask, audio, whole
from tests.transports.ace_tables import message
from tests.transports.loopback import settings, synthetic_pipeline

RATE_HZ = 16_000
STEP = 2560
SPOKEN = (babble(2, RATE_HZ, 1.2) * 32767).astype(np.int16)
_AXES = np.eye(4, dtype=np.float32)
PRESETS = {name: Emotion(_AXES[place]) for place, name in enumerate(("neutral", "happy", "sad", "angry"))}
ABILITIES = Abilities(4, PRESETS, (), STEP)


def entry(time_s: float, **emotion: float) -> EmotionWithTimeCode:
    return EmotionWithTimeCode(time_code=time_s, emotion=emotion)


def timeline(*entries: EmotionWithTimeCode, rules: EmotionRules | None = None) -> EmotionTimeline:
    made = EmotionTimeline(rules or EmotionRules(strength=1.0), ABILITIES, RATE_HZ)
    made.add(entries)
    return made


def vector(made: EmotionTimeline) -> Any:
    ((_, change),) = made.due(0, 1)
    assert isinstance(change.emotion, Emotion)
    return change.emotion.mean


def test_amounts_mix_presets_and_leave_the_rest_to_neutral() -> None:
    def expected(*parts: float) -> Any:
        return np.array(parts, np.float32) / np.linalg.norm(parts)

    np.testing.assert_allclose(vector(timeline(entry(0, joy=1.0))), expected(0, 1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(vector(timeline(entry(0, joy=0.5))), expected(0.5, 0.5, 0, 0), atol=1e-6)
    np.testing.assert_allclose(
        vector(timeline(entry(0, joy=0.5, anger=0.5, sadness=0.2), rules=EmotionRules(strength=1.0, most=2))),
        expected(0, 0.5, 0, 0.5),
        atol=1e-6,
    )
    np.testing.assert_allclose(vector(timeline(entry(0, grief=1.0), rules=EmotionRules())), expected(0.4, 0, 0.6, 0))
    np.testing.assert_allclose(vector(timeline(entry(0))), expected(1, 0, 0, 0))
    np.testing.assert_allclose(vector(timeline(entry(0, out_of_breath=1.0, pain=1.0))), expected(1, 0, 0, 0))


def test_without_a_neutral_preset_nothing_means_the_speech() -> None:
    made = EmotionTimeline(EmotionRules(), Abilities(4, {"happy": PRESETS["happy"]}, (), STEP), RATE_HZ)
    made.add([entry(0)])
    ((_, change),) = made.due(0, 1)
    assert change.emotion == SPEECH


@hypothesis_settings(max_examples=30)
@given(st.permutations([0.1, 0.5, 0.9, 1.3]), st.lists(st.integers(1, 9000), max_size=12))
def test_order_and_pieces_make_no_difference(times: list[float], cuts: list[int]) -> None:
    amounts = {0.1: "joy", 0.5: "anger", 0.9: "sadness", 1.3: "joy"}
    made = timeline(*(entry(time, **{amounts[time]: 1.0}) for time in times))
    changes, begin = [], 0
    for cut in (*cuts, 30_000):
        changes += made.due(begin, begin + cut)
        begin += cut
    assert [sample for sample, _ in changes] == [1600, 8000, 14_400, 20_800]


def test_what_is_late_acts_at_once_and_what_is_outdated_not_at_all() -> None:
    made = timeline(entry(0.0, joy=1.0))
    assert [sample for sample, _ in made.due(0, 16_000)] == [0]
    made.add([entry(0.5, anger=1.0)])
    assert [sample for sample, _ in made.due(16_000, 17_000)] == [16_000]
    made.add([entry(0.2, sadness=1.0)])
    assert made.due(17_000, 18_000) == []


def test_the_same_emotion_again_and_again_is_one_change() -> None:
    made = timeline(*(entry(0.035 * number, joy=1.0) for number in range(200)))
    assert len(made.due(0, 8 * RATE_HZ)) == 1


def test_of_changes_within_one_step_of_the_model_the_last_one_counts() -> None:
    made = timeline(entry(0.01, joy=1.0), entry(0.05, anger=1.0), entry(0.09, sadness=1.0), entry(0.2, joy=1.0))
    changes = made.due(0, RATE_HZ)
    assert [sample for sample, _ in changes] == [1440, 3200]
    np.testing.assert_allclose(changes[0][1].emotion.mean, _AXES[2], atol=1e-6)


def test_a_flood_of_emotions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ace_emotions, "_ENTRIES_BOUND", 100)
    made = timeline(*(entry(99.0 + number, joy=1.0) for number in range(200)))
    assert len(made._waiting) == 100


def test_wishes_are_read_with_nvidias_defaults_and_ranges() -> None:
    plain = emotion_wishes_of(EmotionPostProcessingParameters(), EmotionParameters())
    assert (plain.rules, plain.remarks) == (EmotionRules(counts=True, strength=0.6, most=3), ())
    off = EmotionPostProcessingParameters(enable_preferred_emotion=False)
    assert not emotion_wishes_of(off, EmotionParameters(beginning_emotion={"joy": 1.0})).rules.counts
    wild = EmotionPostProcessingParameters(
        emotion_strength=7, max_emotions=0, emotion_contrast=1, preferred_emotion_strength=0.5
    )
    found = emotion_wishes_of(wild, EmotionParameters(live_transition_time=0.1))
    assert (found.rules.strength, found.rules.most) == (1.0, 1)
    told = "; ".join(found.remarks)
    for words in ("emotion_strength: 7 is taken as 1", "max_emotions: 0 is taken as 1", "preferred_emotion_strength"):
        assert words in told
    assert "not used: emotion_contrast, live_transition_time" in told


@pytest.fixture(scope="module")
def acting_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return open_pipeline(str(write_tiny_deeptalk(tmp_path_factory.mktemp("acts"))))


@contextlib.asynccontextmanager
async def served(acting: Pipeline) -> AsyncIterator[grpc.aio.Channel]:
    """`live` by default, and the model that acts for this interface."""
    load = lambda: [synthetic_pipeline(), acting]  # noqa: E731
    async with (
        Server(settings(ace_model=acting.model.name), load=load) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        yield channel


async def acted(channel: grpc.aio.Channel, emotions: Sequence[tuple[float, dict[str, float]]], **more: Any) -> Answer:
    strong = message("a2f.v1.EmotionPostProcessingParameters", emotion_strength=1.0, **more.pop("rules", {}))
    requests = whole(SPOKEN, emotion_post_processing_params=strong, **more)
    requests[1] = audio(SPOKEN[:RATE_HZ], emotions)
    answer = await ask(channel, requests)
    assert answer.is_complete
    assert len(answer.frames) == 36
    return answer


@pytest.mark.asyncio
async def test_emotions_act_from_their_time_code_on(acting_pipeline: Pipeline, tmp_path: Path) -> None:
    async with served(acting_pipeline) as channel:
        joy = await acted(channel, [(0.0, {"joy": 1.0})])
        sad = await acted(channel, [(0.0, {"sadness": 1.0})])
        both = await acted(channel, [(0.64, {"sadness": 1.0}), (0.0, {"joy": 1.0}), (99.0, {"anger": 1.0})])
        begun = await acted(
            channel, [], emotion_params=message("a2f.v1.EmotionParameters", beginning_emotion={"joy": 1.0})
        )
        speech = await acted(channel, [])
        off = await acted(channel, [(0.0, {"joy": 1.0})], rules={"enable_preferred_emotion": False})
    before = int(0.64 * 30)
    assert np.abs(joy.weights - sad.weights).max() > 1e-3
    np.testing.assert_allclose(both.weights[:before], joy.weights[:before], atol=1e-5)
    assert np.abs(both.weights[before + 6 :] - joy.weights[before + 6 :]).max() > 1e-3
    np.testing.assert_allclose(begun.weights, joy.weights, atol=1e-5)
    np.testing.assert_allclose(off.weights, speech.weights, atol=1e-5)
    assert np.abs(speech.weights - joy.weights).max() > 1e-3


@pytest.mark.asyncio
async def test_metadata_tell_what_was_asked_and_is_acted_and_leave_a2e_empty(acting_pipeline: Pipeline) -> None:
    async with served(acting_pipeline) as channel:
        told = await acted(channel, [(0.5, {"joy": 0.5, "pain": 1.0})], rules={"max_emotions": 2})
        plain = await acted(channel, [])
    assert not any(frame.metadata for frame in plain.frames)
    for index, frame in enumerate(told.frames):
        assert set(frame.metadata) == ({"emotion_aggregate"} if index >= 15 else set())
        if index >= 15:
            emotions = told.emotions(index)
            assert not emotions.a2e_output
            (asked,), (acts,) = emotions.input_emotions, emotions.a2f_smoothed_output
            assert asked.time_code == acts.time_code == index / 30
            assert set(asked.emotion) == set(acts.emotion) == set(EMOTIONS)
            assert (asked.emotion["joy"], asked.emotion["pain"]) == (0.5, 1.0)
            assert (acts.emotion["joy"], acts.emotion["pain"]) == (0.5, 0.0)
    assert any("emotions without a preset here, left out: pain" in text for text in told.statuses(INFO))
