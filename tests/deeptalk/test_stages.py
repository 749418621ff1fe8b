import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import INDEX
from facestream.retarget.profile import load_profile
from facestream_models.corpus.emotions import EMOTIONS
from facestream_models.corpus.phones import CLASSES
from facestream_models.deeptalk.audio import emotion_waveform
from facestream_models.deeptalk.compact import LIPS_WIDTH, CompactDeepTalk, CompactShape
from facestream_models.deeptalk.emotion_embedding import EmotionEmbedding, EmotionGaussian
from facestream_models.deeptalk.frame_emotion import FrameEmotion, FrameEmotionShape
from facestream_models.deeptalk.generator import GeneratorShape
from facestream_models.deeptalk.motion_prior import MotionPrior, MotionPriorShape
from facestream_models.deeptalk.stages.build import load_frame_emotion
from facestream_models.deeptalk.stages.embedding import EmbeddingConfig, EmbeddingStage
from facestream_models.deeptalk.stages.emotion_sounds import EmotionSounds, as_recorded
from facestream_models.deeptalk.stages.frame_emotion import FrameEmotionConfig, FrameEmotionStage
from facestream_models.deeptalk.stages.generator import GeneratorConfig, GeneratorStage, Judges, _swapped
from facestream_models.deeptalk.stages.lip_reader import LipReaderConfig, LipReaderStage
from facestream_models.deeptalk.stages.prior import PriorConfig, PriorJudges, PriorStage
from facestream_models.deeptalk.stages.usual_faces import shown_faces, usual_faces
from facestream_models.deeptalk.stages.windows import SeenTakes, TakeWindows
from facestream_models.deeptalk.taught_motion import taught_motion
from facestream_models.encoders.compact_emotion import CompactEmotionEncoder
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.metrics.lip_reader import LipReader, LipReaderShape, reading_loss
from facestream_models.metrics.quick_reader import QuickReader, quick_reading_loss
from facestream_models.metrics.some_points import some_points
from facestream_models.training.run import Run, RunConfig
from tests.deeptalk.acted import FRAME_SAMPLES, acted, babbling
from tests.live.tiny import TINY

TAKES = TakeWindows([acted(1.2 + 0.4 * n, n % 8, n, f"speaker {n % 3}") for n in range(16)])
SEEN = SeenTakes(TAKES, TAKES)
SMALL = FrameEmotionShape(widths=(16, 16, 16, 16, 16, 16, 16), normalised_features=True, dropout=0.0)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 20, 64, 200]))
def test_motion_sound_and_emotion_are_cut_alike(seed: int, frames: int) -> None:
    windows = TAKES.draw(5, frames, np.random.default_rng(seed))
    assert windows.motion.shape == (5, frames, 53)
    assert windows.audio.shape == (5, frames * FRAME_SAMPLES)
    said = (windows.audio.reshape(5, frames, FRAME_SAMPLES)[:, :, 0] * 32768.0).round()
    shown = (windows.motion[:, :, 0] * 100.0).round()
    heard = said > 0  # frame 0 and what lies beyond the end of a take are silent
    assert heard[:, : min(frames, 25)].sum() >= 5 * (min(frames, 25) - 1)
    assert torch.equal(said[heard], shown[heard])
    for row, emotion in enumerate(windows.emotion.tolist()):
        assert windows.motion[row, :, 1:9].mean(dim=0).argmax() == emotion


