import os
import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
import torch

from facestream.errors import BundleError, InvalidValue
from facestream_models.flame.layer import FlameLayer, Pose
from facestream_models.flame.licensed import load_flame

VERTICES = 60


def flame_arrays(seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.random((VERTICES, 5))
    return {
        "v_template": rng.normal(0, 0.1, (VERTICES, 3)),
        "f": rng.integers(0, VERTICES, (90, 3)).astype(np.uint32),
        "shapedirs": rng.normal(0, 0.001, (VERTICES, 3, 400)),
        "posedirs": rng.normal(0, 0.001, (VERTICES, 3, 36)),
        "J_regressor": scipy.sparse.csc_matrix(rng.dirichlet(np.ones(VERTICES), 5)),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
        "bs_style": "lbs",
    }


@pytest.fixture
def chumpy(monkeypatch):
    """A module named like the one that FLAME's pickles were written with."""
    module = types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x):
            self.x = x

    Ch.__module__ = "chumpy.ch"
    Ch.__qualname__ = "Ch"
    module.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


@pytest.mark.parametrize("protocol", [2, 4])
def test_reads_the_published_pickle(tmp_path, monkeypatch, chumpy, protocol):
    arrays = flame_arrays()
    wrapped = arrays | {name: chumpy(arrays[name]) for name in ("v_template", "shapedirs", "weights")}
    path = tmp_path / "generic_model.pkl"
    path.write_bytes(pickle.dumps(wrapped, protocol=protocol))
    monkeypatch.undo()  # the reader must not need chumpy
    head = load_flame(path)
    np.testing.assert_allclose(head.template, arrays["v_template"], atol=1e-6)
    np.testing.assert_allclose(head.joint_regressor, arrays["J_regressor"].toarray(), atol=1e-6)
    assert head.shape_dirs.shape[2] == 300
    np.testing.assert_allclose(head.expression_dirs, arrays["shapedirs"][:, :, 300:], atol=1e-6)
    moved = FlameLayer(head)(torch.ones(1, 300), torch.ones(1, 100), Pose(jaw=torch.tensor([[0.2, 0.0, 0.0]])))
    assert torch.isfinite(moved).all()


def test_reads_npz_and_keeps_the_first_components(tmp_path):
    arrays = flame_arrays(1) | {"J_regressor": flame_arrays(1)["J_regressor"].toarray()}
    path = tmp_path / "flame.npz"
    np.savez(path, **arrays)
    head = load_flame(path, shape_count=100, expression_count=50)
    assert head.shape_dirs.shape == (VERTICES, 3, 100)
    np.testing.assert_allclose(head.expression_dirs, arrays["shapedirs"][:, :, 300:350], atol=1e-6)


class Attack:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize(
    "attack",
    [
        Attack(os.system, "touch {path}"),
        Attack(eval, "open('{path}', 'w')"),
        Attack(np.load, "{path}"),
    ],
)
def test_pickles_run_nothing(tmp_path, attack):
    mark = tmp_path / "touched"
    attack.arguments = tuple(part.format(path=mark) for part in attack.arguments)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(flame_arrays() | {"extra": attack}))
    with pytest.raises(BundleError, match="only plain arrays are read"):
        load_flame(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shapedirs": None}, "it has no shapedirs"),
        ({"v_template": np.zeros((VERTICES, 2))}, "v_template must be finite"),
        ({"v_template": np.full((VERTICES, 3), np.nan)}, "v_template must be finite"),
        ({"weights": np.zeros((VERTICES, 4))}, "weights must be finite"),
        ({"f": np.full((3, 3), VERTICES)}, "vertices that do not exist"),
        ({"posedirs": np.zeros((VERTICES, 3, 9))}, "posedirs must have shape"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, change, said):
    arrays = {name: value for name, value in (flame_arrays() | change).items() if value is not None}
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(arrays))
    with pytest.raises(BundleError, match=said):
        load_flame(path)


@pytest.mark.parametrize("cut", [0, 1, 100, 2000])
def test_truncated_and_foreign_files_are_refused(tmp_path, cut):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(flame_arrays())[:cut])
    with pytest.raises(BundleError, match="not a FLAME file"):
        load_flame(path)
    path.write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(BundleError, match="holds a list"):
        load_flame(path)


def test_missing_file(tmp_path):
    with pytest.raises(InvalidValue, match=r"generic_model\.pkl"):
        load_flame(tmp_path / "none.pkl")
