import pytest
import torch

from facestream.retarget.profile import shipped_profile_path
from facestream_models.flame.head import load_head
from facestream_models.flame.layer import FlameLayer, Pose
from facestream_models.metrics.face_mesh import FaceMesh, _moving_points, point_errors_mm


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
