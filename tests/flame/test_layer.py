import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream_models.flame.head import JAW, NECK, ROOT
from facestream_models.flame.layer import FlameLayer, Pose, rotation_matrices
from facestream_models.flame.rigid import rotation_matrix


@pytest.fixture(scope="module")
def layer(open_head):
    return FlameLayer(open_head)


def test_nothing_given_is_the_template(open_head, layer):
    np.testing.assert_allclose(layer()[0].numpy(), open_head.template, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_rotation_is_the_exponential_map(turn):
    skew = torch.tensor([[0, -turn[2], turn[1]], [turn[2], 0, -turn[0]], [-turn[1], turn[0], 0]], dtype=torch.float64)
    found = rotation_matrices(torch.tensor(turn, dtype=torch.float64))
    np.testing.assert_allclose(found, torch.matrix_exp(skew), atol=1e-7)
    np.testing.assert_allclose(rotation_matrix(np.array(turn)), found, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_root_turns_everything_rigidly_about_its_joint(open_head, layer, turn):
    moved = layer(pose=Pose(root=torch.tensor([turn])))[0].numpy()
    pivot = open_head.joints[ROOT]
    expected = (open_head.template - pivot) @ rotation_matrix(np.array(turn)).T + pivot
    np.testing.assert_allclose(moved, expected, atol=2e-6)


def test_neck_carries_jaw_and_eyes_along(open_head, layer):
    turn, opening = torch.tensor([[0.1, 0.4, -0.2]]), torch.tensor([[0.3, 0.0, 0.0]])
    both = layer(pose=Pose(neck=turn, jaw=opening))[0].numpy()
    jaw_only = layer(pose=Pose(jaw=opening))[0].numpy()
    # Where the skin hangs on the neck and what stands on it alone, the neck's turn comes last.
    whole = open_head.skinning[:, ROOT] == 0
    pivot = open_head.joints[NECK]
    expected = (jaw_only - pivot) @ rotation_matrix(turn[0].double().numpy()).T + pivot
    np.testing.assert_allclose(both[whole], expected[whole], atol=2e-6)


def test_positive_jaw_pitch_lowers_the_chin(open_head, layer):
    chin = open_head.skinning[:, JAW] > 0.9
    moved = layer(pose=Pose(jaw=torch.tensor([[0.3, 0.0, 0.0]])))[0].numpy()
    assert (moved - open_head.template)[chin, 1].mean() < -0.005


def test_rows_do_not_touch_each_other(layer):
    generator = torch.Generator().manual_seed(1)
    expression, jaw = torch.randn(5, 50, generator=generator), 0.1 * torch.randn(5, 3, generator=generator)
    together = layer(expression=expression, pose=Pose(jaw=jaw))
    for row in range(5):
        alone = layer(expression=expression[row : row + 1], pose=Pose(jaw=jaw[row : row + 1]))
        np.testing.assert_allclose(together[row : row + 1], alone, atol=1e-6)


def test_fewer_coefficients_leave_the_rest_at_zero(layer):
    coefficients = torch.randn(2, 50, generator=torch.Generator().manual_seed(2))
    coefficients[:, 10:] = 0
    np.testing.assert_allclose(layer(expression=coefficients[:, :10]), layer(expression=coefficients), atol=1e-7)


def test_gradients_reach_every_input_even_at_rest(layer):
    shape, expression = torch.zeros(1, 100, requires_grad=True), torch.zeros(1, 50, requires_grad=True)
    turns = [torch.zeros(1, 3, requires_grad=True) for _ in range(5)]
    layer(shape, expression, Pose(*turns)).square().sum().backward()
    for value in (shape, expression, *turns):
        assert value.grad is not None
        assert torch.isfinite(value.grad).all()
        assert value.grad.abs().max() > 0


def test_pose_correctives_follow_the_rotation(open_head):
    dirs = np.zeros((open_head.vertex_count, 3, 36), np.float32)
    dirs[7, 1, 9 + 5] = 0.01  # jaw, row 1, column 2 of its matrix: minus the sine of its pitch
    corrected = FlameLayer(dataclasses.replace(open_head, pose_dirs=dirs))
    plain = FlameLayer(open_head)
    pose = Pose(jaw=torch.tensor([[0.5, 0.0, 0.0]]))
    difference = (corrected(pose=pose) - plain(pose=pose))[0]
    assert difference[7].norm().item() == pytest.approx(0.01 * np.sin(0.5), rel=1e-4)
    difference[7] = 0
    assert not difference.any()


def test_landmarks_by_name(open_head, layer):
    found = layer.landmarks(layer(), "mouth_corner_left", "mouth_corner_right")
    assert found.shape == (1, 2, 3)
    assert found[0, 0, 0] > 0.015 > -0.015 > found[0, 1, 0]