def test_validation_walks_through_every_take_once() -> None:
    seen = sum(window.motion.shape[0] * 10 for window in TAKES.in_order(10))
    assert seen == sum(window.motion.shape[1] // 10 * 10 for window in TAKES.whole())
    each = TAKES.one_of_each(len(EMOTIONS), 20, np.random.default_rng(0))
    assert each.emotion.tolist() == list(range(8))


def test_blinks_and_gaze_are_left_to_the_runtime() -> None:
    profile = load_profile()
    still = acted(1.0, 3, 0)
    curves = np.zeros_like(still.curves)
    curves[:, INDEX["eyeBlinkLeft"]] = np.arange(25) % 2
    curves[:, INDEX["eyeLookDownRight"]] = 0.7
    curves[:, INDEX["browInnerUp"]] = 0.5
    restless = replace(still, curves=curves, motion=still.motion + profile.motion_of(curves, ("tongueOut",)))
    brows = np.zeros(52, np.float32)
    brows[INDEX["browInnerUp"]] = 0.5
    expected = taught_motion(still) + profile.motion_of(brows)
    np.testing.assert_allclose(taught_motion(restless), expected, atol=1e-5)
    assert np.abs(restless.motion - still.motion)[:, :53].max() > 0.1


def test_sounds_are_cut_where_the_motion_is() -> None:
    encoder = CompactEmotionEncoder(replace(EmbeddingConfig().encoder, channels=8, width=16))
    windows = TAKES.draw(6, 12, np.random.default_rng(1))
    sounds = EmotionSounds(TAKES, encoder)
    wholes = [encoder.sound(emotion_waveform(whole.audio))[0] for whole in TAKES.whole()]
    for row, take, first in zip(
        sounds.cut(windows, np.random.default_rng(0)), windows.take.tolist(), windows.first.tolist(), strict=True
    ):
        torch.testing.assert_close(row, wholes[take][2 * first : 2 * first + 24], atol=4e-3, rtol=2e-3)
    longer = sounds.cut(TAKES.draw(2, 200, np.random.default_rng(1)), np.random.default_rng(0))
    assert longer.shape[1] == 400
    assert torch.equal(longer[:, -1], longer[:, -2])


def test_half_of_the_sounds_are_as_recorded() -> None:
    encoder = CompactEmotionEncoder(replace(EmbeddingConfig().encoder, channels=8, width=16))
    windows = TAKES.draw(1, 12, np.random.default_rng(1))
    clean = EmotionSounds(TAKES, encoder).cut(windows, np.random.default_rng(0))
    sounds = EmotionSounds(TAKES, encoder, recorded=True)
    cuts = [sounds.cut(windows, np.random.default_rng(seed)) for seed in range(40)]
    same = sum(torch.equal(cut, clean) for cut in cuts)
    assert 8 < same < 32


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_a_studio_leaves_of_a_voice_is_closer_together_and_noisier(seed: int) -> None:
    time = np.arange(32_000) / 16_000
    audio = 0.3 * np.sin(2 * np.pi * 200 * time) * np.where(time % 0.5 < 0.25, 1.0, 0.1)
    audio[-6_400:] = 0.0
    voice = torch.from_numpy(audio.astype(np.float32))[None]
    made = as_recorded(voice, np.random.default_rng(seed))[0]
    assert made.dtype == torch.float32
    assert made.shape == voice.shape[1:]
    torch.testing.assert_close(made, as_recorded(voice, np.random.default_rng(seed))[0])
    loud, quiet = (time > 1.05) & (time < 1.2), (time > 1.3) & (time < 1.45)
    before, after = (float(sound[loud].std() / sound[quiet].std()) for sound in (voice[0], made))
    assert before == pytest.approx(10.0, rel=0.01)
    assert after < before
    room = float(made[-4_800:].std() / made.std())
    assert 10 ** (-66 / 20) < room < 10 ** (-17 / 20)


def test_takes_in_codes_differ_in_their_motion_alone() -> None:
    torch.manual_seed(0)
    prior = MotionPrior(MotionPriorShape(width=16, hidden=16, decoder_hidden=16, heads=2, codes=8, dropout=0.0))
    seen = SeenTakes(TAKES, TAKES.in_codes(prior))
    true, said = (takes.draw(5, 12, np.random.default_rng(0)) for takes in seen)
    assert torch.equal(true.audio, said.audio)
    assert torch.equal(true.first, said.first)
    assert not torch.allclose(true.motion, said.motion, atol=0.1)
    whole, made = next(iter(TAKES.whole())), next(iter(seen.in_codes.whole()))
    frames = whole.motion.shape[1] // 4 * 4
    assert whole.motion.shape == made.motion.shape
    with torch.no_grad():
        found = prior(torch.nn.functional.pad(whole.motion.mT, (0, -whole.motion.shape[1] % 4), "replicate").mT).motion
    torch.testing.assert_close(made.motion[:, :frames], found[:, :frames], atol=2e-3, rtol=2e-3)
    chosen = {seen.either(np.random.default_rng(seed)) is seen.true for seed in range(20)}
    assert chosen == {True, False}


def test_takes_of_another_rate_and_no_takes_are_refused() -> None:
    with pytest.raises(ValueError, match="no takes to train on"):
        TakeWindows([])
    with pytest.raises(ValueError, match="no take of emotion 1"):
        TakeWindows([acted(1.0, 0, 0)]).one_of_each(8, 10, np.random.default_rng(0))
    fast = acted(1.0, 0, 0)
    doubled = {name: np.repeat(getattr(fast, name), 2, axis=0) for name in ("curves", "motion", "head")}
    with pytest.raises(ValueError, match="50 frames a second; DEEPTalk is trained at 25"):
        TakeWindows([replace(fast, frame_rate=50, **doubled)])


@pytest.mark.slow
def test_the_prior_learns_in_millimetres(tmp_path: Path) -> None:
    config = PriorConfig(
        rows=4, frames=16, validation_frames=16, run=RunConfig(steps=30, learning_rate=3e-3, warmup_steps=1),
        shape=MotionPriorShape(width=16, hidden=16, decoder_hidden=16, heads=2, codes=8, dropout=0.0),
    )  # fmt: skip
    torch.manual_seed(0)
    run = Run(PriorStage(config, TAKES, TAKES, shipped_mesh()), config.run, tmp_path)
    before = run.figures()
    after = run.train()
    assert after["face_mm"] < 0.7 * before["face_mm"]
    assert set(after) >= {"lips_mm", "lips_worst_mm", "top_perplexity", "bottom_perplexity"}
    assert after["lips_worst_mm"] >= after["lips_mm"]


def test_the_classifier_tells_faces_apart_and_is_found_again(tmp_path: Path) -> None:
    config = FrameEmotionConfig(rows=64, run=RunConfig(steps=60, learning_rate=1e-2, warmup_steps=1), shape=SMALL)
    torch.manual_seed(0)
    run = Run(FrameEmotionStage(config, SEEN, SEEN), config.run, tmp_path / "frame-emotion")
    assert run.figures()["take_accuracy"] < 0.5
    assert run.train()["take_accuracy"] == 1.0
    motion = TAKES.draw(1, 8, np.random.default_rng(0)).motion[0]
    again = load_frame_emotion(tmp_path).eval()
    run.stage.network.load_state_dict(run.average)
    assert torch.equal(again(motion), run.stage.network.eval()(motion))
    with pytest.raises(FileNotFoundError, match="train stage frame-emotion"):
        load_frame_emotion(tmp_path / "other")


def small_embedding(**values: float) -> EmbeddingConfig:
    """Three steps of tiny encoders."""
    shape = replace(EmbeddingConfig().speech, width=16, heads=2, hidden=16, layers=1)
    return EmbeddingConfig(
        rows=8, shortest=10, validation_frames=10, rounds=1, **values,
        run=RunConfig(steps=3, learning_rate=1e-3, warmup_steps=1),
        encoder=replace(EmbeddingConfig().encoder, channels=8, width=16),
        speech=shape, expression=replace(shape, enters=SMALL.feature_width),
    )  # fmt: skip


def test_the_embedding_is_trained_without_moving_the_classifier(tmp_path: Path) -> None:
    config = small_embedding(longest=14)
    classifier = FrameEmotion(SMALL)
    frozen = {name: value.clone() for name, value in classifier.state_dict().items()}
    stage = EmbeddingStage(config, SEEN, SEEN, classifier)
    scale = stage.embedding.scale.clone()
    found = Run(stage, config.run, tmp_path).train()
    assert all(0.0 <= value <= 1.0 for value in found.values())
    assert not torch.equal(stage.embedding.scale, scale)
    assert all(torch.equal(value, frozen[name]) for name, value in classifier.state_dict().items())


def test_speech_learns_its_way_to_faces_that_stay(tmp_path: Path) -> None:
    config = small_embedding(longest=10, retrieval=1.0)
    earlier = EmbeddingStage(config, SEEN, SEEN, FrameEmotion(SMALL)).network.state_dict()
    stage = EmbeddingStage(config, SEEN, SEEN, FrameEmotion(SMALL))
    stage.keep_faces(earlier)
    before = {name: value.clone() for name, value in stage.network.state_dict().items()}
    Run(stage, config.run, tmp_path).train()
    after = stage.network.state_dict()
    faces = [name for name in after if not name.startswith("speech.")]
    assert all(torch.equal(after[name], earlier[name]) for name in faces)
    learned = "speech.embedding.mean_head.map.weight"
    assert not torch.equal(after[learned], before[learned])


def test_the_choice_among_classes_is_easier_for_speech_where_their_faces_are() -> None:
    with pytest.raises(ValueError, match="only where faces stay"):
        EmbeddingStage(small_embedding(classes=1.0), SEEN, SEEN, FrameEmotion(SMALL))
    config = replace(small_embedding(longest=10, classes=1.0), faces_of="embedding-1")
    stage = EmbeddingStage(config, SEEN, SEEN, FrameEmotion(SMALL))
    usual = usual_faces(shown_faces(TAKES, stage.frame_emotion, stage.embedding))
    torch.testing.assert_close(usual.mean.norm(dim=1), torch.ones(len(EMOTIONS)))

    def lost(places: torch.Tensor) -> float:
        windows = TAKES.draw(8, 10, np.random.default_rng(0))
        speech = EmotionGaussian(usual.mean[places[windows.emotion]], usual.log_variance[windows.emotion])
        return float(stage.class_loss(speech, windows.emotion).detach())

    assert lost(torch.arange(8)) < lost(torch.arange(8).roll(1))
    assert set(stage.terms(np.random.default_rng(0), 0.0)) == {"embedding", "classes"}


def test_faces_find_their_way_to_speech_that_stays(tmp_path: Path) -> None:
    config = small_embedding(longest=10, retrieval=1.0)
    earlier = EmbeddingStage(config, SEEN, SEEN, FrameEmotion(SMALL)).network.state_dict()
    stage = EmbeddingStage(config, SEEN, SEEN, FrameEmotion(SMALL))
    stage.keep_speech(earlier)
    before = {name: value.clone() for name, value in stage.network.state_dict().items()}
    Run(stage, config.run, tmp_path).train()
    after = stage.network.state_dict()
    speech = [name for name in after if name.startswith("speech.")]
    assert all(torch.equal(after[name], earlier[name]) for name in speech)
    learned = "expression.mean_head.map.weight"
    assert not torch.equal(after[learned], before[learned])


@pytest.mark.slow
def test_a_judged_prior_keeps_what_its_judges_see(tmp_path: Path) -> None:
    config = PriorConfig(
        rows=4, frames=16, validation_frames=16, gap=1.0, contacts=2.0, coefficients=1.0, emotion=2.0, reading=1.0,
        run=RunConfig(steps=40, learning_rate=3e-3, warmup_steps=1),
        shape=MotionPriorShape(width=16, hidden=16, decoder_hidden=16, heads=2, codes=8, dropout=0.0, revival=0.1),
    )  # fmt: skip
    mesh = shipped_mesh()
    torch.manual_seed(0)
    judges = PriorJudges(FrameEmotion(SMALL), LipReader(LipReaderShape(points=int(mesh.is_lip.sum()), width=16)))
    frozen = {name: value.clone() for name, value in judges.state_dict().items()}
    stage = PriorStage(config, TAKES, TAKES, mesh, judges)
    before = stage.terms(np.random.default_rng(0), 0.0)
    assert set(before) == {"face", "lips", "gap", "coefficients", "commitment", "emotion", "reading"}
    Run(stage, config.run, tmp_path).train()
    after = stage.terms(np.random.default_rng(0), 0.0)
    assert after["emotion"].item() < 0.7 * before["emotion"].item()
    assert all(torch.equal(value, frozen[name]) for name, value in judges.state_dict().items())
    motion = TAKES.draw(2, 16, np.random.default_rng(0)).motion
    assert judges.emotion_lost(motion, motion).item() == pytest.approx(0.0, abs=1e-6)


def test_the_quick_reader_sees_what_the_reader_does() -> None:
    mesh = shipped_mesh()
    lips = some_points(mesh, mesh.is_lip)
    torch.manual_seed(1)
    reader = LipReader(LipReaderShape(points=int(mesh.is_lip.sum()), width=16, layers=2))
    motion = TakeWindows([babbling(n) for n in range(4)]).draw(4, 20, np.random.default_rng(0)).motion
    quick = QuickReader(reader, lips)
    seen = reader.features(lips(motion))
    torch.testing.assert_close(quick(motion), seen, atol=0.1, rtol=0.1)
    other = motion.flip(1)
    loss = quick_reading_loss(quick, other, motion).item()
    assert loss == pytest.approx(reading_loss(reader, lips(other), lips(motion)).item(), rel=0.2)
    assert loss > 0.01
    assert quick_reading_loss(quick, motion, motion).item() == pytest.approx(0.0, abs=1e-5)


def test_the_lip_reader_learns_what_the_lips_show(tmp_path: Path) -> None:
    mesh = shipped_mesh()
    config = LipReaderConfig(
        rows=8, frames=20, run=RunConfig(steps=40, learning_rate=3e-3, warmup_steps=1),
        shape=LipReaderShape(points=int(mesh.is_lip.sum()), width=16, layers=2),
    )  # fmt: skip
    talking = TakeWindows([babbling(n) for n in range(6)])
    torch.manual_seed(0)
    run = Run(
        LipReaderStage(config, SeenTakes(talking, talking), SeenTakes(talking, talking), mesh), config.run, tmp_path
    )
    before = run.figures()["viseme_accuracy"]
    after = run.train()
    assert after["viseme_accuracy"] > max(before, 0.5) + 0.2
    assert after["viseme_accuracy_elsewhere"] < after["viseme_accuracy"] - 0.2
    lips = mesh(talking.draw(2, 20, np.random.default_rng(0)).motion)[:, :, mesh.is_lip]
    with torch.no_grad():
        assert float(reading_loss(run.stage.network, lips, lips)) == pytest.approx(0.0, abs=1e-5)
        assert float(reading_loss(run.stage.network, lips.flip(1), lips)) > 0.02


def small_generator(**weights: float) -> GeneratorStage:
    """A generator stage of tiny networks with random judges."""
    torch.manual_seed(0)
    speech = replace(EmbeddingConfig().speech, width=16, heads=2, hidden=16, layers=1)
    encoder = replace(EmbeddingConfig().encoder, channels=8, width=16)
    live = replace(TINY, dropout=0.0)
    shape = CompactShape(
        live=live, emotion_encoder=encoder, emotion=speech,
        prior=MotionPriorShape(width=16, hidden=16, decoder_hidden=16, heads=2, codes=8, dropout=0.0),
        generator=GeneratorShape(
            content=live.width + 2 * len(CLASSES) + LIPS_WIDTH, width=16, heads=2, hidden=16, predictor_width=16,
            predictor_layers=1, codes=8, dropout=0.0,
        ),
    )  # fmt: skip
    embedding = EmotionEmbedding(
        CompactEmotionEncoder(encoder), speech, replace(speech, enters=SMALL.feature_width, cuts=False)
    )
    mesh = shipped_mesh()
    reader = LipReader(LipReaderShape(points=int(mesh.is_lip.sum()), width=16, layers=1))
    config = GeneratorConfig(
        rows=4, frames=16, validation_frames=16, run=RunConfig(steps=12, learning_rate=3e-3, warmup_steps=1), **weights
    )
    judges = Judges(mesh, embedding, FrameEmotion(SMALL), reader)
    return GeneratorStage(config, TAKES, TAKES, CompactDeepTalk(shape), judges)


@pytest.mark.slow
def test_the_generator_learns_and_nothing_else_moves(tmp_path: Path) -> None:
    stage = small_generator(
        codes=1.0,
        gap=1.0,
        contacts=1.0,
        content_dropout=0.2,
        emotion=0.1,
        swapped_emotion=0.1,
        shown=0.1,
        reading=1.0,
        swapped_reading=1.0,
    )
    frozen = {
        name: value.clone() for name, value in stage.system.state_dict().items() if not name.startswith("generator")
    }
    before = {name: value.clone() for name, value in stage.network.state_dict().items()}
    found = Run(stage, stage.config.run, tmp_path).train()
    assert set(found) == {
        "face_mm", "lips_mm", "frames_shut", "viseme_accuracy", "emotion_accuracy", "preset_accuracy",
    }  # fmt: skip
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert logged[0]["event"] == "start"
    assert all(torch.equal(stage.system.state_dict()[name], value) for name, value in frozen.items())
    moved = [name for name, value in before.items() if not torch.equal(stage.network.state_dict()[name], value)]
    assert len(moved) == len(before)


def test_stage_one_makes_no_second_motion_and_the_swap_lends_the_neighbours_emotion() -> None:
    stage = untouched_generator()
    first = stage.terms(np.random.default_rng(0), 0.0)
    assert set(first) == {"face", "lips"}
    second = small_generator(swapped_emotion=1.0, shown=1.0).terms(np.random.default_rng(0), 0.0)
    assert set(second) == {"face", "lips", "shown", "swapped_emotion", "swapped_reading"}
    rows = torch.arange(6)[:, None] * torch.ones(1, 3)
    assert _swapped(rows)[:, 0].tolist() == [1, 0, 3, 2, 5, 4]
    with pytest.raises(ValueError, match="rows 3 must be even"):
        GeneratorStage(GeneratorConfig(rows=3), TAKES, TAKES, stage.system, stage.judges)


def test_takes_are_heard_once_and_cut_like_their_windows() -> None:
    stage = untouched_generator()
    windows = TAKES.draw(6, 16, np.random.default_rng(3))
    content = stage.heard.content(windows)
    assert content.shape[:2] == (6, 16)
    wholes = [whole.audio for whole in TAKES.whole()]
    for row, (take, first) in enumerate(zip(windows.take.tolist(), windows.first.tolist(), strict=True)):
        whole = stage.system.content(wholes[take])[0, first : first + 16]
        torch.testing.assert_close(content[row, : len(whole)], whole, atol=2e-2, rtol=2e-3)  # kept as float16
    felt = stage.heard.emotion(windows, np.random.default_rng(4))
    torch.testing.assert_close(felt.mean.norm(dim=1), torch.ones(6))
    assert stage.heard.presets.shape == (8, felt.mean.shape[1])


@cache
def untouched_generator() -> GeneratorStage:
    """One for the tests that train nothing: it hears every take once, which takes seconds."""
    return small_generator()


def test_content_is_heard_at_the_frames_instant() -> None:
    content = untouched_generator().system.content
    sound = 0.1 * torch.randn(1, 640 * 12, generator=torch.Generator().manual_seed(0))
    whole = content(sound)
    assert whole.shape[:2] == (1, 12)
    changed = sound.clone()
    changed[:, 640 * 8 :] = 0.0
    # a frame hears its own hop and the one after: what changes from sample 640 * 8 on reaches frame 7, not frame 6
    assert torch.equal(content(changed)[:, :7], whole[:, :7])
    assert not torch.equal(content(changed)[:, 7:], whole[:, 7:])
