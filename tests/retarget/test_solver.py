import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX, OPPOSED_PAIRS
from facestream.errors import InvalidValue
from facestream.retarget.profile import RigProfile, load_profile
from facestream.retarget.solver import Retargeter
from facestream_bench.plausible_faces import moving_faces, plausible_faces

EXTRAS = ("tongueOut",)


@pytest.fixture(scope="module")
def profile() -> RigProfile:
    return load_profile()


@pytest.fixture(scope="module")
def retargeter(profile: RigProfile) -> Retargeter:
    return Retargeter(profile, EXTRAS)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_round_trip_returns_the_weights(profile, retargeter, seed):
    faces = plausible_faces(64, np.random.default_rng(seed))
    error = np.abs(retargeter.solve(profile.motion_of(faces, EXTRAS), np.zeros_like(faces)) - faces)
    assert error.mean() <= 0.01
    assert error.max() <= 0.05


def test_round_trip_notices_a_wrong_matrix(profile, retargeter):
    faces = plausible_faces(64, np.random.default_rng(1))
    motion = profile.motion_of(faces, EXTRAS)
    motion[:, :50] = motion[:, 49::-1]
    assert np.abs(retargeter.solve(motion, np.zeros_like(faces)) - faces).mean() > 0.01


def test_follows_a_moving_face_closely(profile, retargeter):
    frames = moving_faces(120, np.random.default_rng(2))
    previous = np.zeros((1, CURVE_COUNT), np.float32)
    worst = 0.0
    for frame in frames:
        previous = retargeter.solve(profile.motion_of(frame[None], EXTRAS), previous)
        worst = max(worst, float(np.abs(previous - frame).max()))
    assert worst <= 0.05


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_frames_in_turn_are_those_that_follow_each_other(profile, retargeter, seed, counts):
    rng = np.random.default_rng(seed)
    faces = np.stack([moving_faces(6, rng) for _ in counts])
    motion = profile.motion_of(faces.reshape(-1, CURVE_COUNT), EXTRAS).reshape(len(counts), 6, -1)
    before = plausible_faces(len(counts), rng)
    made = retargeter.solve_in_turn(motion, before, np.array(counts))
    for row, count in enumerate(counts):
        previous = before[row, None]
        for frame in range(count):
            previous = retargeter.solve(motion[row, frame, None], previous)
            np.testing.assert_allclose(made[row, frame, None], previous, atol=3e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(2, 40), noise=st.floats(0, 3))
def test_a_row_is_the_same_alone_and_among_others(profile, retargeter, seed, rows, noise):
    rng = np.random.default_rng(seed)
    motion = profile.motion_of(plausible_faces(rows, rng), EXTRAS)
    motion += rng.normal(0, noise, motion.shape).astype(np.float32)
    previous = plausible_faces(rows, rng)
    together = retargeter.solve(motion, previous)
    alone = np.concatenate([retargeter.solve(motion[i : i + 1], previous[i : i + 1]) for i in range(rows)])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.1, 1.0, 10.0, 1e4]))
def test_any_finite_motion_gives_legal_weights(retargeter, seed, scale):
    rng = np.random.default_rng(seed)
    motion = (scale * rng.standard_normal((16, retargeter.motion_size))).astype(np.float32)
    weights = retargeter.solve(motion, plausible_faces(16, rng))
    assert weights.dtype == np.float32
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.max() <= 1
    for first, second in OPPOSED_PAIRS:
        assert not (weights[:, INDEX[first]] * weights[:, INDEX[second]]).any()


def test_agrees_with_an_exact_solver(profile, retargeter):
    # Noisy motion that no face makes exactly; sideways shapes left out, so that the problem is one convex program.
    rng = np.random.default_rng(3)
    faces = plausible_faces(12, rng)
    faces[:, [INDEX[name] for pair in OPPOSED_PAIRS for name in pair]] = 0
    motion = profile.motion_of(faces, EXTRAS) + rng.normal(0, 0.3, (12, 54)).astype(np.float32)
    solved = Retargeter(profile, EXTRAS, temporal_weight=0.0).solve(motion, faces)
    names = profile.motion_rows(EXTRAS)[:53]
    metric = np.maximum([profile.coefficient_weights[profile.row_names.index(name)] for name in names], 0.02) ** 0.5
    matrix = profile.rows(names).astype(np.float64)
    for row, weights in zip(motion, solved, strict=True):
        free = [i for i, name in enumerate(ARKIT_NAMES) if not name.startswith("eyeLook") and name != "tongueOut"]
        # The pair's loser is not part of the program that the second half solves.
        free = [i for i in free if not any(ARKIT_NAMES[i] in pair and weights[i] == 0 for pair in OPPOSED_PAIRS)]
        exact = lsq_linear(metric[:, None] * matrix[:, free], metric * row[:53].astype(np.float64), (0, 1), tol=1e-12).x
        np.testing.assert_allclose(weights[free], exact, atol=0.02)


def test_extras_are_copied_by_name(profile):
    extras = ("eyeBlinkLeft", "tongueOut", "eyeLookUpRight")
    retargeter = Retargeter(profile, extras)
    faces = plausible_faces(8, np.random.default_rng(4))
    faces[:, INDEX["eyeLookUpRight"]] = 0.4
    motion = profile.motion_of(faces, extras)
    weights = retargeter.solve(motion, np.zeros_like(faces))
    for column, name in enumerate(extras):
        np.testing.assert_allclose(weights[:, INDEX[name]], motion[:, 53 + column], atol=1e-6)
    assert np.abs(weights - faces).mean() <= 0.01


def test_temporal_weight_holds_back_a_jump(profile):
    face = np.zeros((1, CURVE_COUNT), np.float32)
    face[0, INDEX["jawOpen"]] = 0.8
    motion = profile.motion_of(face, EXTRAS)
    rest = np.zeros_like(face)
    free = Retargeter(profile, EXTRAS, temporal_weight=0.0).solve(motion, rest)[0, INDEX["jawOpen"]]
    held = Retargeter(profile, EXTRAS, temporal_weight=0.5).solve(motion, rest)[0, INDEX["jawOpen"]]
    assert held < 0.8 * free


def test_no_rows_give_no_rows(retargeter):
    nobody, nothing = np.zeros((0, 52), np.float32), np.zeros((0, 3, 54), np.float32)
    assert retargeter.solve(nothing[:, 0], nobody).shape == (0, 52)
    assert retargeter.solve_in_turn(nothing, nobody, np.zeros(0, np.intp)).shape == (0, 3, 52)


def test_wrong_width_is_refused(retargeter):
    with pytest.raises(InvalidValue, match=r"motion: got shape \(2, 53\); allowed: \[B, 54\]"):
        retargeter.solve(np.zeros((2, 53), np.float32), np.zeros((2, 52), np.float32))
    with pytest.raises(InvalidValue, match=r"got shape \(2, 54\); allowed: \[B, F, 54\]"):
        retargeter.solve_in_turn(np.zeros((2, 54), np.float32), np.zeros((2, 52), np.float32), np.ones(2, np.intp))
    with pytest.raises(InvalidValue, match="temporal_weight"):
        Retargeter(load_profile(), temporal_weight=2.0)
