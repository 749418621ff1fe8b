import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import facestream_models.deeptalk
import facestream_models.diffposetalk
from facestream.motion.diffposetalk.space import MotionSpace
from facestream.retarget.profile import load_profile
from facestream_models.corpus.phones import CLASSES
from facestream_models.corpus.take_store import TakeWriter
from facestream_models.deeptalk.stages.lip_reader import LipReaderConfig
from facestream_models.diffposetalk.compact import COMPACT, ContentMap, compact_model
from facestream_models.diffposetalk.graphs import export_graphs
from facestream_models.diffposetalk.heard_speech import LEVELS, HeardSpeech, levels
from facestream_models.diffposetalk.losses import LossWeights
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.beats import BeatsConfig, BeatsStage
from facestream_models.diffposetalk.stages.build import build_denoiser, build_style, load_styles
from facestream_models.diffposetalk.stages.denoiser import DenoiserConfig, DenoiserStage, unlike
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.style import StyleConfig, StyleNetwork, StyleStage, set_space, with_heads
from facestream_models.diffposetalk.style_encoder import StyleEncoder
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.training.config import read_config
from facestream_models.training.run import Run, RunConfig
from tests.diffposetalk.speaking import FRAME_SAMPLES, loudness, spoken
from tests.live.tiny import TINY, tiny_network

CONFIGS, DEEPTALK_CONFIGS = (
    Path(family.__file__).parent / "configs" for family in (facestream_models.diffposetalk, facestream_models.deeptalk)
)
# Not weighed: of a network that has learned for seconds, the noise it lets in would be all there is to see.
SMALL = replace(COMPACT, width=32, layers=2, heads=2, hidden=64, style_count=16, guess_variance=0.0)


def speakers(count, takes=4, first=0, **options):
    return [spoken(first + s, n, 100 + 7 * n, emotion=n % 3, **options) for s in range(count) for n in range(takes)]


TRAINING = Recordings(speakers(12), loudness)
HELD_OUT = Recordings(speakers(8, first=100), loudness)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 40, 200]))
def test_sound_and_motion_are_cut_alike(seed, frames):
    windows = TRAINING.draw(3, frames, np.random.default_rng(seed))
    assert windows.motion.shape == (3, frames, 54)
    assert windows.content.shape == (3, frames, 4)
    for row in range(3):
        jaw, loud = windows.motion[row, :, 53], windows.content[row, :, 1]
        heard = loud > 0.02
        ratio = jaw[heard] / loud[heard]  # each speaker's own
        assert ratio.numel() == 0 or ratio.max() - ratio.min() < 0.05 * ratio.mean()


def test_takes_follow_each_other_over_silent_smooth_pauses():
    takes = [spoken(3, number) for number in range(3)]
    takes[1].motion[:, 5] = 1.0
    joined = Recordings(takes, loudness)
    assert joined.speakers == ["speaker 3"]
    whole = joined.cut([(0, 0)], round(joined.seconds * 25))
    assert 120 * 3 + 2 * 8 <= whole.motion.shape[1] <= 120 * 3 + 2 * 25
    step = whole.motion[0, :, 5].diff().abs()
    assert whole.motion[0, :, 5].max() == 1.0
    assert 0.0 < step.max() < 0.3
    silent = whole.content[0, :, 1] == 0
    assert bool(silent[1:][step > 0.05].all())


def test_faces_of_one_voice_share_what_is_heard_of_it():
    takes = [spoken(3, number) for number in range(3)]
    other = [
        replace(
            take, utterance=replace(take.utterance, key=f"{take.key}/1"), speaker=f"{take.speaker}/1",
            motion=take.motion + 1.0,
        )
        for take in takes
    ]  # fmt: skip
    heard = []

    def hear(audio):
        heard.append(audio.shape[1])
        return loudness(audio)

    both = Recordings([*takes, *other], hear)
    frames = round(both.seconds * 25) // 2
    assert heard == [frames * FRAME_SAMPLES, 50 * FRAME_SAMPLES]  # once, and silence
    windows = both.cut([(0, 0), (1, 0)], frames)
    assert torch.equal(windows.content[0], windows.content[1])
    torch.testing.assert_close(windows.motion[1, :, 1], windows.motion[0, :, 1] + 1.0, atol=2e-3, rtol=0)


