"""Faces as other programs write them: split over meshes, renamed, rekeyed, in text or binary."""

import base64
import json

import numpy as np
import pytest

from facestream.curves import ARKIT_NAMES, CURVE_COUNT
from facestream.errors import InvalidValue
from facestream.files.gltf_head import write_animated_glb
from facestream.files.gltf_reader import read_gltf_take
from facestream.files.rotation import rotation_of
from facestream.timebase import FrameRate
from facestream.types import Frames, Pose

HALF = len(ARKIT_NAMES) // 2


class Document:
    """A `.gltf` file put together by hand; `changes` are made to it before it is written."""

    def __init__(self):
        self.content = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": [], "nodes": [], "meshes": []}
        self.content["animations"] = [{"channels": [], "samplers": []}]
        self.data = b""

    def array(self, values, **more):
        kinds = {"float32": 5126, "int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123}
        values = np.asarray(values)
        self.content["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes})
        entry = {"bufferView": len(self.content["bufferViews"]) - 1, "componentType": kinds[values.dtype.name]}
        entry |= {"count": values.size if values.ndim == 1 else len(values)}
        entry |= {"type": "SCALAR" if values.ndim == 1 else "VEC4"} | more
        self.content["accessors"].append(entry)
        self.data += values.tobytes() + b"\0" * (-values.nbytes % 4)
        return len(self.content["accessors"]) - 1

    def mesh(self, names, *, on_primitive=False):
        place = {"extras": {"targetNames": list(names)}}
        mesh = {"primitives": [place]} if on_primitive else {"primitives": [{}], **place}
        self.content["meshes"].append(mesh)
        self.content["nodes"].append({"mesh": len(self.content["meshes"]) - 1})
        return len(self.content["nodes"]) - 1

    def track(self, node, path, times, values, kind=None, **more):
        animation = self.content["animations"][0]
        sampler = {"input": self.array(np.asarray(times, np.float32)), "output": self.array(values, **more)}
        animation["samplers"].append(sampler | ({"interpolation": kind} if kind else {}))
        target = {"node": node, "path": path}
        animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})

    def write(self, path, *, beside=False):
        uri = "face.bin" if beside else "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        if beside:
            (path.parent / uri).write_bytes(self.data)
        path.write_text(json.dumps(self.content | {"buffers": [{"byteLength": len(self.data), "uri": uri}]}))
        return path


def talking(frames=150, rate=30.0, seed=0):
    times = np.arange(frames) / rate
    random = np.random.default_rng(seed)
    weights = 0.5 + 0.5 * np.sin(times[:, None] * random.uniform(1, 4, CURVE_COUNT) + random.uniform(0, 6, CURVE_COUNT))
    return times, weights.astype(np.float32)


def split(weights, times, **more):
    """Two meshes that share the last curve of the first one; the second one is keyed half as often."""
    document = Document()
    first = document.mesh([f"head_geo.{name}" for name in ARKIT_NAMES[:HALF]])
    second = document.mesh(["basis_fix", *(name.upper() for name in ARKIT_NAMES[HALF - 1 :])], on_primitive=True)
    document.track(first, "weights", times, weights[:, :HALF].ravel(), **more)
    other = np.concatenate([weights[::2, :1], 0.1 * weights[::2, HALF - 1 : HALF], weights[::2, HALF:]], axis=1)
    document.track(second, "weights", times[::2], other.astype(np.float32).ravel())
    return document


@pytest.mark.parametrize("beside", [False, True])
def test_a_face_split_over_meshes_is_one_face(tmp_path, beside):
    times, weights = talking()
    found = read_gltf_take(split(weights, times).write(tmp_path / "face.gltf", beside=beside))
    np.testing.assert_allclose(found.times_s, times, atol=1e-6)
    np.testing.assert_allclose(found.weights[:, :HALF], weights[:, :HALF], atol=1e-6)
    np.testing.assert_allclose(found.weights[:-1], weights[:-1], atol=0.01)
    assert found.pose is None


def test_our_own_takes_are_read_head_and_all(tmp_path):
    times, weights = talking(60)
    angles = np.stack([0.3 + 0 * times, 0.2 * np.sin(3 * times), 0.1 * np.cos(times)], axis=1).astype(np.float32)
    head = rotation_of(angles)
    write_animated_glb(tmp_path / "take.glb", Frames(0, weights, Pose(head, head, head)), FrameRate(30))
    found = read_gltf_take(tmp_path / "take.glb")
    np.testing.assert_allclose(found.weights, weights, atol=1e-5)
    np.testing.assert_allclose(found.pose.head, head, atol=1e-6)


