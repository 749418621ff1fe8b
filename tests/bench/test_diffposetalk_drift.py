import numpy as np
import pytest

from facestream.engines.bundle import Bundle
from facestream.errors import InvalidValue
from facestream_bench import diffposetalk_drift
from facestream_bench.diffposetalk_drift import Drift, Shown, measure, measure_distilled
from tests.diffposetalk.tiny_bundle import SHAPE, STYLES, tiny_folder
from tests.serving.streams import babble


@pytest.fixture(scope="module")
def drift():
    return Drift.of(Bundle.open(tiny_folder()), [babble(1, 16000, 2.1)])


def test_errors_shrink_with_steps_and_another_seed_is_elsewhere(drift, monkeypatch):
    monkeypatch.setattr(diffposetalk_drift, "REFERENCE_STEPS", 60)
    figures = measure(drift, ["dpm-solver++"], (2, 8, 30))
    assert figures["windows"] == 2 * len(STYLES)  # 2.1 s hold two windows of 0.96 s
    for part in ("lips", "head"):
        shares = [figures[f"dpm-solver++.{count:03d}.{part}_share"] for count in (2, 8, 30)]
        assert shares[0] > 2 * shares[2]
        assert shares[1] > shares[2] > 0.0
        assert figures[f"dpm-solver++.other_seed.{part}_share"] > 0.0
    assert figures["dpm-solver++.fewest_steps"] in (2, 8, 30, 60)
    same, _ = drift.make("dpm-solver++", 8, seed=1)
    again, _ = drift.make("dpm-solver++", 8, seed=1)
    assert same.apart(again) == {"lips_mm": 0.0, "head_deg": 0.0}
    assert same.lips.shape == (6, SHAPE.window, 12, 3)


@pytest.mark.parametrize(
    ("shares", "fewest"),
    [((0.2, 0.02, 0.01), 6), ((0.02, 0.04, 0.01), 8), ((0.02, 0.01, 0.05), 500), ((0.01, 0.01, 0.01), 4)],
)
def test_the_fewest_steps_are_those_from_which_on_all_is_well(shares, fewest):
    figures = {f"ddim.{count:03d}.head_share": share for count, share in zip((4, 6, 8), shares, strict=True)}
    assert diffposetalk_drift._fewest(figures, "ddim", (4, 6, 8)) == fewest


def test_millimetres_degrees_and_shares_are_what_they_say():
    lips, head = np.zeros((2, 5, 3, 3), np.float32), np.zeros((2, 5, 3), np.float32)
    lips[:, ::2, :, 1], head[..., 0] = 2.0, [0.0, 1.0, 2.0, 3.0, 4.0]
    shown = Shown(lips, head)
    moved = Shown(lips + np.float32([0.3, 0.0, 0.4]), head + np.float32([0.0, 3.0, 4.0]))
    assert moved.apart(shown) == pytest.approx({"lips_mm": 0.5, "head_deg": 5.0})
    assert shown.spread() == pytest.approx({"lips_mm": 2 * np.sqrt(0.24), "head_deg": np.sqrt(2.0)})


def test_a_clip_shorter_than_a_window_is_refused():
    with pytest.raises(InvalidValue, match=r"clip: got 0\.50 s; allowed: 0\.96 s"):
        Drift.of(Bundle.open(tiny_folder()), [babble(1, 16000, 0.5)])


def test_the_distilled_network_is_measured_beside_as_few_steps_of_the_models_own(drift):
    assert measure_distilled(drift) == {}  # this bundle has none
    few = Drift.of(Bundle.open(tiny_folder(has_student=True)), [babble(1, 16000, 1.0)])
    figures = measure_distilled(few, reference_steps=30)
    for steps in range(1, 5):
        for who in ("distilled", "dpm-solver++"):
            for part in ("lips_mm", "head_deg", "head_speed_share", "live.lips_mm", "live.head_deg"):
                assert figures[f"few.{who}.{steps}.{part}"] > 0.0
    assert figures["few.dpm-solver++.4.lips_mm"] < figures["few.dpm-solver++.1.lips_mm"]
    # a student that learned nothing is the control for one that did
    assert figures["few.distilled.4.lips_mm"] > 1.2 * figures["few.dpm-solver++.4.lips_mm"]


def test_a_live_window_goes_on_from_what_is_given(drift):
    whole, _ = drift.move("ddim", 4, seed=1)
    pieces = drift.graphs.manifest.pieces
    live, _ = drift.move("ddim", 4, seed=1, given=whole)
    np.testing.assert_allclose(live[:, : pieces.known_frames], whole[:, : pieces.known_frames], atol=1e-5)
    elsewhere, _ = drift.move("ddim", 4, seed=1, given=whole + 1.0)
    assert np.abs(elsewhere - live)[:, pieces.known_frames :].max() > 1e-3


def test_the_distilled_networks_live_window_is_the_short_one_behind_the_same_frames():
    few = Drift.of(Bundle.open(tiny_folder(has_student=True)), [babble(1, 16000, 1.0)])
    manifest = few.graphs.manifest
    assert manifest.distilled is not None
    whole, _ = few.move("ddim", 4, seed=1)
    first, known, frames = few.live_window("distilled")
    assert (known, frames) == (manifest.distilled.known_frames, manifest.distilled_frames)
    assert first + known == manifest.pieces.known_frames
    live, _ = few.move("distilled", 2, seed=1, given=whole)
    assert live.shape[1] == frames < manifest.window.frames
    np.testing.assert_allclose(live[:, :known], whole[:, first : first + known], atol=1e-5)
    other_past = whole + (np.arange(whole.shape[1]) < first)[:, None].astype(np.float32)
    elsewhere, _ = few.move("distilled", 2, seed=1, given=other_past)
    assert np.abs(elsewhere - live)[:, known:].max() > 1e-4
