import pytest
import torch

from facestream.motion.diffposetalk.samplers.ddim import ddim
from facestream.motion.diffposetalk.schedule import cosine_schedule
from facestream_models.diffposetalk.fast_denoiser import FastDenoiser
from facestream_models.diffposetalk.student import (
    MOST_STEPS,
    FastStudent,
    Grids,
    Stride,
    Student,
    StudentSampler,
    StudentWindow,
)
from facestream_models.diffposetalk.window import Known
from tests.diffposetalk.tiny import model, window_inputs

MODEL = model(window=12, past=4)
ROWS = 3
INPUTS = window_inputs(MODEL, ROWS, seed=2)


def taught():
    """A student whose aims and marks are not zero any more."""
    torch.manual_seed(5)
    student = Student(MODEL.denoiser).eval()
    with torch.no_grad():
        student.aim[2].weight.normal_(std=0.2)
        student.known.normal_()
    return student


def stride(here=375, there=250, audio=1.0, style=1.0, known=0):
    frames = MODEL.shape.window
    return Stride(
        torch.full((ROWS,), here),
        torch.full((ROWS,), there),
        torch.tensor([[audio, style]]).repeat(ROWS, 1),
        (torch.arange(frames) < known).float().repeat(ROWS, 1),
    )


def given():
    return INPUTS["person"], INPUTS["past"], INPUTS["audio"], INPUTS["indicator"]


@torch.no_grad()
def guess(student, where):
    return student(INPUTS["noisy"], where, *given())


@torch.no_grad()
def test_it_begins_as_its_teacher_without_guidance():
    student = Student(MODEL.denoiser)
    teacher = MODEL.denoiser(INPUTS["noisy"], stride().here, *given())[:, MODEL.shape.past :]
    for where in (stride(), stride(there=0), stride(style=3.0), stride(known=5)):
        slower = student.smooth(teacher, INPUTS["noisy"], where.known)
        torch.testing.assert_close(guess(student, where), slower, atol=1e-5, rtol=0)
    assert (guess(student, stride(here=125)) - teacher).abs().max() > 1e-3


def turning(hz, frames=100):
    """Motion of a head that swings so many times a second, and of a face that does, too."""
    swing = torch.sin(2.0 * torch.pi * hz * torch.arange(frames) / 25.0)
    return swing[None, :, None].repeat(1, 1, MODEL.shape.motion_count)


def test_heads_and_nothing_else_are_kept_from_trembling():
    student, inside = Student(MODEL.denoiser), slice(10, -10)
    head = MODEL.shape.head_components
    for hz, least, most in ((0.0, 1.0, 1.0), (1.0, 0.98, 1.0), (3.0, 0.9, 1.0), (9.0, 0.0, 0.05), (12.0, 0.0, 0.02)):
        motion = turning(hz) + 2.0
        slower = student.smooth(motion, torch.zeros_like(motion), torch.zeros(1, 100))
        share = (slower[:, inside, head] - 2.0).abs().max() / max(float((motion - 2.0).abs().max()), 1e-6)
        assert hz == 0.0 or least <= float(share) <= most, hz
        assert torch.equal(slower[..., : head.start], motion[..., : head.start])
        assert torch.equal(slower[..., head.stop :], motion[..., head.stop :])
    torch.testing.assert_close(
        student.smooth(turning(0.0) + 2.0, turning(0.0), torch.zeros(1, 100)), turning(0.0) + 2.0
    )


def test_a_smooth_head_goes_on_from_what_is_known():
    student, head = Student(MODEL.denoiser), MODEL.shape.head_components
    zero, high = torch.zeros(1, 24, 54), torch.ones(1, 24, 54)
    known = (torch.arange(24) < 10).float()[None]
    after = student.smooth(zero, high, known)[0, 10:, head]
    assert after[0].min() > 0.2
    assert after[6:].abs().max() == 0.0
    assert student.smooth(zero, high, torch.zeros(1, 24)).abs().max() == 0.0


def test_where_to_how_much_and_what_is_known_all_show():
    student = taught()
    usual = guess(student, stride())
    for other in (stride(there=0), stride(audio=1.5), stride(style=3.0), stride(known=5), stride(here=333)):
        assert (guess(student, other) - usual).abs().mean() > 1e-3