def test_a_head_under_a_turned_root_turns_as_the_scene_shows(tmp_path):
    """The rig lies on its back, so its own x axis stays and its own z axis is the scene's y."""
    times, weights = talking(20)
    document = split(weights, times)
    root = len(document.content["nodes"])
    lying = [-np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)]
    document.content["nodes"] += [{"rotation": lying, "children": [root + 1]}, {"name": "Head"}]
    angle = 0.4 * np.sin(times)
    turn = np.zeros((20, 4), np.float32)
    turn[:, 2], turn[:, 3] = np.sin(angle / 2), np.cos(angle / 2)
    turn[7] *= -1  # the same rotation, written the other way
    document.track(root + 1, "rotation", times, turn)
    head = read_gltf_take(document.write(tmp_path / "face.gltf")).pose.head
    rest = head[np.abs(angle).argmin()]
    found = 2 * np.arccos(np.clip(np.abs(head @ rest), 0, 1))
    np.testing.assert_allclose(found, np.abs(angle), atol=2e-3)
    axis = head[10, :3] * rest[3] - rest[:3] * head[10, 3] - np.cross(head[10, :3], rest[:3])
    assert np.abs(axis).argmax() == 1


@pytest.mark.parametrize("kind", ["STEP", "CUBICSPLINE"])
def test_other_ways_between_keys(tmp_path, kind):
    times, weights = talking(40)
    first = weights[:, :HALF]
    document = split(weights, times)
    keys = first if kind == "STEP" else np.stack([9 + 0 * first, first, -9 + 0 * first], axis=1)
    document.track(0, "weights", times[:40:2], keys[::2].astype(np.float32).ravel(), kind)
    animation = document.content["animations"][0]
    animation["channels"][0] = animation["channels"].pop()  # in place of the dense one
    found = read_gltf_take(document.write(tmp_path / "face.gltf"))
    np.testing.assert_allclose(found.weights[:, :HALF], first[::2], atol=1e-6)


def test_weights_may_be_bytes(tmp_path):
    times, weights = talking(40)
    document = split(weights, times)
    levels = np.round(weights[:, :HALF] * 255).astype(np.uint8)
    document.track(0, "weights", times, levels.ravel(), normalized=True)
    del document.content["animations"][0]["channels"][0]
    found = read_gltf_take(document.write(tmp_path / "face.gltf"))
    np.testing.assert_allclose(found.weights[:, :HALF], weights[:, :HALF], atol=0.003)


def refused(document, tmp_path):
    with pytest.raises(InvalidValue) as error:
        read_gltf_take(document.write(tmp_path / "face.gltf"))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_missing_or_broken_is_told(tmp_path):
    times, weights = talking(20)
    document = split(weights, times)
    del document.content["animations"][0]["channels"][1]
    assert "no morph targets for" in refused(document, tmp_path)
    assert f"and {CURVE_COUNT - HALF - 6} more" in refused(document, tmp_path)
    document = split(weights, times)
    document.content["animations"] = []
    assert "no animated morph targets with ARKit names" in refused(document, tmp_path)
    for bad, said in (
        (np.nan, "at frame 3: got nan; allowed: 0 to 1"),
        (40.0, "at frame 3: got 40.0; allowed: 0 to 1"),
    ):
        spoilt = weights.copy()
        spoilt[3, 5] = bad
        assert f"{ARKIT_NAMES[5]} {said}" in refused(split(spoilt, times), tmp_path)
    assert "do not rise" in refused(split(weights, times[::-1]), tmp_path)
    document = split(weights, times)
    document.content["accessors"][1]["count"] = 10**6
    assert "broken" in refused(document, tmp_path)
    document = split(weights, times)
    document.content["animations"][0]["channels"][0]["target"]["node"] = 77
    assert "a broken animation" in refused(document, tmp_path)


@pytest.mark.parametrize("uri", ["/etc/passwd", "../face.bin", "http://host/face.bin", "missing.bin", "data:,abc"])
def test_buffers_elsewhere_are_not_read(tmp_path, uri):
    document = split(*reversed(talking(20)))
    path = document.write(tmp_path / "face.gltf")
    content = json.loads(path.read_text())
    content["buffers"][0]["uri"] = uri
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidValue, match=r"a buffer|missing\.bin, which can not be read"):
        read_gltf_take(path)
    for junk in (b"", b"{}", b"glTF", b"[1]"):
        path.write_bytes(junk)
        with pytest.raises(InvalidValue, match="a broken file"):
            read_gltf_take(path)