def test_recordings_say_what_they_lack():
    with pytest.raises(ValueError, match="no takes to train on"):
        Recordings([])
    take = spoken(0, 0)
    doubled = {name: np.repeat(getattr(take, name), 2, axis=0) for name in ("curves", "motion", "head")}
    with pytest.raises(ValueError, match="50 frames a second; DiffPoseTalk is trained at 25"):
        Recordings([replace(take, frame_rate=50, **doubled)])
    with pytest.raises(ValueError, match="12 speakers have 210 frames or more; 13 are needed"):
        TRAINING.draw(13, 210, np.random.default_rng(0), distinct=True)
    with pytest.raises(ValueError, match="rows 32: 12 speakers have 210 frames"):
        StyleStage(StyleConfig(), TRAINING, HELD_OUT)
    assert sorted(TRAINING.draw(12, 210, np.random.default_rng(0), distinct=True).recording.tolist()) == list(range(12))


def test_the_space_is_measured_and_known_to_the_runtime_under_released_names():
    network = StyleNetwork(SMALL)
    set_space(network.space, TRAINING)
    motion = torch.from_numpy(TRAINING.motion())
    spoken_of = network.space(motion)
    assert float(spoken_of.mean(dim=0).abs().max()) < 1e-3
    assert float(spoken_of[:, [0, 1, 50, 53]].std(dim=0).sub(1.0).abs().max()) < 1e-3
    assert float(spoken_of[:, 2:50].std()) == 0.0  # what never moves is not blown up
    expression, pose = MotionSpace(network.space.statistics, head_rotation=True).restored(spoken_of[:50].numpy())
    np.testing.assert_allclose(expression, motion[:50, :50], atol=1e-4)
    np.testing.assert_allclose(pose[:, :4], motion[:50, 50:], atol=1e-5)
    assert (pose[:, 4:] == 0.0).all()


def style_run(out, **options):
    config = StyleConfig(
        rows=8, rivals=8, rounds=4, run=RunConfig(steps=30, learning_rate=2e-3, warmup_steps=1, averaging=0.8),
        shape=SMALL,
    )  # fmt: skip
    torch.manual_seed(0)
    training = Recordings(speakers(12, **options))
    return Run(StyleStage(config, training, Recordings(speakers(8, first=100, **options))), config.run, out)


@pytest.mark.slow
def test_styles_tell_speakers_apart_only_where_they_differ(tmp_path):
    found = style_run(tmp_path / "style").train()
    assert found["chance"] == 1 / 8
    assert found["rank1"] > 0.7
    assert found["rank1_anywhere"] > 0.7
    alike = style_run(tmp_path / "alike", alike=True).train()
    assert alike["rank1_anywhere"] < 0.4
    again = load_styles(tmp_path)
    assert torch.equal(again.space.mean, torch.load(tmp_path / "style" / "weights.pt")["weights"]["space.mean"])


@pytest.mark.slow
def test_styles_that_are_asked_learn_to_tell_traits(tmp_path):
    config = StyleConfig(
        rows=12, rivals=8, rounds=4, shape=SMALL, traits_weight=1.0, head_range=2.0,
        run=RunConfig(steps=60, learning_rate=2e-3, warmup_steps=1, averaging=0.9, report_every=10),
    )  # fmt: skip
    torch.manual_seed(0)
    run = Run(StyleStage(config, Recordings(speakers(12)), Recordings(speakers(8, first=100))), config.run, tmp_path)
    found = run.train()
    assert {"r.jaw_scale", "r.head_amplitude"} <= set(found)
    reports = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    told = [line["traits"] for line in reports if line["event"] == "train"]
    assert told[-1] < 0.7 * told[0]
    stored = torch.load(tmp_path / "weights.pt")
    assert stored["facts"]["tells_traits"]
    (tmp_path / "runs" / "style").mkdir(parents=True)
    (tmp_path / "weights.pt").rename(tmp_path / "runs" / "style" / "weights.pt")
    again = load_styles(tmp_path / "runs")
    assert torch.equal(again.traits.mean, stored["weights"]["traits.mean"])


def test_styles_that_are_not_asked_have_no_traits(tmp_path):
    untold = style_run(tmp_path)
    assert untold.stage.styles.traits is None
    assert "traits" not in untold.stage.terms(np.random.default_rng(0), 0.0)


