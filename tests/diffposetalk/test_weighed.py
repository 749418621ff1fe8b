"""A guess that is weighed against the noisy motion itself, pace by pace."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.fft import dct

from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Denoiser, cosines, errors_by_pace, guess_errors
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from facestream_models.diffposetalk.student import Stride, Student
from tests.diffposetalk.tiny import model, window_inputs

PLAIN = model(window=12, past=4)
ROWS = 3
INPUTS = window_inputs(PLAIN, ROWS, seed=4)
SIGNAL = torch.from_numpy(cosine_schedule().kept).sqrt().float()


def weighing(guess_variance=0.2):
    made = Denoiser(replace(PLAIN.shape, guess_variance=guess_variance)).eval()
    made.load_state_dict(PLAIN.denoiser.state_dict())
    return made


@torch.no_grad()
def guess(denoiser, step):
    return denoiser(**(INPUTS | {"step": torch.full((ROWS,), step)}))


@pytest.mark.parametrize("frames", [1, 12, 100])
def test_paces_are_those_of_scipy_and_lose_nothing(frames):
    x = np.random.default_rng(0).standard_normal((frames, 3)).astype(np.float32)
    paces = cosines(frames).numpy()
    np.testing.assert_allclose(paces @ x, dct(x, axis=0, norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(paces.T @ (paces @ x), x, atol=1e-5)


def test_slow_motion_is_guessed_worst_and_all_of_it_as_badly_as_told():
    errors = errors_by_pace(100, 0.2)
    torch.testing.assert_close(errors.mean(), torch.tensor(0.2))
    assert (errors.diff() < 0).all()
    assert errors[0] > 100 * errors[50]


def test_heads_are_guessed_at_their_own_pace():
    shape = replace(PLAIN.shape, window=100, guess_variance=0.03, head_variance=0.06)
    errors, head = guess_errors(shape), shape.head_components
    assert errors.shape == (100, shape.motion_count)
    torch.testing.assert_close(errors[:, 0], errors_by_pace(100, 0.03))
    assert (errors[:, head].mean(dim=0) - 0.06).abs().max() < 0.003  # but for what is cut off
    assert (errors[20:45, head] > 10.0 * errors[20:45, :1]).all()
    assert (errors[80:, head] < 0.02 * errors[40, head]).all()
    # a shape that says nothing of heads is weighed as it was before there was a curve for them
    alike = guess_errors(replace(shape, head_variance=0.0))
    torch.testing.assert_close(alike[:, head], alike[:, :3])


def test_little_noise_leaves_the_slow_motion_and_much_leaves_the_guess():
    past, paces = PLAIN.shape.past, cosines(PLAIN.shape.window)
    plain = {step: guess(PLAIN.denoiser, step) for step in (1, 500)}
    made = {step: guess(weighing(), step) for step in (1, 500)}
    shown, bare = INPUTS["noisy"] / SIGNAL[1], plain[1][:, past:]
    torch.testing.assert_close((paces @ made[1][:, past:])[:, 0], (paces @ shown)[:, 0], atol=0.02, rtol=0)
    assert ((paces @ (shown - bare))[:, 0]).abs().max() > 0.5
    torch.testing.assert_close(made[500][:, past:], plain[500][:, past:], atol=2e-3, rtol=0)
    assert (plain[500][:, past:] - shown).abs().max() > 0.5
    for step in (1, 500):
        torch.testing.assert_close(made[step][:, :past], plain[step][:, :past])


def test_fast_noise_stays_out_where_slow_motion_is_let_in():
    past, frames = PLAIN.shape.past, PLAIN.shape.window
    paces, error = cosines(frames), errors_by_pace(frames, 0.2)
    bare = guess(PLAIN.denoiser, 150)[:, past:]
    seen = (paces @ (guess(weighing(), 150)[:, past:] - bare)).abs().mean(dim=(0, 2))
    offered = (paces @ (INPUTS["noisy"] / SIGNAL[150] - bare)).abs().mean(dim=(0, 2))
    ratio = 1.0 / SIGNAL[150] ** 2 - 1.0
    torch.testing.assert_close(seen / offered, error / (error + ratio), atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_fast_form_weighs_alike_in_every_branch():
    denoiser = weighing()
    fast = FastDenoiser(denoiser)
    two = {name: INPUTS[name].repeat(2, *[1] * (INPUTS[name].ndim - 1)) for name in ("noisy", "step", "indicator")}
    person = torch.cat([INPUTS["person"], INPUTS["person"].flip(0)])
    past = type(INPUTS["past"])(*(part.repeat(2, 1, 1) for part in INPUTS["past"]))
    audio = INPUTS["audio"].repeat(2, 1, 1)
    window = fast.open(person, INPUTS["past"].motion, INPUTS["indicator"], fast.hear(past.audio, audio))
    plain = denoiser.masked(two["noisy"], two["step"], person, past, audio, two["indicator"])[:, PLAIN.shape.past :]
    torch.testing.assert_close(fast(INPUTS["noisy"], INPUTS["step"], window), plain, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_student_weighs_as_its_teacher():
    denoiser = weighing()
    here = torch.full((ROWS,), 125)
    stride = Stride(here, here // 5, torch.ones(ROWS, 2), torch.zeros(ROWS, PLAIN.shape.window))
    given = (INPUTS[name] for name in ("person", "past", "audio", "indicator"))
    student = Student(denoiser)
    made = student(INPUTS["noisy"], stride, *given)
    weighed = student.smooth(guess(denoiser, 125)[:, PLAIN.shape.past :], INPUTS["noisy"], stride.known)
    torch.testing.assert_close(made, weighed, atol=1e-5, rtol=0)
    assert (made - guess(PLAIN.denoiser, 125)[:, PLAIN.shape.past :]).abs().max() > 0.1
