import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.errors import InvalidValue
from facestream.files.glb import GlbBuilder, GlbFile
from facestream.files.gltf_head import shipped_head_glb, write_animated_glb
from facestream.files.gltf_reader import read_gltf_take
from facestream.head_mesh import open_head
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose
from facestream_bench.plausible_faces import moving_faces


def unit_quaternions(rng, count):
    turns = rng.normal(0, 1, (count, 4))
    return (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def still():
    return shipped_head_glb()


@pytest.mark.parametrize("rate", [FrameRate(30), FrameRate(24_000, 1001)])
def test_takes_come_back(tmp_path, rate):
    rng = np.random.default_rng(1)
    weights = moving_faces(33, rng)
    pose = Pose(*(unit_quaternions(rng, 33) for _ in range(3)))
    write_animated_glb(tmp_path / "take.glb", Frames(7, weights, pose), rate)
    (take,) = GlbFile(tmp_path / "take.glb").document["animations"]
    assert take["extras"]["facestream"] == {"frame_rate": [rate.numerator, rate.denominator], "first_index": 7}
    found = read_gltf_take(tmp_path / "take.glb")
    np.testing.assert_allclose(found.times_s, np.arange(33) / float(rate.fraction), atol=1e-6)
    np.testing.assert_array_equal(found.weights, weights)
    for name in ("head", "left_eye", "right_eye"):
        cosine = np.abs((getattr(found.pose, name) * getattr(pose, name)).sum(axis=1))
        np.testing.assert_allclose(cosine, 1.0, atol=1e-6)


def test_without_a_pose_the_eyes_follow_the_gaze_shapes(tmp_path):
    weights = np.zeros((2, len(ARKIT_NAMES)), np.float32)
    weights[1, [INDEX["eyeLookOutLeft"], INDEX["eyeLookInRight"], INDEX["eyeLookDownLeft"]]] = 0.5
    write_animated_glb(tmp_path / "take.glb", Frames(0, weights), FrameRate(30))
    pose = read_gltf_take(tmp_path / "take.glb").pose
    np.testing.assert_allclose(pose.head, [[0, 0, 0, 1]] * 2)
    np.testing.assert_allclose(pose.left_eye[0], [0, 0, 0, 1])
    # Left is +X: a turn about +Y is positive; down is a positive turn about +X.
    assert pose.left_eye[1, 1] > 0.1
    assert pose.right_eye[1, 1] > 0.1
    assert pose.left_eye[1, 0] > 0.1
    assert pose.right_eye[1, 0] == pytest.approx(0, abs=1e-6)


def test_vertices_hang_together_by_skin_and_nodes(still):
    mesh, file = open_head(), GlbFile(still)
    nodes = {node["name"]: node for node in file.document["nodes"]}
    np.testing.assert_allclose(
        np.add(nodes["neck"]["translation"], nodes["eye_left"]["translation"]), mesh.left_eye, atol=1e-6
    )
    face = file.document["meshes"][nodes["face"]["mesh"]]
    for primitive in face["primitives"]:
        weights = file.array(primitive["attributes"]["WEIGHTS_0"]).astype(int)
        joints = file.array(primitive["attributes"]["JOINTS_0"])
        assert (weights.sum(axis=1) == 255).all()
        assert not joints[weights == 0].any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 300), share=st.sampled_from([0.0, 0.1, 1.0]))
def test_arrays_come_back(tmp_path_factory, seed, rows, share):
    rng = np.random.default_rng(seed)
    dense = rng.normal(0, 1, (rows, 3)).astype(np.float32)
    chosen = np.flatnonzero(rng.random(rows) < share)
    index = rng.integers(0, 60_000, rows).astype(np.uint16)
    builder = GlbBuilder()
    accessors = [
        builder.accessor(dense, bounded=True),
        builder.accessor(index),
        builder.sparse_accessor(dense, chosen, bounded=True),
    ]
    builder.document["asset"] = {"version": "2.0"}
    path = tmp_path_factory.mktemp("glb") / "arrays.glb"
    builder.write(path)
    file = GlbFile(path)
    kept = np.zeros_like(dense)
    kept[chosen] = dense[chosen]
    for accessor, expected in zip(accessors, (dense, index, kept), strict=True):
        np.testing.assert_array_equal(file.array(accessor), expected)
    lowest = file.document["accessors"][accessors[2]]["min"]
    np.testing.assert_allclose(lowest, kept.min(axis=0), rtol=1e-6)


def broken(still, name):
    data = still.read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])
    return {
        "empty": b"",
        "text": b"not a model at all, only words",
        "cut": data[: len(data) // 2],
        "version": data[:4] + struct.pack("<I", 3) + data[8:],
        "json": data[:20] + b"{" * len(json.dumps(document)) + data[20:],
    }[name]


@pytest.mark.parametrize("name", ["empty", "text", "cut", "version", "json"])
def test_broken_files_are_refused(tmp_path, still, name):
    path = tmp_path / "broken.glb"
    path.write_bytes(broken(still, name))
    with pytest.raises(InvalidValue, match=r"broken\.glb: got a broken file"):
        read_gltf_take(path)


def test_files_without_an_animated_face_are_refused(tmp_path, still):
    with pytest.raises(InvalidValue, match="no animated morph targets"):
        read_gltf_take(still)
    with pytest.raises(InvalidValue, match="can not be read"):
        read_gltf_take(tmp_path / "missing.glb")
    with pytest.raises(InvalidValue, match="take without frames"):
        write_animated_glb(tmp_path / "x.glb", Frames(0, np.zeros((0, 52), np.float32)), FrameRate(30))


def test_an_accessor_outside_its_buffer_is_named(tmp_path, still):
    data = still.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    document["bufferViews"][0]["byteOffset"] = 10**8
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + data[20 + length :]
    path = tmp_path / "outside.glb"
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body)
    with pytest.raises(InvalidValue, match="accessor 0"):
        GlbFile(path).array(0)
