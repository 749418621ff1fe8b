import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from facestream.retarget.profile import shipped_profile_path
from facestream_models.flame.head import load_head
from facestream_models.metrics.diversity import diversity_mm
from facestream_models.metrics.face_mesh import FaceMesh
from facestream_models.metrics.mesh_error import dynamics, dynamics_deviation_mm, largest_error_mm, vertex_error_mm

seeds = st.integers(0, 2**32 - 1)


def run(seed, frames=12, points=9):
    return np.random.default_rng(seed).normal(0.0, 5.0, (frames, points, 3))


def turned(points, seed):
    return points @ Rotation.random(rng=np.random.default_rng(seed)).as_matrix().T


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_errors_are_those_of_a_metric(seed):
    a, b, c = run(seed), run(seed + 1), run(seed + 2)
    for error in (vertex_error_mm, largest_error_mm):
        assert error(a, a) == 0.0
        assert error(a, b) == pytest.approx(error(b, a))
        assert error(a, c) <= error(a, b) + error(b, c) + 1e-9
        assert error(turned(a, seed), turned(b, seed)) == pytest.approx(error(a, b))
    assert vertex_error_mm(a, b) < largest_error_mm(a, b)


def test_an_error_is_in_the_unit_of_its_points():
    a = run(3)
    assert vertex_error_mm(a + np.array([0.0, 3.0, 4.0]), a) == pytest.approx(5.0)
    moved = a.copy()
    moved[:, 2] += [0.0, 0.0, 9.0]
    assert vertex_error_mm(moved, a) == pytest.approx(1.0)
    assert largest_error_mm(moved, a) == pytest.approx(9.0)


def test_runs_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="same frames"):
        vertex_error_mm(run(0), run(0)[:1])


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_dynamics_do_not_depend_on_axes_or_order_of_frames(seed):
    points, rest = run(seed), run(seed + 1, frames=1)[0]
    assert dynamics(turned(points, seed), turned(rest, seed)) == pytest.approx(dynamics(points, rest))
    assert dynamics(points[::-1], rest) == pytest.approx(dynamics(points, rest))
    assert dynamics(np.tile(points[:1], (12, 1, 1)), rest) == pytest.approx(0.0)


def test_a_dead_brow_deviates_by_all_that_a_living_one_does():
    rest = np.zeros((4, 3))
    living = rest + np.array([0.0, 1.0, 0.0]) * np.tile([0.0, 2.0], 10)[:, None, None]
    assert dynamics_deviation_mm(living, living, rest) == 0.0
    assert dynamics_deviation_mm(np.tile(rest, (20, 1, 1)), living, rest) == pytest.approx(1.0)
    # it compares how much, not when: errors see what it can not
    assert dynamics_deviation_mm(living[::-1], living, rest) == pytest.approx(0.0)
    assert vertex_error_mm(living[::-1], living) == pytest.approx(2.0)


def test_the_upper_face_has_no_lips_and_hears_no_jaw():
    import torch

    mesh = FaceMesh(load_head(shipped_profile_path().parent / "open_head.npz"))
    assert not (mesh.is_upper & mesh.is_lip).any()
    motion = torch.zeros(2, 53)
    motion[1, 50] = 0.3
    moved = torch.linalg.vector_norm(mesh(motion)[1] - mesh(motion)[0], dim=1)
    assert float(moved[mesh.is_upper].mean()) < 0.02 * float(moved[mesh.is_lip].mean())
    assert int(mesh.is_upper.sum()) > 50


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(2, 5))
def test_diversity_of_one_motion_is_none_and_grows_with_spread(seed, count):
    middle = run(seed)
    spread = np.random.default_rng(seed).normal(size=(count, *middle.shape))
    assert diversity_mm(np.repeat(middle[None], count, axis=0)) == 0.0
    assert diversity_mm(middle + 2.0 * spread) == pytest.approx(2.0 * diversity_mm(middle + spread))
    assert diversity_mm((middle + spread)[::-1]) == pytest.approx(diversity_mm(middle + spread))


def test_one_sample_has_no_diversity():
    with pytest.raises(ValueError, match="2 or more"):
        diversity_mm(run(0)[None])
