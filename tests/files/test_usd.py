"""Our USD as USD's own library reads it."""

from pathlib import Path

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdSkel, Vt

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.errors import InvalidValue
from facestream.files.head_parts import FACE_PARTS, RIDING
from facestream.files.rotation import rotation_of
from facestream.files.usd import write_usda
from facestream.head_mesh import open_head
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose
from facestream.visemes import MESH_NAMES, visemes_of
from facestream_bench.plausible_faces import moving_faces

pytestmark = pytest.mark.slow

FIRST, COUNT = 7, 12


@pytest.fixture(scope="module")
def frames() -> Frames:
    rng = np.random.default_rng(4)
    angles = rng.uniform(-0.4, 0.4, (3, COUNT, 3)).astype(np.float32)
    return Frames(FIRST, moving_faces(COUNT, rng), Pose(*(rotation_of(part) for part in angles)))


@pytest.fixture(scope="module")
def stage(frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> Usd.Stage:
    path = tmp_path_factory.mktemp("usd") / "take.usda"
    write_usda(path, frames, FrameRate(30000, 1001))
    return Usd.Stage.Open(str(path))


def skeleton_query(stage: Usd.Stage) -> tuple[UsdSkel.SkeletonQuery, UsdSkel.Cache]:
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root(stage.GetPrimAtPath("/Face")), Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/Face/Skeleton")))
    assert query
    return query, cache


def test_the_stage_says_what_its_numbers_mean(stage: Usd.Stage) -> None:
    assert stage.GetDefaultPrim().GetPath() == "/Face"
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (FIRST, FIRST + COUNT - 1)
    assert stage.GetTimeCodesPerSecond() == pytest.approx(30000 / 1001)
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1


def test_weights_and_rotations_come_back(stage: Usd.Stage, frames: Frames) -> None:
    animation = skeleton_query(stage)[0].GetAnimQuery()
    assert list(animation.GetBlendShapeOrder()) == list(ARKIT_NAMES)
    assert frames.pose is not None
    for offset in range(COUNT):
        time = FIRST + offset
        np.testing.assert_allclose(animation.ComputeBlendShapeWeights(time), frames.weights[offset], atol=1e-5)
        rotations = animation.ComputeJointLocalTransformComponents(time)[1]
        found = [(*turn.GetImaginary(), turn.GetReal()) for turn in rotations]
        wanted = [[0, 0, 0, 1], *(getattr(frames.pose, name)[offset] for name in ("head", "left_eye", "right_eye"))]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_usd_bends_the_head_as_we_do(stage: Usd.Stage, frames: Frames) -> None:
    """Blend shapes and skinning by USD against the mesh and its neck by numpy; in the face and in the teeth."""
    mesh, (query, cache) = open_head(), skeleton_query(stage)
    (binding,) = cache.ComputeSkelBindings(UsdSkel.Root(stage.GetPrimAtPath("/Face")), Usd.PrimDefaultPredicate)
    skinnings = {skinning.GetPrim().GetName(): skinning for skinning in binding.GetSkinningTargets()}
    assert set(skinnings) == {"face", *RIDING}
    time = FIRST + 5
    turn = Gf.Matrix3d(query.ComputeJointSkelTransforms(time)[1].ExtractRotation())
    for name, parts in (("face", FACE_PARTS), ("teeth_lower", RIDING["teeth_lower"])):
        skinning = skinnings[name]
        used = np.unique(mesh.part_triangles(*parts))
        points = Vt.Vec3fArray(list(UsdGeom.Mesh(skinning.GetPrim()).GetPointsAttr().Get()))
        shapes = UsdSkel.BlendShapeQuery(UsdSkel.BindingAPI(skinning.GetPrim()))
        weights = skinning.GetBlendShapeMapper().Remap(query.GetAnimQuery().ComputeBlendShapeWeights(time))
        subs = shapes.ComputeSubShapeWeights(weights)
        assert shapes.ComputeDeformedPoints(
            *subs, shapes.ComputeBlendShapePointIndices(), shapes.ComputeSubShapePointOffsets(), points
        )
        shaped = np.array(points)
        still = mesh.posed(frames.weights[5])[used]
        # each of 52 shapes may leave out what moves by less than .15 mm
        np.testing.assert_allclose(shaped, still, atol=2e-3)
        assert np.abs(shaped - still).mean() < 5e-5
        assert skinning.ComputeSkinnedPoints(query.ComputeSkinningTransforms(time), points, time)
        share = mesh.head_share[used][:, None] if name == "face" else 1.0
        turned = (shaped - mesh.neck) @ np.array(turn) + mesh.neck
        np.testing.assert_allclose(np.array(points), share * turned + (1 - share) * shaped, atol=1e-5)


def test_the_jaw_opens_the_mouth_and_not_the_upper_teeth(stage: Usd.Stage) -> None:
    jaw = UsdSkel.BlendShape(stage.GetPrimAtPath("/Face/teeth_lower/jawOpen"))
    assert max(-offset[1] for offset in jaw.GetOffsetsAttr().Get()) > 0.01
    assert not stage.GetPrimAtPath("/Face/teeth_upper/jawOpen")
    assert not stage.GetPrimAtPath("/Face/eye_left/eyeLookUpLeft")


def test_the_animation_alone_carries_visemes_too(frames: Frames, tmp_path: Path) -> None:
    visemes = visemes_of(frames.weights)
    write_usda(tmp_path / "take.usda", frames, FrameRate(24), visemes, animation_only=True)
    assert (tmp_path / "take.usda").stat().st_size < 50_000
    stage = Usd.Stage.Open(str(tmp_path / "take.usda"))
    assert not [prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Mesh)]
    animation = UsdSkel.Animation(stage.GetPrimAtPath("/Face/Take"))
    assert list(animation.GetBlendShapesAttr().Get()) == [*ARKIT_NAMES, *MESH_NAMES]
    weights = np.array(animation.GetBlendShapeWeightsAttr().Get(FIRST + 3))
    np.testing.assert_allclose(weights, [*frames.weights[3], *visemes[3]], atol=1e-5)
    assert weights[INDEX["jawOpen"]] == pytest.approx(frames.weights[3, INDEX["jawOpen"]], abs=1e-5)


def test_a_take_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="take without frames"):
        write_usda(tmp_path / "take.usda", Frames(0, np.zeros((0, 52), np.float32)), FrameRate(30))
