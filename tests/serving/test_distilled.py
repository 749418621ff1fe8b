"""Few steps of a bundle with a distilled network: asked for, refused, counted and fitted together live."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facestream.acting import ActingChange
from facestream.engines.bundle import Bundle
from facestream.errors import BundleError, InvalidValue
from facestream.motion.diffposetalk.source import DiffPoseTalkMotion, Pace
from facestream.polish.options import PolishOptions
from facestream.serving.clip import animate
from facestream.serving.live_stream import StreamOptions
from facestream.serving.pipeline import Pipeline
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream.types import Float32, Frames
from tests.diffposetalk.tiny_bundle import PIECES, tiny_folder, write_tiny_diffposetalk
from tests.serving.streams import animated, animated_together, babble

STILL = PolishOptions(blinks=False, gaze=False)


def styled(**values: Any) -> ActingChange:
    return ActingChange(styling=StylingChange(**values))


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return open_pipeline(str(tiny_folder(has_student=True)))


def made(pipeline: Pipeline, *, is_clip: bool, seconds: float = 0.8, seed: int = 1, **values: Any) -> Float32:
    options = StreamOptions(polish=STILL, seed=seed, acting=styled(**values))
    samples = babble(3, 16000, seconds)
    frames: Frames = animate(samples, options, pipeline) if is_clip else animated(pipeline, samples, options)
    assert frames.pose is not None
    return np.concatenate([frames.weights, frames.pose.head], axis=1)


@pytest.fixture
def asked(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[int]]:
    """Rows of each evaluation, of either network."""
    assert isinstance(pipeline.source, DiffPoseTalkMotion)
    graphs, counts = pipeline.source._graphs, dict[str, list[int]](own=[], distilled=[])

    def counting(name: str, kind: str, place: int) -> None:
        method = getattr(graphs, name)

        def counted(*given: Any) -> Float32:
            counts[kind].append(len(given[place]))
            found: Float32 = method(*given)
            return found

        monkeypatch.setattr(graphs, name, counted)

    counting("guess", "own", 4)
    counting("guess_stride", "distilled", 0)
    return counts


@pytest.mark.parametrize("is_clip", [False, True])
@pytest.mark.parametrize(
    ("values", "own", "distilled"),
    [
        ({"steps": 2}, 0, 2),
        ({"steps": 4}, 0, 4),
        ({}, 0, 3),  # the bundle's own count is 3
        ({"sampler": "distilled", "steps": 1}, 0, 1),
        ({"steps": 5}, 5, 0),
        ({"steps": 2, "sampler": "ddim"}, 2, 0),
        ({"steps": 2, "audio_scale": 3.0}, 2, 0),
        ({"steps": 2, "strength": 2.0, "style_scale": 2.1}, 2, 0),
        ({"steps": 2, "guidance": "independent"}, 2, 0),
    ],
)
def test_few_steps_are_the_distilled_networks_as_far_as_it_learned(
    pipeline: Pipeline, asked: dict[str, list[int]], is_clip: bool, values: dict[str, Any], own: int, distilled: int
) -> None:
    made(pipeline, is_clip=is_clip, seconds=0.3, style="calm", **values)
    windows = 1 if is_clip else 4  # 300 ms of rest behind 300 of sound
    assert len(asked["own"]) == windows * own
    assert asked["distilled"] == [1] * (windows * distilled)


def test_hops_take_the_steps_that_they_have_time_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = open_pipeline(str(write_tiny_diffposetalk(tmp_path / "hurried", live_steps=2)))
    assert isinstance(pipeline.source, DiffPoseTalkMotion)
    asked, guess = [], pipeline.source._graphs.guess

    def counted(*given: Any) -> Float32:
        asked.append(1)
        return guess(*given)

    monkeypatch.setattr(pipeline.source._graphs, "guess", counted)
    for is_clip, values, evaluations in ((True, {}, 3), (False, {}, 4 * 2), (False, {"steps": 3}, 4 * 3)):
        asked.clear()
        made(pipeline, is_clip=is_clip, seconds=0.3, **values)
        assert len(asked) == evaluations, (is_clip, values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"steps": 5}, "styling.steps: got 5; allowed: 1 to 4 with sampler 'distilled'"),
        ({"audio_scale": 0.5}, "styling.audio_scale: got 0.5; allowed: 1 to 2 with sampler 'distilled'"),
        (
            {"style_scale": 3.0, "strength": 1.5},
            "styling.style_scale times strength: got 4.5; allowed: 0 to 4 with sampler 'distilled'",
        ),
        ({"guidance": "independent"}, "styling.guidance: got 'independent'; allowed: incremental with sampler"),
    ],
)
def test_what_it_has_not_learned_is_refused_where_it_is_named(
    pipeline: Pipeline, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidValue, match=said):
        pipeline.open(StreamOptions(acting=styled(sampler="distilled", **values)))
    stream = pipeline.open(StreamOptions(acting=styled(sampler="distilled")))
    with pytest.raises(InvalidValue, match=said):
        stream.act(styled(**values), 0)
    stream.close()


def test_a_bundle_without_one_knows_no_such_sampler() -> None:
    without = open_pipeline(str(tiny_folder()))
    with pytest.raises(InvalidValue, match="sampler: got 'distilled'; allowed: one of ddpm, ddim, dpm-solver"):
        without.open(StreamOptions(acting=styled(sampler="distilled")))


@pytest.mark.parametrize("is_clip", [False, True])
def test_style_its_strength_scales_and_seed_all_show(pipeline: Pipeline, is_clip: bool) -> None:
    usual = made(pipeline, is_clip=is_clip, style="calm", steps=2)
    np.testing.assert_array_equal(usual, made(pipeline, is_clip=is_clip, style="calm", steps=2))
    for other in (
        made(pipeline, is_clip=is_clip, style="lively", steps=2),
        made(pipeline, is_clip=is_clip, steps=2),
        made(pipeline, is_clip=is_clip, style="calm", steps=2, strength=0.5),
        made(pipeline, is_clip=is_clip, style="calm", steps=2, audio_scale=2.0),
        made(pipeline, is_clip=is_clip, style="calm", steps=1),
        made(pipeline, is_clip=is_clip, style="calm", steps=2, seed=2),
        made(pipeline, is_clip=is_clip, style="calm", steps=2, sampler="ddim"),
    ):
        assert np.abs(other - usual).mean() > 1e-4
    nobody = made(pipeline, is_clip=is_clip, steps=2)
    np.testing.assert_array_equal(made(pipeline, is_clip=is_clip, style="calm", steps=2, strength=0.0), nobody)
    np.testing.assert_array_equal(made(pipeline, is_clip=is_clip, style="calm", steps=2, style_scale=0.0), nobody)


@pytest.mark.parametrize(("is_clip", "own", "other"), [(False, 1.0, 1.15), (True, 1.15, 1.0)])
def test_hops_in_few_steps_and_recordings_in_many_each_take_their_networks_audio_scale(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, is_clip: bool, own: float, other: float
) -> None:
    assert isinstance(pipeline.source, DiffPoseTalkMotion)
    monkeypatch.setattr(pipeline.source, "_styles", replace(pipeline.source._styles, steps=6))
    usual, same, changed = (
        made(pipeline, is_clip=is_clip, seconds=0.3, audio_scale=scale) for scale in (None, own, other)
    )
    np.testing.assert_array_equal(usual, same)
    assert np.abs(changed - usual).max() > 1e-4


def test_both_networks_serve_streams_of_one_step(pipeline: Pipeline) -> None:
    audio = [babble(seed, 16000, 0.8 + 0.2 * seed) for seed in range(4)]
    acting = [
        styled(steps=2), styled(style="calm", steps=4), styled(style="lively", steps=6), styled(style="calm", steps=2),
    ]  # fmt: skip
    options = [StreamOptions(seed=seed, acting=acting[seed]) for seed in range(4)]
    for seed, found in enumerate(animated_together(pipeline, audio, options)):
        alone = animated(pipeline, audio[seed], options[seed])
        np.testing.assert_allclose(found.weights, alone.weights, atol=2e-5)


def test_one_branch_is_all_that_a_stride_takes(pipeline: Pipeline) -> None:
    fresh = open_pipeline(str(tiny_folder(has_student=True)))
    assert isinstance(fresh.source, DiffPoseTalkMotion)
    fresh.warm_up()
    fresh.source.pace = Pace(evaluation_s=0.045, stride_s=0.045, beside_s=0.02)
    fresh.open(StreamOptions(acting=styled(style="calm", steps=3))).close()
    with pytest.raises(InvalidValue, match="allowed: 1 to 3 live on this machine, where one takes 45 ms in 1 branches"):
        fresh.open(StreamOptions(acting=styled(style="calm", steps=4)))
    with pytest.raises(InvalidValue, match=r"allowed: 1 to 1 live .* takes 135 ms in 3 branches"):
        fresh.open(StreamOptions(acting=styled(style="calm", steps=3, sampler="ddim")))


def test_a_step_takes_as_many_streams_as_it_has_time_for(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.source, "pace", Pace(evaluation_s=0.01, stride_s=0.006, beside_s=0.003))
    few, many = (
        [pipeline.open(StreamOptions(acting=styled(steps=steps, audio_scale=1.0))) for _ in range(20)]
        for steps in (2, 8)
    )
    assert pipeline.rows_in_step(few) == 8  # of 15 ms each
    assert pipeline.rows_in_step(many) == 1  # of 83 ms
    assert pipeline.rows_in_step([*few[:2], *many]) == 3
    for stream in (*few, *many):
        stream.close()


def test_hops_meet_what_was_given_out(pipeline: Pipeline) -> None:
    """A hop begins where the last one ended: known frames are minded even in a single evaluation."""
    assert PIECES.known_frames > 0
    frames = made(pipeline, is_clip=False, seconds=3.0, style="calm", steps=1)
    assert np.isfinite(frames).all()
    assert frames.shape[0] > 80


def test_a_manifest_that_forgets_its_network_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_folder(has_student=True), folder)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"distilled": None}))
    with pytest.raises(BundleError, match="5 graphs, expected 4: distilled is None"):
        Bundle.open(folder)