@pytest.mark.slow
def test_beats_are_found_where_heads_follow_the_voice(tmp_path):
    def nodding(speaker, number, *, hears):
        take = spoken(speaker, number)
        random = np.random.default_rng([speaker, number])
        loud = np.repeat(random.uniform(0.0, 1.0, 12), 10)[:120] if hears else random.uniform(0.0, 1.0, 120)
        audio = (loud[:, None] ** 2 * 8000.0 * np.ones(FRAME_SAMPLES)).astype(np.int16).ravel()
        take.head[:, 0] = 0.1 * np.repeat(random.uniform(0.0, 1.0, 12) if not hears else loud[::10], 10)[:120]
        return replace(take, utterance=replace(take.utterance, audio=audio), traits=np.ones_like(take.traits))

    found = {}
    for hears in (True, False):
        training, held_out = (
            Recordings([nodding(s, n, hears=hears) for s in range(first, first + 6) for n in range(3)], levels)
            for first in (0, 100)
        )
        config = BeatsConfig(rows=8, validation_rows=20, run=RunConfig(steps=80, learning_rate=3e-3, warmup_steps=5,
                                                                      averaging=0.9), width=SMALL.width)  # fmt: skip
        torch.manual_seed(0)
        found[hears] = Run(BeatsStage(config, training, held_out), config.run, tmp_path / str(hears)).train()
    assert found[True]["r.pitch"] > 0.7
    assert abs(found[False]["r.pitch"]) < 0.3


def test_a_denoiser_goes_on_from_the_beats_that_were_found_and_hears_silence_as_lasting():
    stage = denoiser_stage()
    speech = stage.speech
    with torch.no_grad():
        speech.beats.out.weight.normal_(generator=torch.Generator().manual_seed(0))
        whole = speech(TRAINING.silence.expand(1, 60, -1))
    assert not torch.allclose(speech.map(TRAINING.silence), whole[0, -1])
    torch.testing.assert_close(speech.lasting(TRAINING.silence), whole[0, -1])
    torch.testing.assert_close(whole, whole[:, -1:].expand_as(whole))  # a stream begins in silence


class MeanMotion(StyleNetwork):
    """A style that needs no training: where the face is on the average."""

    def forward(self, motion):
        return self.space(motion).mean(dim=1)[:, : self.width]


def denoiser_stage(steps=10, styles=StyleNetwork, **options):
    torch.manual_seed(0)
    styles = styles(SMALL)
    set_space(styles.space, TRAINING)
    config = DenoiserConfig(
        rows=4, every_point=40, validation_rows=6, validation_steps=3, step_power=1.0, shape=SMALL,
        run=RunConfig(steps=steps, learning_rate=3e-3, warmup_steps=1, averaging=0.9, weight_decay=0.0), **options,
    )  # fmt: skip
    return DenoiserStage(config, TRAINING, HELD_OUT, styles, shipped_mesh())


@pytest.mark.slow
def test_the_denoiser_learns_to_follow_speech(tmp_path):
    stage = denoiser_stage(steps=100, styles=MeanMotion)
    run = Run(stage, stage.config.run, tmp_path)
    before = run.figures()
    after = run.train()
    assert after["lips_mm"] < 0.9 * before["lips_mm"]
    assert after["lips_mm"] < 0.96 * after["lips_mm_other_speech"]
    # negative control: fresh weights do not tell one speech from another
    assert before["lips_mm"] > 0.99 * before["lips_mm_other_speech"]
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {"simple", "vertex", "velocity", "smooth", "head", "head_velocity", "head_smooth", "head_transition"} <= set(
        logged[1]
    )


@pytest.mark.slow
def test_the_denoiser_learns_to_wear_a_style(tmp_path):
    stage = denoiser_stage(steps=400, styles=MeanMotion)
    run = Run(stage, stage.config.run, tmp_path)
    before = run.figures()
    after = run.train()
    assert after["face_mm"] < 0.9 * after["face_mm_other_style"]
    assert after["lips_mm"] < 0.9 * after["lips_mm_other_speech"]
    assert before["face_mm"] > 0.99 * before["face_mm_other_style"]


def test_training_the_denoiser_leaves_styles_as_they_are(tmp_path):
    stage = denoiser_stage(steps=1)
    frozen = {name: value.clone() for name, value in stage.styles.state_dict().items()}
    Run(stage, stage.config.run, tmp_path).train()
    assert all(torch.equal(value, frozen[name]) for name, value in stage.styles.state_dict().items())


