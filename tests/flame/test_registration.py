import dataclasses

import numpy as np
import pytest

from facestream.curves import CURVE_COUNT, INDEX
from facestream.retarget.solver import Retargeter
from facestream_bench.plausible_faces import plausible_faces
from facestream_models.flame.registration import register
from facestream_models.flame.rig_profile import fit_rig_profile
from facestream_models.flame.synthetic_head import synthetic_head

EXTRAS = ("tongueOut",)


def round_trip_errors(fitted, truth, seed=0):
    """Faces made by the truth and read with the fitted profile: |weights - faces| [1000, 52]."""
    faces = plausible_faces(1000, np.random.default_rng(seed))
    motion = truth.motion_of(faces, EXTRAS)
    return np.abs(Retargeter(fitted, EXTRAS).solve(motion, np.zeros_like(faces)) - faces)


@pytest.fixture(scope="module")
def other(open_head):
    return synthetic_head(open_head, 2500, np.random.default_rng(2), scale=0.95)


@pytest.fixture(scope="module")
def found(open_head, other):
    # Few rounds: seconds count here, and the full schedule has its own test below.
    return register(open_head, other.head, (100.0, 30.0, 10.0, 3.0, 1.0, 1.0))


def test_shapes_arrive_on_another_topology(open_head, other, found):
    assert found.scale == pytest.approx(0.95, abs=0.02)
    assert found.distance_rms < 0.001
    wanted = np.linalg.norm(other.arkit_dirs, axis=2)
    moving = wanted > 0.0005
    skin = other.head.skinning[:, 3:].sum(axis=1) < 0.5
    moving &= skin
    error = np.linalg.norm(found.arkit_dirs - other.arkit_dirs, axis=2)
    assert error[moving].mean() < 0.3 * wanted[moving].mean()
    jaw = INDEX["jawOpen"]
    assert error[jaw][moving[jaw]].mean() < 0.25 * wanted[jaw][moving[jaw]].mean()


def test_profile_of_another_topology_reads_its_faces(open_head, profile, other, found):
    fitted = fit_rig_profile(other.head, open_head=open_head, open_profile=profile, registration=found)
    assert fitted.head_digest == other.head.digest() != profile.head_digest
    np.testing.assert_allclose(fitted.arkit_to_motion[50, INDEX["jawOpen"]], 0.4255, atol=0.05)
    assert round_trip_errors(fitted, profile).mean() < 0.03
    assert round_trip_errors(fitted, fitted).max() < 0.06
    weights = np.zeros(CURVE_COUNT, np.float32)
    weights[INDEX["jawOpen"]] = 1
    assert 0.02 < fitted.lip_gap_of(weights) < 0.045


def test_a_profile_of_the_wrong_head_does_not_pass_for_the_right_one(open_head, profile, other, found):
    # The same head with its expression basis in another order: the profile must change with it.
    order = np.random.default_rng(3).permutation(50)
    shuffled = dataclasses.replace(other.head, expression_dirs=other.head.expression_dirs[:, :, order])
    fitted = fit_rig_profile(shuffled, open_head=open_head, open_profile=profile, registration=found)
    assert round_trip_errors(fitted, profile).mean() > 0.05


def test_a_basis_of_fewer_components_is_filled_up(open_head, profile, other, found):
    short = dataclasses.replace(other.head, expression_dirs=other.head.expression_dirs[:, :, :30])
    fitted = fit_rig_profile(short, open_head=open_head, open_profile=profile, registration=found)
    assert not fitted.arkit_to_motion[30:50].any()
    assert fitted.arkit_to_motion[:30].any()


@pytest.mark.slow
@pytest.mark.parametrize(("vertices", "scale", "seed"), [(5023, 1.05, 0), (9000, 0.9, 2)])
def test_flame_sized_heads_at_full_quality(open_head, profile, vertices, scale, seed):
    other = synthetic_head(open_head, vertices, np.random.default_rng(seed), scale=scale)
    fitted = fit_rig_profile(other.head)
    errors = round_trip_errors(fitted, profile)
    assert errors.mean() < 0.015
    assert np.quantile(errors, 0.95) < 0.08
