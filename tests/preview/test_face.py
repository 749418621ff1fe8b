import numpy as np
import pytest

from facestream.curves import CURVE_COUNT, INDEX
from facestream.errors import BundleError, InvalidValue
from facestream.head_mesh import load_head_mesh, open_head
from facestream.preview.face import FACE, render_face, rotation_matrix

SIZE = 96
TURN = np.array([0, np.sin(0.3), 0, np.cos(0.3)], np.float32)


def face(**weights):
    values = np.zeros(CURVE_COUNT, np.float32)
    for name, strength in weights.items():
        values[INDEX[name]] = strength
    return values


def changed(first, second):
    """Rows and columns [N, 2] of pixels that differ clearly."""
    return np.argwhere(np.abs(first.astype(int) - second.astype(int)).max(axis=2) > 24)


def test_a_face_fills_the_picture():
    picture = render_face(face(), size=SIZE)
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.dtype == np.uint8
    middle = picture[SIZE // 3 : 2 * SIZE // 3, SIZE // 3 : 2 * SIZE // 3].reshape(-1, 3).mean(axis=0)
    corner = picture[:8, :8].reshape(-1, 3).mean(axis=0)
    assert middle[0] > middle[1] > middle[2]  # skin
    assert middle.mean() > corner.mean() + 40


def test_jaw_opens_in_the_lower_half_only():
    where = changed(
        render_face(face(), size=SIZE, framing=FACE), render_face(face(jawOpen=0.8), size=SIZE, framing=FACE)
    )
    assert len(where) > 100
    assert where[:, 0].min() > SIZE * 0.45


def test_blink_changes_the_eyes_only():
    blink = face(eyeBlinkLeft=1, eyeBlinkRight=1)
    where = changed(render_face(face(), size=SIZE, framing=FACE), render_face(blink, size=SIZE, framing=FACE))
    assert len(where) > 20
    assert where[:, 0].max() < SIZE * 0.45


def test_closed_lips_on_an_open_jaw_hide_the_teeth():
    def bright(picture):
        # Teeth are the only thing below the nose that is bright and without colour.
        lower = picture[SIZE // 2 :].astype(int)
        return int(((lower.min(axis=2) > 150) & (np.ptp(lower, axis=2) < 45)).sum())

    assert bright(render_face(face(jawOpen=0.5), size=SIZE, framing=FACE)) > 5
    assert bright(render_face(face(jawOpen=0.5, mouthClose=0.5), size=SIZE, framing=FACE)) == 0
    assert bright(render_face(face(), size=SIZE, framing=FACE)) == 0


def test_the_subject_s_left_is_on_the_viewer_s_right():
    where = changed(render_face(face(), size=SIZE), render_face(face(eyeBlinkLeft=1), size=SIZE))
    assert len(where) > 5
    assert where[:, 1].min() > SIZE / 2


def test_a_turn_about_up_takes_the_lips_to_the_subject_s_left():
    def lips(picture):
        red = picture[SIZE // 2 :].astype(int)
        return np.argwhere((red[:, :, 0] - red[:, :, 1] > 60) & (red[:, :, 0] < 200))[:, 1].mean()

    assert lips(render_face(face(), TURN, SIZE)) > lips(render_face(face(), size=SIZE)) + 5


def test_head_turn_leaves_the_rim_of_the_bust():
    mesh = open_head()
    rim = mesh.template[:, 1] < mesh.template[:, 1].min() + 0.01
    assert mesh.head_share[rim].max() < 0.05
    assert mesh.head_share[mesh.template[:, 1] > -0.03].min() > 0.99


def test_eyes_turn_by_rotation():
    down = np.array([np.sin(0.2), 0, 0, np.cos(0.2)], np.float32)
    straight = np.array([0, 0, 0, 1], np.float32)
    where = changed(
        render_face(face(), size=SIZE, eye_rotations=(straight, straight)),
        render_face(face(), size=SIZE, eye_rotations=(down, down)),
    )
    assert 3 < len(where) < 200


def test_rotation_matrix_is_a_rotation():
    turn = rotation_matrix(3 * TURN)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(turn @ [0, 0, 1], [np.sin(0.6), 0, np.cos(0.6)], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"weights": np.zeros(51)}, "weights: got shape"),
        ({"weights": np.full(52, np.nan)}, "weights: got"),
        ({"weights": np.zeros(52), "size": 5}, "size: got 5"),
        ({"weights": np.zeros(52), "head_rotation": np.zeros(4)}, "rotation: got"),
    ],
)
def test_bad_values_are_named(arguments, said):
    with pytest.raises(InvalidValue, match=said):
        render_face(**arguments)


def test_a_broken_head_file_is_named(tmp_path):
    path = tmp_path / "head.npz"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(BundleError, match="not an open head"):
        load_head_mesh(path)