def test_a_guess_is_asked_for_the_style_it_was_given():
    stage = denoiser_stage(
        weights=LossWeights(style=2.0), style_taken=0.0, both_taken=0.0, ends_first=0.0, ends_second=0.0
    )
    motion = torch.randn(3, 100, 54, generator=torch.Generator().manual_seed(0))
    own = stage.styles.encoder(motion)
    assert float(unlike(own, own)) < 1e-6
    assert 1e-3 < float(unlike(own, own.roll(1, 0))) <= 2.0
    assert float(unlike(own[:0], own[:0])) == 0.0
    terms = stage.terms(np.random.default_rng(0), 0.0)
    terms["style"].backward()
    assert stage.model.denoiser.person.weight.grad.abs().sum() > 0.0
    assert all(weight.grad is None for weight in stage.styles.parameters())
    # where no window has its style, or none is whole, there is nothing to ask
    for options in ({"style_taken": 1.0, "both_taken": 0.0}, {"ends_first": 1.0, "ends_second": 1.0}):
        nobody = denoiser_stage(weights=LossWeights(style=2.0), **options)
        assert nobody.terms(np.random.default_rng(0), 0.0)["style"].item() == 0.0
    assert "style" not in denoiser_stage().terms(np.random.default_rng(0), 0.0)


def telling_styles(shape):
    styles = StyleNetwork(shape, tells_traits=True)
    styles.traits.measure(torch.from_numpy(TRAINING.traits))
    return styles


def test_a_guess_is_asked_for_the_traits_that_its_style_tells():
    stage = denoiser_stage(styles=telling_styles, weights=LossWeights(style=1.0, traits=1.0), style_taken=0.0,
                           both_taken=0.0, ends_first=0.0, ends_second=0.0)  # fmt: skip
    motion = torch.randn(3, 100, 54, generator=torch.Generator().manual_seed(0))
    own, step = stage.styles.encoder(motion), torch.tensor([1, 250, 500])
    assert float(stage._other_traits(own, own, step)) < 1e-9
    apart = [float(stage._other_traits(own[:1], own[1:2], step[place : place + 1])) for place in range(3)]
    # out of nothing but noise a calm guess is right
    assert apart[0] > 1.5 * apart[1] > 0.0
    assert apart[2] < 1e-4 * apart[0]
    terms = stage.terms(np.random.default_rng(0), 0.0)
    terms["traits"].backward()
    assert stage.model.denoiser.person.weight.grad.abs().sum() > 0.0
    assert all(weight.grad is None for weight in stage.styles.parameters())
    assert "traits" not in denoiser_stage(weights=LossWeights(style=1.0, traits=1.0)).terms(
        np.random.default_rng(0), 0.0
    )


def test_livelier_heads_turn_further_about_the_same_place_and_faces_stay():
    motion = torch.randn(2, 50, 54, generator=torch.Generator().manual_seed(1))
    varied = with_heads(motion, torch.tensor([1.0, 2.0]), SMALL)
    head = SMALL.head_components
    torch.testing.assert_close(varied[0], motion[0])
    torch.testing.assert_close(varied[1, :, head].mean(dim=0), motion[1, :, head].mean(dim=0))
    torch.testing.assert_close(varied[1, :, head].std(dim=0), 2.0 * motion[1, :, head].std(dim=0))
    assert torch.equal(varied[..., :50], motion[..., :50])
    assert torch.equal(varied[..., 53:], motion[..., 53:])


def gradients(stage):
    torch.stack(list(stage.terms(np.random.default_rng(0), 0.0).values())).sum().backward()
    model = stage.model
    return {
        name: 0.0 if value.grad is None else float(value.grad.abs().sum())
        for name, value in (
            ("null_style", model.null_style), ("null_audio", model.null_audio), ("speech", model.speech.map.weight),
            ("start", model.start_motion),
        )
    }  # fmt: skip


def test_conditions_are_taken_away_as_often_as_is_asked():
    none = gradients(denoiser_stage(style_taken=0.0, both_taken=0.0))
    assert none["null_style"] == none["null_audio"] == 0.0
    assert min(none["speech"], none["start"]) > 0.0
    style = gradients(denoiser_stage(style_taken=1.0, both_taken=0.0))
    assert style["null_style"] > 0.0
    assert style["null_audio"] == 0.0
    both = gradients(denoiser_stage(style_taken=0.0, both_taken=1.0))
    assert min(both["null_style"], both["null_audio"]) > 0.0
    assert both["speech"] == 0.0


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_window_that_ends_early_is_followed_by_nothing(chance):
    stage = denoiser_stage()
    motion, features, silence = torch.ones(50, 100, 54), torch.ones(50, 100, 32), torch.full((32,), 7.0)
    half = stage._half(motion, features, stage.model.start(50), chance, silence, np.random.default_rng(0))
    ends = half.counts.sum(dim=1)
    assert torch.equal(half.counts, (torch.arange(100) < ends[:, None]).float())
    if chance == 0.0:
        assert bool((ends == 100).all())
    else:
        assert ends.min() >= 1
        assert ends.max() <= 99
        assert len(set(ends.tolist())) > 20
    assert torch.equal(half.motion[..., 0], half.counts)
    assert torch.equal(half.features[..., 0], torch.where(half.counts > 0, 1.0, 7.0))


