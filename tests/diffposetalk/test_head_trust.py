"""Gains of the head's own, frame by frame."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from facestream_models.diffposetalk.denoiser import Denoiser, cosines, head_shares
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from facestream_models.diffposetalk.head_trust import BANDS, pace_bands
from facestream_models.diffposetalk.stages.denoiser import DenoiserConfig, DenoiserStage
from facestream_models.diffposetalk.stages.style import StyleNetwork, set_space
from facestream_models.diffposetalk.stages.trust import TrustConfig, TrustStage
from facestream_models.diffposetalk.student import Student
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.training.run import Run, RunConfig
from tests.diffposetalk.test_stages import HELD_OUT, SMALL, TRAINING
from tests.diffposetalk.tiny import model, window_inputs

PLAIN = model(window=100, past=4)
SHAPE = replace(PLAIN.shape, guess_variance=0.03, head_variance=0.05)
ROWS = 2
INPUTS = window_inputs(PLAIN, ROWS, seed=3) | {"step": torch.tensor([40, 150])}
HEAD, PAST = SHAPE.head_components, SHAPE.past


def trusting(deviation: float) -> Denoiser:
    """With gains that hang on everything where `deviation` is not 0."""
    made = Denoiser(SHAPE).eval()
    made.load_state_dict(PLAIN.denoiser.state_dict())
    made.head_trust = made.fresh_head_trust()
    torch.manual_seed(0)
    torch.nn.init.normal_(made.head_trust.out.weight, std=deviation)
    return made


@pytest.mark.parametrize("frames", [12, 100])
def test_bands_lose_nothing_that_is_not_quick(frames):
    shares = pace_bands(frames)
    assert shares.shape == (BANDS, frames)
    assert (shares >= 0.0).all()
    total, pace = shares.sum(dim=0), torch.arange(frames) * 100.0 / frames
    torch.testing.assert_close(total[pace <= 35.0], torch.ones(int((pace <= 35.0).sum())))
    assert (total[pace >= 60.0] == 0.0).all()


@torch.no_grad()
def test_untaught_gains_are_those_that_the_usual_error_asks_for_lifted_and_leave_faces_alone():
    denoiser = trusting(0.0)
    trust = denoiser.head_trust
    assert trust is not None
    made, step = denoiser(**INPUTS)[:, PAST:], INPUTS["step"]
    bare = PLAIN.denoiser(**INPUTS)[:, PAST:]
    off = INPUTS["noisy"] / denoiser.signal[step][:, None, None] - bare
    noise = denoiser.noise_ratio[step]
    by_band = trust.band_error / (trust.band_error + noise[:, None])
    in_bands, nothing = trust.in_bands(off[:, :, HEAD]), torch.zeros(ROWS, 100, SHAPE.width)
    taught = trust.gains(in_bands, nothing, nothing, noise)
    torch.testing.assert_close(taught, by_band[:, :, None, None].expand_as(taught))
    gain = torch.sigmoid(torch.logit(by_band) + trust.band_lift.flatten()) @ pace_bands(100)
    paces = cosines(100)
    expected = paces.T @ (head_shares(100) * (paces @ bare + gain[:, :, None] * (paces @ off)))
    torch.testing.assert_close(made[:, :, HEAD], expected[:, :, HEAD], atol=1e-4, rtol=0)
    denoiser.head_trust = None
    alike = denoiser(**INPUTS)[:, PAST:]
    for face in (slice(HEAD.start), slice(HEAD.stop, None)):
        torch.testing.assert_close(made[:, :, face], alike[:, :, face])
    assert (made - alike)[:, :, HEAD].abs().max() > 1e-3


@torch.no_grad()
def test_of_a_head_nothing_is_guessed_that_is_quicker_than_heads_are():
    made = (cosines(100) @ trusting(0.5)(**INPUTS)[:, PAST:]).abs()
    assert made[:, 60:, HEAD].max() < 0.05 * made[:, :30, HEAD].mean()
    for face in (slice(HEAD.start), slice(HEAD.stop, None)):
        assert made[:, 60:, face].mean() > 0.3 * made[:, :30, face].mean()


@torch.no_grad()
def test_a_frame_with_more_than_noise_is_told_from_one_without():
    """Of the gains' inputs, energy is that of the frames around."""
    trust = trusting(0.5).head_trust
    assert trust is not None
    noise, nothing = torch.tensor([0.05]), torch.zeros(1, 100, SHAPE.width)
    quiet = noise.sqrt() * torch.randn(1, 100, 3)
    nod = quiet.clone()
    nod[:, 50:60, 0] += 3.0
    changed = (trust.gains(trust.in_bands(nod), nothing, nothing, noise)
               - trust.gains(trust.in_bands(quiet), nothing, nothing, noise)).abs()[0, -1].amax(dim=1)  # fmt: skip
    assert changed[45:65].mean() > 1.5 * changed[:20].mean()


@torch.no_grad()
def test_the_fast_form_trusts_alike_and_a_student_has_no_such_gains():
    denoiser = trusting(0.5)
    fast = FastDenoiser(denoiser)
    window = fast.open(INPUTS["person"], INPUTS["past"].motion, INPUTS["indicator"],
                       fast.hear(INPUTS["past"].audio, INPUTS["audio"]))  # fmt: skip
    plain = denoiser.masked(**INPUTS)[:, PAST:]
    torch.testing.assert_close(fast(INPUTS["noisy"], INPUTS["step"], window), plain, atol=1e-4, rtol=0)
    assert Student(denoiser).denoiser.head_trust is None
    assert denoiser.head_trust is not None


@pytest.mark.slow
def test_gains_are_learned_behind_a_denoiser_that_stays_as_it_is(tmp_path):
    shape = replace(SMALL, guess_variance=0.03, head_variance=0.05)
    torch.manual_seed(0)
    styles = StyleNetwork(shape)
    set_space(styles.space, TRAINING)
    windows = DenoiserStage(
        DenoiserConfig(rows=4, content_dropout=0.0, shape=shape), TRAINING, HELD_OUT, styles, shipped_mesh()
    )
    config = TrustConfig(rows=4, level_range=0.0, validation_batches=2,
                         run=RunConfig(steps=40, learning_rate=1e-2, warmup_steps=5, averaging=0.8))  # fmt: skip
    stage = TrustStage(config, windows, {})
    before = {name: value.clone() for name, value in windows.model.state_dict().items()}
    untaught = stage.figures(stage.network)
    np.testing.assert_allclose([*untaught.values()], 1.0, atol=1e-4)
    Run(stage, config.run, tmp_path).train()
    assert np.mean([*stage.figures(stage.network).values()]) < 0.97
    for name, value in windows.model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
