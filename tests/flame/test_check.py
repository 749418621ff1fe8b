"""`facestream head check`: what it passes, and what it must not pass."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facestream.cli.app import main
from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.gltf_head import shipped_head_glb
from facestream_models.flame.check import Finding, MorphFace, check_face, read_morph_face

NAMES, SYMMETRY, LIPS, TRIANGLES = range(4)


@pytest.fixture(scope="module")
def face() -> MorphFace:
    return read_morph_face(shipped_head_glb())


def changed(face: MorphFace, name: str, change: np.ndarray) -> MorphFace:
    return replace(face, shapes=face.shapes | {name: face.shapes[name] + change})


def only_fails(found: list[Finding], number: int) -> bool:
    return [finding.passed for finding in found] == [place != number for place in range(4)]


def test_the_open_head_passes(face: MorphFace) -> None:
    found = check_face(face)
    assert [finding.passed for finding in found] == [True] * 4, found
    assert "vertices of the lips" in found[LIPS].told
    assert face.height == pytest.approx(0.28, abs=0.03)


def test_a_missing_a_double_and_a_dead_target_are_named(face: MorphFace) -> None:
    without = {name: shape for name, shape in face.shapes.items() if name != "cheekPuff"}
    dead = {"noseSneerLeft": np.zeros_like(face.template), "noseSneerRight": np.zeros_like(face.template)}
    found = check_face(replace(face, shapes=without | dead, target_names=(*face.target_names, "jawOpen")))
    assert only_fails(found, NAMES)
    for said in ("missing: cheekPuff", "twice: jawOpen", "moves nothing: noseSneerLeft, noseSneerRight"):
        assert said in found[NAMES].told


@pytest.mark.parametrize("name", ["mouthSmileLeft", "browInnerUp"])
def test_a_shape_that_is_no_mirror_image_is_named(face: MorphFace, name: str) -> None:
    """A fifth less of it, or more on the subject's right, fading in from the middle plane."""
    share = -0.2 if name == "mouthSmileLeft" else 0.2 * np.clip(-face.template[:, :1] / 0.02, 0, 1)
    found = check_face(changed(face, name, share * face.shapes[name]))
    assert only_fails(found, SYMMETRY)
    assert name in found[SYMMETRY].told
    largest = 1000 * np.linalg.norm(share * face.shapes[name], axis=1).max()
    assert float(found[SYMMETRY].told.split("at most ")[1].split()[0]) == pytest.approx(largest, abs=0.01)


def test_lips_that_stay_open_are_measured(face: MorphFace) -> None:
    found = check_face(changed(face, "mouthClose", -0.2 * face.shapes["mouthClose"]))
    assert not found[LIPS].passed
    assert float(found[LIPS].told.split(" mm")[0].split()[-1]) > 2.3
    still = check_face(changed(face, "jawOpen", -face.shapes["jawOpen"]))
    assert "nothing that touches at rest is parted" in still[LIPS].told


def test_one_vertex_pulled_through_the_skin_turns_triangles_over(face: MorphFace) -> None:
    skin = np.flatnonzero(face.part_of == np.bincount(face.part_of).argmax())
    places = [[side * 0.05, -0.03, 0.03] for side in (1, -1)]
    cheeks = [skin[np.argmin(np.linalg.norm(face.template[skin] - place, axis=1))] for place in places]
    pulled = np.zeros_like(face.template)
    pulled[cheeks] = [0, 0.03, 0]
    found = check_face(changed(face, "cheekPuff", pulled))
    assert only_fails(found, TRIANGLES)
    assert found[TRIANGLES].told.startswith("cheekPuff ")


def renamed(path: Path, old: str, new: str) -> None:
    """The shipped file with one word of its JSON changed."""
    data = shipped_head_glb().read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    text = json.dumps(json.loads(data[20 : 20 + length].replace(old.encode(), new.encode()))).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + data[20 + length :]
    path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["facestream", "head", "check", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_says_what_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out.count("ok ") == 4
    renamed(tmp_path / "face.glb", '"cheekPuff"', '"CheekPuff"')
    assert run(monkeypatch, str(tmp_path / "face.glb")) == 1
    assert "FAIL  52 ARKit names                       missing: cheekPuff" in capsys.readouterr().out


def test_a_file_without_a_face_is_refused(tmp_path: Path) -> None:
    renamed(tmp_path / "face.glb", '"targetNames"', '"otherNames"')
    with pytest.raises(InvalidValue, match="no morph targets with ARKit names"):
        read_morph_face(tmp_path / "face.glb")
    assert len(ARKIT_NAMES) == 52
