"""A take on faces that other programs made."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, CURVE_COUNT, INDEX
from facestream.errors import InvalidValue
from facestream.files.glb import GlbFile
from facestream.files.gltf_mesh import write_animation_only, write_on_mesh
from facestream.files.gltf_nodes import node_named, rest_rotation, without_matrix
from facestream.files.gltf_reader import read_gltf_take
from facestream.files.rotation import rotation_of
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose
from facestream.visemes import MESH_NAMES, VISEMES, visemes_of
from facestream_bench.plausible_faces import moving_faces
from tests.files.test_gltf_reader import HALF, Document

RATE = FrameRate(30)


def take(count=8, seed=0):
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-0.5, 0.5, (3, count, 3)).astype(np.float32)
    return Frames(3, moving_faces(count, rng), Pose(*(rotation_of(part) for part in angles)))


def character(tmp_path, *, beside=False, names=None):
    """Two meshes, one of them with shapes of its own, under a rig that lies on its back."""
    document = Document()
    document.content["animations"] = []
    half = names or [f"head_geo.{name}" for name in ARKIT_NAMES[:HALF]]
    document.mesh(["fat", *half])
    document.mesh([] if names else [name.upper() for name in ARKIT_NAMES[HALF:]], on_primitive=True)
    point = document.array(np.zeros((1, 4), np.float32))
    for entry in document.content["meshes"]:
        count = len((entry.get("extras") or entry["primitives"][0]["extras"])["targetNames"])
        entry["primitives"][0] |= {"attributes": {"POSITION": point}, "targets": [{"POSITION": point}] * count}
    document.content["meshes"][0]["weights"] = [0.3] + [0.0] * len(half)
    lying = rotation_of(np.array([[0.0, -np.pi / 2, 0.0]], np.float32))[0].tolist()
    first = len(document.content["nodes"])
    matrix = np.eye(4)
    matrix[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]  # a quarter turn about z
    document.content["nodes"] += [
        {"name": "Armature", "rotation": lying, "children": [first + 1]},
        {"name": "mixamorig:Head", "matrix": matrix.T.ravel().tolist(), "children": [first + 2]},
        {"name": "LeftEye"},
    ]
    document.content["scenes"] = [{"nodes": [0, 1, first]}]
    return document.write(tmp_path / "hero.gltf", beside=beside)


def cosines(found, wanted):
    return np.abs((found * wanted).sum(axis=1))


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("animation_only", [False, True])
def test_a_take_on_a_mesh_comes_back(tmp_path, beside, animation_only):
    frames = take()
    mesh = character(tmp_path, beside=beside)
    report = write_on_mesh(tmp_path / "take.glb", mesh, frames, RATE, animation_only=animation_only)
    assert report.found == ARKIT_NAMES
    assert report.missing == ()
    found = read_gltf_take(tmp_path / "take.glb")
    np.testing.assert_allclose(found.weights, frames.weights, atol=1e-6)
    np.testing.assert_allclose(found.times_s, np.arange(8) / 30, atol=1e-6)
    np.testing.assert_allclose(cosines(found.pose.head, frames.pose.head), 1, atol=1e-6)
    # gaze is moved by morph targets here: turned by their nodes too, the eyes would look twice as far
    np.testing.assert_allclose(found.pose.left_eye, np.tile([0, 0, 0, 1], (8, 1)))


def test_shapes_that_are_no_curves_stay_as_they_were(tmp_path):
    frames = take()
    write_on_mesh(tmp_path / "take.glb", character(tmp_path), frames, RATE)
    file = GlbFile(tmp_path / "take.glb")
    sampler = file.document["animations"][0]["samplers"][0]
    tracks = file.array(sampler["output"]).reshape(8, HALF + 1)
    np.testing.assert_allclose(tracks[:, 0], 0.3)
    np.testing.assert_allclose(tracks[:, 1:], frames.weights[:, :HALF])


def test_what_the_file_had_is_still_there(tmp_path):
    mesh = character(tmp_path, beside=True)
    content = json.loads(mesh.read_text())
    (tmp_path / "skin.png").write_bytes(b"\x89PNG and so on")
    content["images"] = [{"uri": "skin.png"}, {"uri": "data:image/png;base64,AAAA"}]
    content["animations"] = [{"name": "idle", "channels": [], "samplers": []}]
    content["extensionsUsed"] = ["KHR_materials_unlit"]
    mesh.write_text(json.dumps(content))
    write_on_mesh(tmp_path / "take.glb", mesh, take(), RATE)
    file = GlbFile(tmp_path / "take.glb")
    assert [animation["name"] for animation in file.document["animations"]] == ["take", "idle"]
    assert file.document["extensionsUsed"] == ["KHR_materials_unlit"]
    image = file.document["images"][0]
    view = file.document["bufferViews"][image["bufferView"]]
    data = (tmp_path / "take.glb").read_bytes()
    begin = data.index(b"\x89PNG and so on")
    assert view["byteLength"] == 14
    assert (begin - view["byteOffset"]) % 4 == 0
    assert image["mimeType"] == "image/png"
    assert file.document["images"][1] == content["images"][1]


def test_a_mesh_that_lacks_curves_is_told(tmp_path):
    mesh = character(tmp_path, names=["jawOpen", "mouthSmile_L"])
    report = write_on_mesh(tmp_path / "take.glb", mesh, take(), RATE)
    assert report.found == ("jawOpen", "mouthSmileLeft")
    assert len(report.missing) == CURVE_COUNT - 2
    # no target moves its gaze, so the eye that has a node turns
    animation = GlbFile(tmp_path / "take.glb").document["animations"][0]
    turned = [channel["target"]["node"] for channel in animation["channels"] if channel["target"]["path"] == "rotation"]
    assert len(turned) == 2


def test_visemes_move_the_mouth_instead_of_curves(tmp_path):
    frames = take()
    visemes = visemes_of(frames.weights)
    mesh = character(tmp_path, names=["jawOpen", "browInnerUp", *MESH_NAMES])
    report = write_on_mesh(tmp_path / "take.glb", mesh, frames, RATE, visemes)
    assert report.has_visemes
    file = GlbFile(tmp_path / "take.glb")
    tracks = file.array(file.document["animations"][0]["samplers"][0]["output"]).reshape(8, 3 + len(VISEMES))
    np.testing.assert_allclose(tracks[:, 3:], visemes)
    assert not tracks[:, 1].any()
    np.testing.assert_allclose(tracks[:, 2], frames.weights[:, INDEX["browInnerUp"]])
    plain = character(tmp_path, names=["jawOpen"])
    assert not write_on_mesh(tmp_path / "take.glb", plain, frames, RATE, visemes).has_visemes


def test_the_animation_alone_is_small_and_complete(tmp_path):
    frames = take()
    write_animation_only(tmp_path / "take.glb", frames, FrameRate(24_000, 1001), visemes_of(frames.weights))
    assert (tmp_path / "take.glb").stat().st_size < 12_000
    found = read_gltf_take(tmp_path / "take.glb")
    np.testing.assert_array_equal(found.weights, frames.weights)
    for name in ("head", "left_eye", "right_eye"):
        np.testing.assert_allclose(cosines(getattr(found.pose, name), getattr(frames.pose, name)), 1, atol=1e-6)
    names = GlbFile(tmp_path / "take.glb").document["meshes"][0]["extras"]["targetNames"]
    assert names == [*ARKIT_NAMES, *MESH_NAMES]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"meshes": [{"primitives": [{}], "extras": {"targetNames": ["smile", "frown"]}}] * 2}, "smile, frown"),
        ({"nodes": []}, "morph targets none; allowed: morph targets named after ARKit shapes"),
        ({"nodes": [{"mesh": 9}]}, "a broken file"),
        ({"images": [{"uri": "../secret.png"}]}, "does not lie beside it"),
        ({"images": [{"uri": "missing.png"}]}, r"missing\.png, which can not be read"),
        ({"extensionsUsed": ["EXT_meshopt_compression"]}, "EXT_meshopt_compression; allowed: a file without it"),
    ],
)
def test_meshes_that_can_not_be_animated_are_refused(tmp_path, change, said):
    mesh = character(tmp_path)
    mesh.write_text(json.dumps(json.loads(mesh.read_text()) | change))
    with pytest.raises(InvalidValue, match=said):
        write_on_mesh(tmp_path / "take.glb", mesh, take(), RATE)
    assert not (tmp_path / "take.glb").exists()


def test_a_take_without_frames_is_refused(tmp_path):
    with pytest.raises(InvalidValue, match="take without frames"):
        write_animation_only(tmp_path / "take.glb", Frames(0, np.zeros((0, 52), np.float32)), RATE)


@settings(max_examples=40)
@given(st.lists(st.floats(-3, 3), min_size=3, max_size=3))
def test_a_matrix_says_the_same_as_its_parts(angles):
    (quaternion,) = rotation_of(np.array([angles], np.float32)).astype(float)
    x, y, z, w = quaternion
    axes = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes * [1, 2, 3], [4, 5, 6]
    node = {"matrix": matrix.T.ravel().tolist()}
    assert abs(rest_rotation(node) @ quaternion) == pytest.approx(1, abs=1e-5)
    without_matrix(node)
    assert "matrix" not in node
    np.testing.assert_allclose(node["scale"], [1, 2, 3], atol=1e-5)
    np.testing.assert_allclose(node["translation"], [4, 5, 6])


def test_bones_are_known_by_their_names():
    nodes = [{"name": "Head", "mesh": 0}, {"name": "rig:neck"}, {"name": "Eye.L"}, {"name": "Head_End"}]
    assert node_named({"nodes": nodes}, ("head", "neck")) == 0
    assert node_named({"nodes": nodes}, ("head", "neck"), plain=True) == 1
    assert node_named({"nodes": nodes}, ("lefteye", "eyel")) == 2
    assert node_named({"nodes": nodes}, ("righteye",)) is None
