import dataclasses

import numpy as np
import pytest

from facestream.errors import BundleError
from facestream.head_mesh import joints_of
from facestream_models.flame.head import Head, load_head, rounded, save_head


@pytest.fixture
def small_head():
    rng = np.random.default_rng(0)
    weights = rng.random((40, 5)).astype(np.float32)
    return Head(
        template=rng.normal(0, 0.1, (40, 3)).astype(np.float32),
        triangles=rng.integers(0, 40, (60, 3)),
        shape_dirs=rng.normal(0, 0.01, (40, 3, 7)).astype(np.float32),
        expression_dirs=rng.normal(0, 0.001, (40, 3, 6)).astype(np.float32),
        joint_regressor=rng.dirichlet(np.ones(40), 5).astype(np.float32),
        skinning=weights / weights.sum(axis=1, keepdims=True),
        pose_dirs=rng.normal(0, 0.001, (40, 3, 36)).astype(np.float32),
        landmarks={"nose": 3},
    )


def test_a_saved_head_comes_back_within_its_stated_precision(tmp_path, small_head):
    save_head(small_head, tmp_path / "head.npz")
    back = load_head(tmp_path / "head.npz")
    for name in ("template", "joint_regressor", "skinning", "triangles"):
        np.testing.assert_array_equal(getattr(back, name), getattr(small_head, name), err_msg=name)
    largest = np.abs(small_head.shape_dirs).max(axis=(0, 1))
    assert (np.abs(back.shape_dirs - small_head.shape_dirs).max(axis=(0, 1)) <= 0.004 * largest).all()
    np.testing.assert_allclose(back.expression_dirs, small_head.expression_dirs, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(back.pose_dirs, small_head.pose_dirs, rtol=1e-3, atol=1e-6)
    assert back.landmarks == {"nose": 3}


def test_rounding_once_is_enough(tmp_path, small_head):
    once = rounded(small_head)
    save_head(once, tmp_path / "a.npz")
    save_head(load_head(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert load_head(tmp_path / "a.npz").digest() == once.digest()


def test_digest_notices_what_changes_motion(small_head):
    changed = [
        dataclasses.replace(small_head, template=small_head.template + 1e-3),
        dataclasses.replace(small_head, expression_dirs=small_head.expression_dirs[:, :, ::-1]),
        dataclasses.replace(small_head, skinning=small_head.skinning[:, ::-1]),
    ]
    assert len({head.digest() for head in [small_head, *changed]}) == 4


def test_the_open_head_s_digest_ignores_its_teeth(open_head):
    template = open_head.template.copy()
    template[open_head.part_vertices("teeth_upper")] += 0.001
    assert dataclasses.replace(open_head, template=template).digest() == open_head.digest()
    template[open_head.part_vertices("lips")] += 0.001
    assert dataclasses.replace(open_head, template=template).digest() != open_head.digest()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"words"])
def test_what_is_no_head_is_refused(tmp_path, content):
    (tmp_path / "head.npz").write_bytes(content)
    with pytest.raises(BundleError, match="not a head file"):
        load_head(tmp_path / "head.npz")


def test_joints_do_not_depend_on_the_order_of_sums(open_head):
    """Processors put matrix products together in orders of their own."""
    order = np.random.default_rng(0).permutation(open_head.vertex_count)
    regressor, template = open_head.joint_regressor[:, order], open_head.template[order]
    np.testing.assert_allclose(joints_of(regressor, template), open_head.joints, rtol=0, atol=1e-12)
    assert np.abs(regressor @ template - open_head.joint_regressor @ open_head.template).max() > 1e-10
