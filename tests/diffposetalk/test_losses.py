import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.diffposetalk.compact import NormalisedMotion
from facestream_models.diffposetalk.losses import (
    LossWeights,
    MotionPoints,
    head_transition,
    less_far,
    less_lively,
    mean_square,
    motion_terms,
)
from facestream_models.diffposetalk.shape import DenoiserShape
from facestream_models.metrics.face_mesh import shipped_mesh
from facestream_models.metrics.some_points import some_points

SHAPE = DenoiserShape()


def points():
    space = NormalisedMotion(54)
    random = torch.Generator().manual_seed(0)
    space.mean.copy_(0.1 * torch.randn(54, generator=random))
    space.deviation.copy_(0.05 + 0.1 * torch.rand(54, generator=random))
    return MotionPoints(space, some_points(shipped_mesh(), slice(None, None, 40)))


POINTS = points()


def terms(made, true, counts):
    return motion_terms(made, true, counts, SHAPE, POINTS, LossWeights())


def runs(seed, frames=12):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, frames, 54, generator=random)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.integers(1, 12))
def test_what_lies_beyond_the_end_does_not_count(seed, end):
    made, true = runs(seed)
    counts = (torch.arange(12) < end).float().expand(3, -1)
    other = made.clone()
    other[:, end:] += 5.0
    before, after = terms(made, true, counts), terms(other, true, counts)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value)
    other = made.clone()
    other[:, end - 1] += 5.0
    assert terms(other, true, counts)["simple"] > before["simple"]


def test_truth_costs_only_its_own_roughness():
    _, true = runs(1)
    found = terms(true, true, torch.ones(3, 12))
    assert {name for name, value in found.items() if value > 0} == {"smooth", "head_smooth"}


@pytest.mark.parametrize(
    ("component", "shift", "raised"),
    [
        (50, "constant", {"simple", "head"}),
        (50, "ramp", {"simple", "head", "head_velocity"}),
        (53, "constant", {"simple", "vertex"}),
        (53, "ramp", {"simple", "vertex", "velocity"}),
    ],
)
def test_each_term_sees_what_it_is_named_for(component, shift, raised):
    still = torch.zeros(1, 12, 54)
    made = still.clone()
    made[..., component] = 0.5 if shift == "constant" else torch.arange(12) * 0.1
    found = terms(made, still, torch.ones(1, 12))
    # a turning jaw moves its points along arcs, a little
    assert {name for name, value in found.items() if value > 1e-4} == raised


def test_the_face_is_measured_in_millimetres_with_the_papers_weights():
    still, made = torch.zeros(1, 12, 54), torch.zeros(1, 12, 54)
    made[..., 53] = 1.0
    square_metres = ((POINTS(made) - POINTS(still)) / 1000.0).square().mean()
    torch.testing.assert_close(terms(made, still, torch.ones(1, 12))["vertex"], 2e6 * square_metres)


def test_a_head_that_goes_on_evenly_pays_no_transition_and_one_that_jumps_does():
    frames = torch.arange(16, dtype=torch.float32)[None, :, None] * 0.1 * torch.ones(1, 1, 54)
    past, made, counts = frames[:, :10], frames[:, 10:], torch.ones(1, 6)
    assert head_transition(past, made, counts, SHAPE) < 1e-10
    speeds = np.diff([0.7, 0.8, 0.9, 2.0, 2.1, 2.2])
    expected = np.mean(np.diff(speeds)[1:3] ** 2) + np.mean(np.diff(speeds, 2) ** 2)
    assert float(head_transition(past, made + 1.0, counts, SHAPE)) == pytest.approx(expected, rel=1e-4)
    ended = (torch.arange(6) < 2).float()[None]
    assert head_transition(past, made + 1.0, ended, SHAPE) == 0.0


def test_a_mean_of_nothing_is_nothing():
    assert mean_square(torch.ones(2, 3, 4), torch.zeros(2, 3)) == 0.0
    counts = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert mean_square(torch.full((2, 3, 4), 3.0), counts) == 9.0


def test_liveliness_is_speed_whichever_way_a_head_goes():
    _, true = runs(2, frames=20)
    head, counts = true[..., :3], torch.ones(3, 20)
    assert less_lively(head, head, counts) == 0.0
    torch.testing.assert_close(less_lively(-head, head, counts), torch.tensor(0.0))
    calm, calmer = (less_lively(share * head, head, counts) for share in (0.8, 0.5))
    assert 0.0 < calm < calmer
    assert less_lively(1.5 * head, head, counts) > calm
    # the mean of what might be is nearer in squares, and further from lively
    assert mean_square(0.0 * head - head, counts) < mean_square(-head - head, counts)
    assert less_lively(0.0 * head, head, counts) > less_lively(-head, head, counts)
    ended = counts * (torch.arange(20) < 9)
    other = head.clone()
    other[:, 9:] += torch.randn(3, 11, 3)
    torch.testing.assert_close(less_lively(0.5 * other, other, ended), less_lively(0.5 * head, head, ended))


def test_trembling_costs_more_than_a_slow_error_of_the_same_size():
    _, true = runs(3, frames=50)
    slow, quick = (torch.sin(2.0 * torch.pi * hz * torch.arange(50) / 25.0)[:, None] for hz in (1.0, 10.0))
    weights = LossWeights(head_jerk=1.0)
    found = {}
    for name, off in (("slow", slow), ("quick", quick)):
        made = true.clone()
        made[..., SHAPE.head_components] += off
        found[name] = motion_terms(made, true, torch.ones(3, 50), SHAPE, POINTS, weights)
    torch.testing.assert_close(found["slow"]["head"], found["quick"]["head"], rtol=0.05, atol=0)
    assert found["quick"]["head_jerk"] > 1000.0 * found["slow"]["head_jerk"]
    assert "head_jerk" not in terms(true, true, torch.ones(3, 50))


def test_reach_is_how_far_components_go_wherever_they_are():
    _, true = runs(4, frames=20)
    counts = torch.ones(3, 20)
    torch.testing.assert_close(less_far(true + 3.0, true, counts), torch.tensor(0.0), atol=1e-9, rtol=0)
    torch.testing.assert_close(less_far(-true, true, counts), torch.tensor(0.0), atol=1e-9, rtol=0)
    assert less_far(0.5 * true, true, counts) > less_far(0.8 * true, true, counts) > 0.0
    ended = counts * (torch.arange(20) < 9)
    other = true.clone()
    other[:, 9:] += 5.0
    torch.testing.assert_close(less_far(0.5 * other, true, ended), less_far(0.5 * true, true, ended))
    still = true.clone()
    still[..., SHAPE.head_components] *= 0.5
    found = motion_terms(still, true, counts, SHAPE, POINTS, LossWeights(reach=1.0))["reach"]
    torch.testing.assert_close(
        found, less_far(still[..., SHAPE.head_components], true[..., SHAPE.head_components], counts)
    )
