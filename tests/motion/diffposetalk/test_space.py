import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facestream.errors import BundleError, InvalidValue
from facestream.motion.diffposetalk.space import MotionSpace, MotionStatistics

SIZES = {"shape": 100, "exp": 50, "pose": 6}


def numbers(seed=0):
    rng = np.random.default_rng(seed)
    values = {f"{name}_mean": rng.normal(size=size).astype(np.float32) for name, size in SIZES.items()}
    values |= {f"{name}_std": rng.uniform(0.05, 2.0, size).astype(np.float32) for name, size in SIZES.items()}
    return values


STATISTICS = MotionStatistics(**numbers())


@given(st.booleans(), st.lists(st.integers(1, 4), max_size=3), st.integers(0, 99))
def test_there_and_back_is_the_identity_on_what_the_model_moves(head_rotation, rows, seed):
    rng = np.random.default_rng(seed)
    expression = rng.normal(size=(*rows, 50)).astype(np.float32)
    pose = rng.normal(size=(*rows, 6)).astype(np.float32)
    space = MotionSpace(STATISTICS, head_rotation)
    motion = space.normalised(expression, pose)
    assert motion.shape == (*rows, 54 if head_rotation else 51)
    restored_expression, restored_pose = space.restored(motion)
    np.testing.assert_allclose(restored_expression, expression, atol=1e-5)
    np.testing.assert_allclose(restored_pose[..., 3], pose[..., 3], atol=1e-5)
    assert (restored_pose[..., 4:] == STATISTICS.pose_mean[4:]).all()
    if head_rotation:
        np.testing.assert_allclose(restored_pose[..., :3], pose[..., :3], atol=1e-5)
    else:
        assert (restored_pose[..., :3] == 0.0).all()


def test_the_order_of_components_is_the_released_one():
    space = MotionSpace(STATISTICS, head_rotation=True)
    pose = np.arange(6, dtype=np.float32)
    known = STATISTICS
    motion = space.normalised(known.exp_mean, pose)
    np.testing.assert_array_equal(motion[:50], 0.0)
    np.testing.assert_allclose(motion[50:], (pose[:4] - known.pose_mean[:4]) / known.pose_std[:4], atol=1e-6)
    np.testing.assert_allclose(space.identity(known.shape_mean + known.shape_std), 1.0, atol=1e-4)


def test_other_statistics_have_another_digest():
    assert MotionStatistics(**numbers()).digest == STATISTICS.digest
    for name in numbers():
        changed = numbers()
        changed[name][0] += 0.01
        assert MotionStatistics(**changed).digest != STATISTICS.digest


def test_the_authors_file_is_read(tmp_path):
    extra = {"exp_min": np.zeros(50), "pose_max": np.zeros(6)}
    np.savez(tmp_path / "stats_train.npz", **numbers(), **extra)
    assert MotionStatistics.from_file(tmp_path / "stats_train.npz").digest == STATISTICS.digest


def test_a_missing_file_is_told_where_to_come_from(tmp_path):
    with pytest.raises(InvalidValue, match=r"none\.npz; allowed: the file .*data set of the model's authors"):
        MotionStatistics.from_file(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"no zip at all", "one array", "lacks", "objects"])
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    path = tmp_path / "stats_train.npz"
    if content == "lacks":
        np.savez(path, **{name: value for name, value in numbers().items() if name != "pose_std"})
    elif content == "one array":
        with path.open("wb") as file:
            np.save(file, numbers()["exp_mean"])
    elif content == "objects":
        np.savez(path, **(numbers() | {"pose_std": np.array([{}, {}], object)}))
    else:
        path.write_bytes(content)
    with pytest.raises(BundleError, match="not the statistics of a DiffPoseTalk model"):
        MotionStatistics.from_file(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("exp_mean", np.zeros(53, np.float32), r"exp_mean: got shape \(53,\); allowed: 50 finite"),
        ("pose_std", np.full(6, np.nan, np.float32), "pose_std"),
        ("exp_std", np.zeros(50, np.float32), "exp_std: got 0; allowed: more than 0"),
        ("shape_std", -np.ones(100, np.float32), "shape_std: got -1; allowed: more than 0"),
    ],
)
def test_impossible_numbers_are_refused(name, value, message):
    with pytest.raises(InvalidValue, match=message):
        MotionStatistics(**(numbers() | {name: value}))


def test_the_jaw_may_be_still_where_the_model_does_not_move_it():
    still = numbers()
    still["pose_std"][4:] = 0.0
    assert MotionStatistics(**still).pose_std[5] == 0.0
