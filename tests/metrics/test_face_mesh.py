import numpy as np
import pytest
import torch

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.retarget.profile import load_profile, shipped_profile_path
from facestream_bench.quality_systems import curves_of
from facestream_models.corpus.coarticulation import lip_gap
from facestream_models.flame.head import load_head
from facestream_models.flame.layer import FlameLayer, Pose
from facestream_models.metrics.face_mesh import FaceMesh, _moving_points, point_errors_mm
from facestream_models.metrics.lip_gap import LipGap
from facestream_models.metrics.quick_mesh import QuickMesh


@pytest.fixture(scope="module")
def head():
    return load_head(shipped_profile_path().parent / "open_head.npz")


def test_points_are_those_of_the_flame_layer(head):
    random = torch.Generator().manual_seed(0)
    motion = torch.cat([torch.randn(4, 50, generator=random), 0.2 * torch.randn(4, 3, generator=random)], dim=1)
    chosen, is_lip = _moving_points(head, 100)
    whole = FlameLayer(head)(expression=motion[:, :50], pose=Pose(jaw=motion[:, 50:]))
    found = FaceMesh(head, 100)(motion)
    torch.testing.assert_close(found, 1000.0 * whole[:, chosen], atol=2e-3, rtol=0.0)
    assert is_lip.sum() == len(head.part_vertices("lips"))
    # the control: half a degree of the jaw shows
    motion[:, 50] += 0.01
    assert float(point_errors_mm(FaceMesh(head, 100)(motion), found)[:, :50].max()) > 0.3


def test_extras_behind_the_jaw_do_not_matter(head):
    motion = torch.randn(2, 3, 54, generator=torch.Generator().manual_seed(1))
    assert torch.equal(FaceMesh(head, 10)(motion), FaceMesh(head, 10)(motion[..., :53]))


def test_the_quick_mesh_measures_what_the_mesh_does(head):
    mesh = FaceMesh(head, 100)
    random = torch.Generator().manual_seed(2)
    true = torch.cat([0.3 * torch.randn(64, 50, generator=random), torch.zeros(64, 3)], dim=1)
    true[:, 50] = 0.25 * torch.rand(64, generator=random)
    made = true + torch.cat(
        [0.1 * torch.randn(64, 50, generator=random), 0.02 * torch.randn(64, 3, generator=random)], dim=1
    )
    for chosen in (None, mesh.is_lip):
        squares = (mesh(made) - mesh(true)).square().sum(dim=-1)
        whole = (squares if chosen is None else squares[:, chosen]).mean(dim=1)
        found = QuickMesh(mesh, chosen)(made, true)
        assert float((found / whole - 1.0).abs().max()) < 0.2
        assert float((found / whole - 1.0).abs().mean()) < 0.05
        # the control: another pair's distance is another one
        assert float((found.roll(1) / whole - 1.0).abs().mean()) > 0.2
    assert float(QuickMesh(mesh)(true, true).max()) == 0.0


def test_the_gap_of_motion_is_that_of_its_curves():
    profile = load_profile()
    random = np.random.default_rng(3)
    weights = random.uniform(0, 0.5, (50, 52)).astype(np.float32)
    weights[:, [n for n, name in enumerate(ARKIT_NAMES) if name.startswith("eyeLook")]] = 0.0
    gap = LipGap(profile)
    found = gap(torch.from_numpy(profile.motion_of(weights))).numpy()
    np.testing.assert_allclose(found, lip_gap(curves_of(weights)), atol=0.01)
    shut = weights.copy()
    shut[:, INDEX["mouthClose"]] = 1.0
    for name in ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"):
        shut[:, INDEX[name]] = 0.0
    assert float(gap(torch.from_numpy(profile.motion_of(shut))).max()) < 0.01
    assert found.max() > 0.1