def test_a_stopped_run_ends_where_the_other_does(tmp_path):
    def run(name):
        return Run(stage := denoiser_stage(steps=4), stage.config.run, tmp_path / name)

    whole, first = run("whole"), run("two")
    whole.train()
    for _ in range(2):
        first._one_step()
    first.save()
    second = run("two")
    assert second.resume()
    second.train()
    for name, value in whole.average.items():
        assert torch.equal(value, second.average[name]), name


def test_stages_find_what_those_before_them_left(tmp_path):
    for part, first in (("train", 0), ("validation", 50)):
        with TakeWriter(tmp_path / "data" / part, "takes-p0", load_profile().head_digest) as writer:
            for take in speakers(3, takes=3, first=first):
                writer.add(take)
    table = "\n[shape]\n" + "\n".join(
        f"{name} = {getattr(SMALL, name)}"
        for name in ("width", "layers", "heads", "hidden", "style_count", "identity_count")
    )
    settings = tmp_path / "config.toml"
    settings.write_text(f"rows = 2\n[run]\nsteps = 1\n{table}\n")
    runs = tmp_path / "runs"
    with pytest.raises(FileNotFoundError, match=r"train the live network into .*live first"):
        build_denoiser(settings, tmp_path / "data", runs / "denoiser")
    live = tiny_network()
    (runs / "live").mkdir(parents=True)
    torch.save({"weights": live.state_dict(), "facts": {"shape": asdict(TINY)}}, runs / "live" / "weights.pt")
    with pytest.raises(FileNotFoundError, match="train stage style"):
        build_denoiser(settings, tmp_path / "data", runs / "denoiser")
    build_style(settings, tmp_path / "data", runs / "style").train()
    found = build_denoiser(settings, tmp_path / "data", runs / "denoiser").train()
    assert all(np.isfinite(value) for value in found.values())
    settings.write_text(settings.read_text().replace("style_count = 16", "style_count = 24"))
    with pytest.raises(ValueError, match=r"shape has styles of 24 numbers from 54; those trained .* have 16 from 54"):
        build_denoiser(settings, tmp_path / "data", runs / "denoiser")


def test_the_shipped_settings_are_those_of_one_model():
    style = read_config(CONFIGS / "style_compact.toml", StyleConfig)
    denoiser = read_config(CONFIGS / "denoiser_compact.toml", DenoiserConfig)
    assert style.shape == denoiser.shape == COMPACT


def test_who_measures_the_model_is_trained_apart_from_it():
    taught, judge = (read_config(CONFIGS / f"style_{name}.toml", StyleConfig) for name in ("compact", "judge"))
    assert judge.shape == taught.shape
    assert judge.run.seed != taught.run.seed
    lips = {folder: read_config(folder / "lip_reader.toml", LipReaderConfig) for folder in (CONFIGS, DEEPTALK_CONFIGS)}
    assert lips[CONFIGS].in_codes_of == "", "the prior of deeptalk is no part of this model"
    assert lips[CONFIGS].run.seed != lips[DEEPTALK_CONFIGS].run.seed


def test_a_trained_model_hears_audio_and_becomes_graphs_of_any_length(tmp_path):
    torch.manual_seed(1)
    content = TINY.width + 2 * len(CLASSES) + LEVELS
    trained = DiffPoseTalk(SMALL, ContentMap(SMALL.width, content)).eval()
    live = tiny_network()
    model = compact_model(trained, live)
    audio = 0.1 * torch.randn(1, 30 * FRAME_SAMPLES)
    torch.testing.assert_close(model.speech(audio), trained.speech(HeardSpeech(live)(audio)))
    assert torch.equal(model.denoiser.positions, trained.denoiser.positions)
    assert torch.equal(model.null_audio, trained.null_audio)
    graphs = export_graphs(model, StyleEncoder(SMALL, legacy_positions=False).eval(), tmp_path)
    assert graphs["denoise.onnx"].inputs["person"] == ["G*B", 16]
