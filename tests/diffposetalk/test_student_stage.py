from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import facestream_models.diffposetalk
from facestream.motion.diffposetalk.samplers.base import log_clarity, steps_by_clarity
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.bundle import DistilledStudent, Pieces
from facestream_models.diffposetalk.compact import COMPACT, ContentMap
from facestream_models.diffposetalk.model import DiffPoseTalk
from facestream_models.diffposetalk.stages.build import load_student, weights_digest
from facestream_models.diffposetalk.stages.lessons import (
    HopConfig,
    LessonConfig,
    LessonStore,
    Teacher,
    live_cut,
    picked,
    teacher_plan,
)
from facestream_models.diffposetalk.stages.recordings import Recordings
from facestream_models.diffposetalk.stages.student import StudentConfig, StudentStage
from facestream_models.diffposetalk.stages.student_exam import ExamConfig
from facestream_models.diffposetalk.stages.style import StyleNetwork, set_space
from facestream_models.diffposetalk.student import Grids
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.training.config import read_config
from facestream_models.training.run import Run, RunConfig
from tests.diffposetalk.speaking import loudness, spoken

CONFIGS = Path(facestream_models.diffposetalk.__file__).parent / "configs"
SMALL = replace(COMPACT, window=24, past=4, width=32, layers=2, heads=2, hidden=64, style_count=16, guess_variance=0.0)
LESSONS = LessonConfig(rows=4)
LIVE = HopConfig(known=6, fresh=5, beyond=4)
RECORDINGS = Recordings([spoken(s, n, 100, emotion=n % 3) for s in range(6) for n in range(3)], loudness)


