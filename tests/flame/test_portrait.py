"""The open head as pictures show it, and the glTF file made of it."""

from pathlib import Path

import numpy as np
import pytest

from facestream.curves import ARKIT_NAMES, INDEX
from facestream.files.glb import GlbFile
from facestream.files.gltf_head import shipped_head_glb
from facestream.files.head_parts import FACE_PARTS
from facestream.head_mesh import HeadMesh, open_head
from facestream_models.flame.head_glb import write_head_glb
from facestream_models.flame.portrait import Portrait, folded, make_portrait
from facestream_models.flame.refinement import edges_of, refine


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return make_portrait(open_head())


@pytest.fixture(scope="module")
def shipped() -> GlbFile:
    return GlbFile(shipped_head_glb())


def test_the_shipped_file_is_the_portrait_of_the_shipped_head(portrait: Portrait, tmp_path: Path) -> None:
    write_head_glb(tmp_path / "head.glb", portrait)
    assert (tmp_path / "head.glb").read_bytes() == shipped_head_glb().read_bytes()
    assert shipped_head_glb().stat().st_size <= 1.5e6


def test_the_face_has_52_targets_that_move_it_and_its_normals(portrait: Portrait, shipped: GlbFile) -> None:
    mesh = portrait.mesh
    face = next(entry for entry in shipped.document["meshes"] if entry["name"] == "face")
    assert face["extras"]["targetNames"] == list(ARKIT_NAMES)
    for primitive, part in zip(face["primitives"], FACE_PARTS, strict=True):
        used = np.unique(mesh.part_triangles(part))
        places = shipped.array(primitive["attributes"]["POSITION"])
        np.testing.assert_array_equal(places, mesh.template[used])
        assert shipped.array(primitive["indices"]).max() == len(used) - 1
        if part in ("mouth", "lashes"):
            continue  # kept more coarsely
        for shape, target in enumerate(primitive["targets"]):
            moved = shipped.array(target["POSITION"])
            np.testing.assert_allclose(moved, mesh.arkit_dirs[shape, used], atol=2.2e-4, err_msg=ARKIT_NAMES[shape])
            turned = shipped.array(primitive["attributes"]["NORMAL"]) + shipped.array(target["NORMAL"])
            normals = mesh.normals(mesh.template + mesh.arkit_dirs[shape])[used]
            np.testing.assert_allclose(turned, normals, atol=0.09, err_msg=ARKIT_NAMES[shape])


def test_parts_have_meshes_or_materials_of_their_own(shipped: GlbFile) -> None:
    document = shipped.document
    targets = {entry["name"]: entry.get("extras", {}).get("targetNames", []) for entry in document["meshes"]}
    assert set(targets) == {"face", "teeth_upper", "teeth_lower", "tongue", "eye_left", "eye_right"}
    assert targets["teeth_upper"] == []
    assert set(targets["teeth_lower"]) == {"jawForward", "jawLeft", "jawRight", "jawOpen"}
    assert "tongueOut" in targets["tongue"]
    assert set(targets["eye_left"]) == {f"eyeLook{way}Left" for way in ("Up", "Down", "In", "Out")}
    materials = {material["name"]: material for material in document["materials"]}
    assert {"skin", "lips", "teeth", "gums", "tongue", "lashes", "brows", "white", "iris", "pupil"} <= materials.keys()
    assert materials["brows"]["alphaMode"] == "BLEND"


def test_what_speaks_is_where_the_head_has_it(portrait: Portrait) -> None:
    """Lips, lids and teeth of the portrait are the head's own vertices; the rest lies close to its surface."""
    head, mesh = open_head(), portrait.mesh
    for part in ("lips", "teeth_upper", "teeth_lower", "iris_left"):
        own, shown = (np.unique(one.part_triangles(part)) for one in (head, mesh))
        kept = {tuple(place) for place in head.template[own].round(6).tolist()}
        assert sum(tuple(place) in kept for place in mesh.template[shown].round(6).tolist()) >= len(own)


def test_the_neck_ends_in_a_closed_rim(portrait: Portrait) -> None:
    def open_edges(mesh: HeadMesh) -> int:
        edges = np.sort(edges_of(mesh.part_triangles("skin", "lips", "mouth")).reshape(-1, 2), axis=1)
        return int((np.unique(edges, axis=0, return_counts=True)[1] == 1).sum())

    assert open_edges(open_head()) > 50
    assert open_edges(portrait.mesh) == 0


def test_edges_are_refined_without_gaps() -> None:
    head = open_head()
    fine = refine(head, {"skin": 0.02})
    np.testing.assert_array_equal(fine.template[: head.vertex_count], head.template)
    skin = fine.part_triangles("skin")
    edges = edges_of(skin).reshape(-1, 2)
    assert np.linalg.norm(fine.template[edges[:, 0]] - fine.template[edges[:, 1]], axis=1).max() < 0.022
    # every edge still belongs to at most two triangles, and no new one lies open
    count = np.unique(np.sort(edges_of(fine.part_triangles("skin", "lips", "mouth")).reshape(-1, 2), axis=1),
                      axis=0, return_counts=True)[1]  # fmt: skip
    assert count.max() == 2
    assert fine.arkit_dirs[INDEX["jawOpen"]].min() >= head.arkit_dirs[INDEX["jawOpen"]].min() - 2e-3


def test_folds_are_taken_out(portrait: Portrait) -> None:
    """The head's own skin folds at the corner of the eye when it squints; the portrait's does not."""
    for mesh, expected in ((open_head(), True), (portrait.mesh, False)):
        skin, squint = mesh.part_triangles("skin"), mesh.arkit_dirs[INDEX["eyeSquintLeft"]]
        assert folded(mesh, skin, mesh.template + squint).any() == expected
