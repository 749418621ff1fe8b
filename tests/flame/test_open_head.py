import hashlib
import json

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from facestream.curves import ARKIT_NAMES, INDEX, MIRROR_PAIRS
from facestream_bench.plausible_faces import plausible_faces
from facestream_models.flame.head import JAW, LEFT_EYE, RIGHT_EYE
from facestream_models.flame.layer import FlameLayer, Pose

SKIN = ("skin", "lips", "mouth", "lashes", "brows")


def posed(head, profile, weights):
    """Vertices [B, V, 3] by the FLAME layer, for ARKit weights [B, 52]."""
    matrix = torch.from_numpy(np.ascontiguousarray(profile.arkit_to_motion[:59] @ weights.T)).T
    pose = Pose(jaw=matrix[:, 50:53], left_eye=matrix[:, 53:56], right_eye=matrix[:, 56:59])
    return FlameLayer(head)(expression=matrix[:, :50], pose=pose).numpy()


def shape(name, strength=1.0):
    weights = np.zeros((1, len(ARKIT_NAMES)), np.float32)
    weights[0, INDEX[name]] = strength
    return weights


def test_shipped_files_are_those_of_the_manifest(head_folder, open_head, profile):
    manifest = json.loads((head_folder / "manifest.json").read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((head_folder / name).read_bytes()).hexdigest() == digest, name
    assert open_head.digest() == manifest["head_digest"] == profile.head_digest
    assert "CC0" in (head_folder / "LICENSE.md").read_text()
    assert sum(path.stat().st_size for path in head_folder.iterdir()) < 6 * 2**20


def test_sizes_and_joints(open_head):
    assert open_head.shape_dirs.shape[2] == 100
    assert open_head.expression_dirs.shape[2] == 50
    joints = open_head.joints
    np.testing.assert_allclose(joints[:3, 0], 0, atol=1e-4)
    assert joints[LEFT_EYE, 0] > 0.02 > -0.02 > joints[RIGHT_EYE, 0]
    assert joints[JAW, 1] < joints[LEFT_EYE, 1]
    assert joints[JAW, 2] < joints[LEFT_EYE, 2]
    np.testing.assert_allclose(open_head.skinning.sum(axis=1), 1, atol=1e-5)


def test_expression_components_are_orthogonal(open_head):
    face = open_head.part_vertices("skin", "lips")
    flat = open_head.expression_dirs[face].reshape(-1, 50)
    flat = flat / np.linalg.norm(flat, axis=0)
    assert np.abs(flat.T @ flat - np.eye(50)).max() < 0.01


@pytest.mark.parametrize("name", [name for name in ARKIT_NAMES if name not in ("mouthClose", "tongueOut")])
def test_flame_coefficients_make_each_full_shape(open_head, profile, name):
    wanted = open_head.template + open_head.arkit_dirs[INDEX[name]]
    skin = open_head.part_vertices(*SKIN)
    error = np.linalg.norm(posed(open_head, profile, shape(name))[0, skin] - wanted[skin], axis=1)
    assert error.max() < 0.0003
    half = np.linalg.norm(posed(open_head, profile, shape(name, 0.5))[0, skin] - wanted[skin], axis=1)
    assert half.max() > 0.0003


@pytest.mark.parametrize("opening", [0.1, 0.25, 0.5, 0.75, 1.0])
def test_lips_meet_on_an_open_jaw_in_both_rigs(open_head, profile, opening):
    weights = shape("jawOpen", opening) + shape("mouthClose", opening)
    morphed = open_head.template + np.tensordot(weights[0], open_head.arkit_dirs, axes=1)
    for vertices in (morphed, posed(open_head, profile, weights)[0]):
        gaps = [
            vertices[open_head.landmarks[f"lip_upper_{place}"], 1]
            - vertices[open_head.landmarks[f"lip_lower_{place}"], 1]
            for place in range(5)
        ]
        assert max(gaps) < 0.0005
    open_only = posed(open_head, profile, shape("jawOpen", opening))[0]
    middle = (open_head.landmarks["lip_upper_2"], open_head.landmarks["lip_lower_2"])
    assert open_only[middle[0], 1] - open_only[middle[1], 1] > 0.02 * opening


def test_both_rigs_agree_on_plausible_faces(open_head, profile):
    faces = plausible_faces(8, np.random.default_rng(5))
    faces[:, INDEX["tongueOut"]] = 0
    skin = open_head.part_vertices(*SKIN)
    morphed = open_head.template + np.tensordot(faces, open_head.arkit_dirs, axes=1)
    error = np.linalg.norm(posed(open_head, profile, faces)[:, skin] - morphed[:, skin], axis=2)
    # Rotation against straight lines: they differ where the jaw is half open, not at its ends.
    assert error.mean() < 0.0005


def test_left_is_the_mirror_image_of_right(open_head):
    skin = open_head.part_vertices("skin", "lips")
    places = open_head.template[skin]
    distance, twin = cKDTree(places).query(places * [-1, 1, 1])
    assert distance.max() < 1e-5
    for left, right in [*MIRROR_PAIRS, ("jawOpen", "jawOpen"), ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")]:
        mirrored = open_head.arkit_dirs[INDEX[right]][skin][twin] * [-1, 1, 1]
        np.testing.assert_allclose(open_head.arkit_dirs[INDEX[left]][skin], mirrored, atol=2e-5, err_msg=left)


def test_left_shapes_move_the_left_side(open_head):
    for left, _ in MIRROR_PAIRS:
        moved = np.linalg.norm(open_head.arkit_dirs[INDEX[left]], axis=1)
        assert (moved * open_head.template[:, 0]).sum() > 0, left


def test_teeth_ride_on_bone(open_head):
    upper = open_head.part_vertices("teeth_upper", "gums_upper")
    assert not np.abs(open_head.arkit_dirs[:, upper]).any()
    lower = open_head.part_vertices("teeth_lower", "gums_lower")
    still = [index for index, name in enumerate(ARKIT_NAMES) if not name.startswith("jaw")]
    assert not np.abs(open_head.arkit_dirs[still][:, lower]).any()
    drop = open_head.arkit_dirs[INDEX["jawOpen"]][lower][:, 1]
    assert drop.mean() < -0.01


def test_the_68_landmarks_lie_in_their_order(open_head):
    places = open_head.template[[open_head.landmarks[f"ibug_{number:02d}"] for number in range(68)]]
    for group in (slice(0, 17), slice(17, 27), slice(31, 36)):
        assert (np.diff(places[group, 0]) > 0).all()
    np.testing.assert_allclose(places[[8, 27, 30, 33, 51, 57, 62, 66], 0], 0, atol=0.002)
    twins = [(0, 16), (4, 12), (17, 26), (21, 22), (31, 35), (36, 45), (39, 42), (37, 44), (48, 54), (49, 53), (60, 64)]
    for right, left in twins:
        np.testing.assert_allclose(places[right] * [-1, 1, 1], places[left], atol=0.002)
    above, below = [37, 38, 43, 44, 50, 51, 52], [41, 40, 47, 46, 58, 57, 56]
    assert (places[above, 1] - places[below, 1] > 0.003).all()
    shut = (
        places + open_head.arkit_dirs[INDEX["eyeBlinkLeft"]][[open_head.landmarks[f"ibug_{i:02d}"] for i in range(68)]]
    )
    assert shut[43, 1] - shut[47, 1] < 0.4 * (places[43, 1] - places[47, 1])


def test_identity_components_change_the_head(open_head):
    layer = FlameLayer(open_head)
    generator = torch.Generator().manual_seed(0)
    people = layer(shape=torch.randn(4, 100, generator=generator)).numpy()
    spread = np.linalg.norm(people - open_head.template, axis=2)
    assert 0.001 < spread.mean() < 0.03
    assert np.linalg.norm(people[0] - people[1], axis=1).mean() > 0.001