def system():
    """A teacher whose guidance and noise show, and styles in whose space it moves."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(4)
        model = DiffPoseTalk(SMALL, ContentMap(SMALL.width, 4)).eval()
        model.denoiser.person.weight *= 2.0
        model.start_motion *= 0.3
        styles = StyleNetwork(SMALL)
    set_space(styles.space, RECORDINGS)
    return model, styles


def teacher(**changes):
    model, styles = system()
    return Teacher(replace(LESSONS, **changes), model, styles, RECORDINGS, seed=1)


def test_lessons_lead_from_noise_past_every_node_under_all_conditions():
    one = teacher()
    assert one.nodes == Grids().steps
    seen = [one.group(number) for number in range(12)]
    for lessons in seen:
        window, noise = lessons.window, lessons.states[:, 0]
        assert lessons.states.shape == (4, 7, 24, 54)
        assert abs(float(noise.std()) - 1.0) < 0.1
        assert (window.known.counts == 0).all()
        assert 1.0 <= float(window.scales[0, 0]) <= 2.0
        assert 0.0 <= float(window.scales[0, 1]) <= 4.0
        unstyled = (window.person == one.model.null_style[0, 0]).all(dim=1)
        assert bool(unstyled.all()) == bool((window.scales[:, 1] == 0.0).all())
    scales = torch.stack([lessons.window.scales[0] for lessons in seen])
    assert (scales[:, 0] == 1.0).any()
    assert (scales[:, 0] > 1.0).any()
    assert scales[:, 1].std() > 0.3


def test_some_wear_a_named_style():
    model, styles = system()
    named = torch.randn(3, SMALL.style_count)
    with pytest.raises(ValueError, match="no named styles"):
        Teacher(replace(LESSONS, named=0.5), model, styles, RECORDINGS, seed=1)
    one = Teacher(replace(LESSONS, named=0.5, styled=1.0), model, styles, RECORDINGS, seed=1, named=named)
    worn = torch.cat([one.group(number).window.person for number in range(8)])
    is_named = (worn[:, None, -SMALL.style_count :] == named).all(dim=2)
    assert 0.25 < float(is_named.any(dim=1).float().mean()) < 0.75
    assert is_named.any(dim=0).all()


def test_the_shipped_student_learns_hops_as_they_are_served():
    taught = read_config(CONFIGS / "student_compact.toml", StudentConfig).live
    served, pieces = DistilledStudent._field_defaults, Pieces()
    assert (taught.known, taught.beyond) == (served["known_frames"], served["beyond_frames"])
    assert (taught.hop, taught.fresh) == (pieces.hop_frames, pieces.hop_frames + pieces.ahead_frames)


def cut_of(filling, seed=0):
    one = teacher(ends=0.0)
    lessons = one.group(1)
    return lessons, live_cut(lessons, replace(LIVE, filling=filling), one.silence, np.random.default_rng(seed)), one


def test_a_hop_is_cut_out_of_a_whole_window_as_the_runtime_fills_it():
    lessons, (window, states), one = cut_of(filling=0.0)
    begun = torch.cat([lessons.window.past.motion, lessons.states[:, -1]], dim=1)
    heard = torch.cat([lessons.window.past.audio, lessons.window.audio], dim=1)
    assert states.shape == (4, 7, LIVE.frames, 54)
    firsts = set()
    for row in range(4):
        [first] = [n for n in range(24) if torch.equal(states[row, 0, 0], lessons.states[row, 0, n])]
        firsts.add(first)
        known, end = int(window.known.counts[row].sum()), int(window.indicator[row].sum())
        assert known <= LIVE.known
        assert end == known + LIVE.fresh
        assert torch.equal(states[row], lessons.states[row, :, first : first + LIVE.frames])
        assert torch.equal(window.known.motion[row, :known], lessons.states[row, -1, first : first + known])
        assert torch.equal(window.past.motion[row], begun[row, first : first + 4])
        assert torch.equal(window.past.audio[row], heard[row, first : first + 4])
        assert torch.equal(window.audio[row, :end], lessons.window.audio[row, first : first + end])
        assert torch.equal(window.audio[row, end:], one.silence.expand(LIVE.frames - end, -1))
    assert len(firsts) > 1


def test_a_stream_that_has_only_begun_knows_fewer_frames():
    _, (window, _), _ = cut_of(filling=1.0)
    assert set(window.known.counts.sum(dim=1).tolist()) <= {0.0, 4.0}
    assert torch.equal(window.indicator.sum(dim=1), window.known.counts.sum(dim=1) + LIVE.fresh)


def test_no_hop_lies_behind_the_end_of_its_window():
    one = teacher(ends=1.0)
    lessons = one.group(2)
    ends = lessons.window.indicator.sum(dim=1)
    for seed in range(20):
        _, states = live_cut(lessons, LIVE, one.silence, np.random.default_rng(seed))
        for row in range(4):
            first = next(n for n in range(24) if torch.equal(states[row, 0, 0], lessons.states[row, 0, n]))
            assert first + LIVE.frames <= max(float(ends[row]), LIVE.frames)


@pytest.mark.parametrize("count", [3, 8, 12, 25, 100])
def test_the_teacher_meets_every_node_and_takes_no_tiny_stride(count):
    schedule = cosine_schedule()
    clarity = log_clarity(schedule)
    steps = [update.step for update in teacher_plan(count)]
    assert set(Grids().steps) - {0} <= set(steps)
    assert len(steps) <= count + 5
    own = [step for step, _ in steps_by_clarity(schedule, count)]
    widest = float(np.diff(clarity[np.array(own[1:]) - 1]).max())
    strides = np.diff(clarity[np.array(steps) - 1])
    others = [place for place, pair in enumerate(pairwise(steps)) if not set(pair) <= set(Grids().steps)]
    assert min(strides[others]) > 0.25 * widest or count > 25  # finer than that, whole steps are the limit


def test_a_run_that_was_stopped_finds_the_lessons_it_had():
    through = LessonStore(teacher(), 3)
    for number in range(6):
        kept = through.up_to(number)
    again = LessonStore(teacher(), 3).up_to(5)
    for one, other in zip(kept, again, strict=True):
        assert torch.equal(one.states, other.states)
        assert torch.equal(one.window.audio, other.window.audio)
    assert not torch.equal(kept[0].states, kept[1].states)


def test_rows_are_picked_from_several_lessons():
    lessons = [teacher().group(number) for number in range(2)]
    found = picked([lessons[1], lessons[0], lessons[1]], [3, 0, 2])
    assert torch.equal(found.states, torch.stack([lessons[1].states[3], lessons[0].states[0], lessons[1].states[2]]))
    assert torch.equal(found.window.past.audio[1], lessons[0].window.past.audio[0])


def stage(steps=2, **changes):
    model, styles = system()
    config = StudentConfig(
        rows=12, groups=6, renew_every=6, every_point=40, lessons=LESSONS, live=LIVE,
        exam=ExamConfig(rows=6, steps=24),
        run=RunConfig(steps=steps, learning_rate=3e-3, warmup_steps=5, averaging=0.9),
    )  # fmt: skip
    told = {"teacher": weights_digest(model), "teacher_step": 3}
    torch.manual_seed(0)
    return StudentStage(replace(config, **changes), model, told, RECORDINGS, RECORDINGS, styles, shipped_mesh())


def test_a_step_moves_the_student_and_never_its_teacher():
    one = stage()
    before = {name: value.clone() for name, value in one.student.state_dict().items()}
    model = one._exam.teacher.model
    digest = weights_digest(model)
    terms = one.terms(np.random.default_rng(0), 0.0)
    of_one = {"simple", "vertex", "velocity", "head", "head_velocity", "liveliness"}
    assert of_one | {f"live_{name}" for name in of_one} <= set(terms)
    torch.stack(list(terms.values())).sum().backward()
    torch.optim.SGD([p for p in one.student.parameters() if p.requires_grad], lr=0.1).step()
    moved = {name for name, value in one.student.state_dict().items() if not torch.equal(value, before[name])}
    assert "aim.2.weight" in moved
    assert "known" in moved
    assert not [name for name in moved if "cross_attention" in name]
    assert weights_digest(model) == digest
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.slow
def test_training_leads_nearer_to_the_teacher(tmp_path):
    one = stage(steps=220)
    run = Run(one, one.config.run, tmp_path / "student")
    untaught = run.figures()
    found = run.train()
    for steps in (1, 2, 3):
        for part in ("lips_mm", "live_lips_mm"):
            assert found[f"{part}_{steps}"] < 0.9 * untaught[f"{part}_{steps}"], (part, steps)
        # heads of this teacher tremble, which no student follows; it can be as lively
        for part in ("head_speed_share", "live_head_speed_share"):
            assert abs(found[f"{part}_{steps}"] - 1.0) < 0.6 * abs(untaught[f"{part}_{steps}"] - 1.0), (part, steps)
    model, _ = system()
    again, stored = load_student(tmp_path, model)
    assert torch.equal(again.known, stored["weights"]["known"])
    assert stored["facts"]["style_scales"] == [0.0, 4.0]
    with torch.no_grad():
        model.null_audio += 1.0
    with pytest.raises(ValueError, match=r"learned from other weights \(step 3\).*train stage student again"):
        load_student(tmp_path, model)


def test_the_shipped_settings_can_be_read():
    config = read_config(CONFIGS / "student_compact.toml", StudentConfig)
    assert config.run.steps > 100