@torch.no_grad()
def test_the_fast_form_gives_the_same():
    student = taught()
    fast = FastStudent(student)
    where = stride(audio=1.3, style=2.5, known=4)
    person, past, audio, indicator = given()
    window = fast.fast.open(person, past.motion, indicator, fast.fast.hear(past.audio, audio))
    torch.testing.assert_close(fast(INPUTS["noisy"], where, window), guess(student, where), atol=2e-5, rtol=0)


@torch.no_grad()
def test_what_is_heard_stays_the_teachers():
    student = Student(MODEL.denoiser)
    learning = torch.optim.SGD([p for p in student.parameters() if p.requires_grad], lr=0.1)
    with torch.enable_grad():
        student(INPUTS["noisy"], stride(), *given()).square().mean().backward()
    learning.step()
    past, audio = INPUTS["past"].audio, INPUTS["audio"]
    own, theirs = (FastDenoiser(each).hear(past, audio) for each in (student.denoiser, MODEL.denoiser))
    for one, other in zip((*own.layers[0], own.last), (*theirs.layers[0], theirs.last), strict=True):
        assert torch.equal(one, other)
    assert (
        student.denoiser.layers[0].feed_forward.widen.weight != MODEL.denoiser.layers[0].feed_forward.widen.weight
    ).any()


@pytest.mark.parametrize("steps", range(1, MOST_STEPS + 1))
def test_grids_are_plans_of_ddim(steps):
    grids, plan = Grids(), ddim(cosine_schedule(), steps)
    assert grids.steps == [500, 375, 333, 250, 167, 125, 0]
    torch.manual_seed(0)
    x = start = torch.randn(1, 12, 54)
    guesses = torch.randn(steps, 1, 12, 54)
    grid = torch.tensor([steps])
    for number, update in enumerate(plan):
        place = torch.tensor([number])
        here, there = grids.ends(grid, place)
        assert (int(here), int(there)) == (update.step, plan[number + 1].step if number + 1 < steps else 0)
        following = grids.taken(grid, place, x, guesses[number])
        torch.testing.assert_close(following, update.noisy * x + update.clean * guesses[number])
        again = grids.guess_for(grid, place, x, following)
        torch.testing.assert_close(again, guesses[number], atol=1e-4, rtol=0)
        x = following
    torch.testing.assert_close(x, guesses[-1], atol=1e-6, rtol=0)
    assert not torch.equal(x, start)


def window(known=0):
    counts = (torch.arange(MODEL.shape.window) < known).float().repeat(ROWS, 1)
    person, past, audio, _ = given()
    indicator = (torch.arange(MODEL.shape.window) < 9).float().repeat(ROWS, 1)
    motion = torch.full((ROWS, MODEL.shape.window, MODEL.shape.motion_count), 0.5)
    return StudentWindow(person, past, audio, indicator, torch.ones(ROWS, 2), Known(counts, motion))


@pytest.mark.parametrize("steps", [1, 3])
def test_known_frames_stay_and_are_minded_at_the_first_evaluation(steps):
    sampler = StudentSampler(taught())
    noise = torch.randn(ROWS, MODEL.shape.window, MODEL.shape.motion_count, generator=torch.Generator().manual_seed(1))
    free, bound = sampler(window(), noise, steps), sampler(window(known=4), noise, steps)
    assert (bound[:, :4] == 0.5).all()
    assert (bound[:, 4:9] - free[:, 4:9]).abs().mean() > 1e-3
    assert (bound[:, 9:] == 0.0).all()  # nothing is made behind the end


def test_rows_with_other_grids_do_not_know_each_other():
    sampler = StudentSampler(taught())
    noise = torch.randn(ROWS, MODEL.shape.window, MODEL.shape.motion_count, generator=torch.Generator().manual_seed(1))
    states = sampler.states(window(), noise, torch.tensor([2, 4, 1]))
    for row, steps in enumerate([2, 4, 1]):
        torch.testing.assert_close(states[-1][row], sampler(window(), noise, steps)[row], atol=2e-5, rtol=0)
