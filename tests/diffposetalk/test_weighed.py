"""A guess that is weighed against the noisy motion itself."""

from dataclasses import replace

import pytest
import torch

from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.denoiser import Denoiser, trust
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


@pytest.mark.parametrize("guess_variance", [0.0, 0.05, 0.2, 1.0])
def test_both_parts_together_count_for_one(guess_variance):
    guess_share, noisy_share = trust(guess_variance)
    torch.testing.assert_close(guess_share + noisy_share * SIGNAL, torch.ones(501))
    assert (guess_share >= -1e-6).all()
    assert (noisy_share >= 0).all()
    assert bool(noisy_share[1:].max() > 0) is (guess_variance > 0)


def test_little_noise_leaves_the_motion_and_much_leaves_the_guess():
    past = PLAIN.shape.past
    for step, closeness in ((1, 0.01), (500, 1e-3)):
        made, plain = guess(weighing(), step), guess(PLAIN.denoiser, step)
        shown = INPUTS["noisy"] / SIGNAL[1]
        expected, other = (shown, plain[:, past:]) if step == 1 else (plain[:, past:], shown)
        torch.testing.assert_close(made[:, past:], expected, atol=closeness, rtol=0)
        assert (made[:, past:] - other).abs().max() > 0.1
        torch.testing.assert_close(made[:, :past], plain[:, :past])


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
    made = Student(denoiser)(INPUTS["noisy"], stride, *given)
    torch.testing.assert_close(made, guess(denoiser, 125)[:, PLAIN.shape.past :], atol=1e-5, rtol=0)
    assert (made - guess(PLAIN.denoiser, 125)[:, PLAIN.shape.past :]).abs().max() > 0.1
