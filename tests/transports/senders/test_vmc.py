"""Our bundles as python-osc reads them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from facestream.client.playback import Face
from facestream.curves import ARKIT_NAMES, INDEX
from facestream.errors import InvalidValue
from facestream.files.rotation import rotation_of
from facestream.timebase import FrameRate
from facestream.transports.senders import osc
from facestream.transports.senders.moment import Moment
from facestream.transports.senders.vmc import LARGEST_BUNDLE, VmcEncoder
from facestream.visemes import BASIS, VISEMES
from tests.transports.senders.faces import face_of, faces, random_frames

NOW = Moment(0.0, 12.5, FrameRate(30))


def messages_of(packets: list[bytes]) -> list[tuple[str, list[Any]]]:
    found = []
    for packet in packets:
        assert len(packet) <= LARGEST_BUNDLE
        assert OscBundle.dgram_is_bundle(packet)
        for message in OscBundle(packet):
            assert isinstance(message, OscMessage)
            found.append((message.address, list(message.params)))
    return found


def values_of(packets: list[bytes]) -> dict[str, float]:
    return {params[0]: params[1] for address, params in messages_of(packets) if address == "/VMC/Ext/Blend/Val"}


@settings(max_examples=30)
@given(face=faces, names=st.sampled_from(["pascal", "camel"]), bones=st.sampled_from(["on", "off"]))
def test_every_value_arrives_under_its_name(face: Face, names: str, bones: str) -> None:
    packets = VmcEncoder({"names": names, "bones": bones}).packets(face, NOW)
    values = values_of(packets)
    wanted = [name[0].upper() + name[1:] if names == "pascal" else name for name in ARKIT_NAMES]
    assert list(values) == wanted
    np.testing.assert_allclose(list(values.values()), face.weights, atol=1e-7)
    messages = messages_of(packets)
    assert messages[0] == ("/VMC/Ext/OK", [1])
    assert messages[1] == ("/VMC/Ext/T", [12.5])
    assert [address for address, _ in messages].count("/VMC/Ext/Blend/Apply") == 1
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    turned = {params[0]: params[1:] for address, params in messages if address == "/VMC/Ext/Bone/Pos"}
    assert list(turned) == (["Head", "LeftEye", "RightEye"] if bones == "on" else [])
    for bone, quaternion in zip(turned.values(), (face.head, face.left_eye, face.right_eye), strict=False):
        np.testing.assert_allclose(bone, [0, 0, 0, *(quaternion * [1, -1, -1, 1])], atol=1e-7)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_nod_a_turn_and_a_tilt_in_unitys_space(axis: int) -> None:
    """30 degrees; Unity's space is ours with X mirrored, so what a turned head looks at is mirrored too."""
    angles = np.zeros((1, 3), np.float32)
    angles[0, axis] = np.radians(30)
    (ours,) = rotation_of(angles).astype(float)
    still = np.array([0, 0, 0, 1], np.float32)
    face = Face(np.zeros(52, np.float32), ours.astype(np.float32), still, still, is_starved=False)
    messages = messages_of(VmcEncoder({"bones": "on"}).packets(face, NOW))
    theirs = np.array(next(params[4:] for _, params in messages if params[:1] == ["Head"]))
    for point in np.eye(3):
        mirrored = turned(theirs, point * [-1, 1, 1]) * [-1, 1, 1]
        np.testing.assert_allclose(mirrored, turned(ours, point), atol=1e-6)


def turned(quaternion: Any, point: Any) -> Any:
    vector, scalar = quaternion[:3], quaternion[3]
    return point + 2 * np.cross(vector, np.cross(vector, point) + scalar * point)


@pytest.mark.parametrize(("names", "vowel", "blink"), [("vrm0", "A", "Blink_L"), ("vrm1", "aa", "blinkLeft")])
def test_avatars_without_arkit_shapes_get_vowels_and_blinks(names: str, vowel: str, blink: str) -> None:
    weights = BASIS[VISEMES.index("aa")].copy()
    weights[INDEX["eyeBlinkLeft"]] = 0.5
    still = np.array([0, 0, 0, 1], np.float32)
    packets = VmcEncoder({"names": names}).packets(Face(weights, still, still, still, is_starved=False), NOW)
    assert len(packets) == 1
    values = values_of(packets)
    assert len(values) == 7
    assert values[vowel] == pytest.approx(1.0, abs=1e-4)
    assert values[blink] == 0.5
    assert sum(values.values()) == pytest.approx(1.5, abs=1e-3)


def test_numbers_of_one_frame_do_not_stay_in_the_next() -> None:
    encoder, frames = VmcEncoder({}), random_frames(2)
    first = encoder.packets(face_of(frames, 0), NOW)
    kept = [bytes(packet) for packet in first]
    encoder.packets(face_of(frames, 1), NOW)
    assert first == kept
    assert encoder.packets(face_of(frames, 0), NOW) == kept


@settings(max_examples=30)
@given(
    address=st.text("abc/XYZ", min_size=1).map(lambda text: "/" + text),
    arguments=st.lists(
        st.one_of(st.integers(-(2**31), 2**31 - 1), st.text("abcäß ", max_size=9), st.floats(width=32, allow_nan=False))
    ),
)
def test_any_message_is_read_back(address: str, arguments: list[Any]) -> None:
    message = OscMessage(osc.message(address, *arguments))
    assert message.address == address
    assert message.params == arguments


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"names": "arkit"}, "names: got 'arkit'; allowed: pascal, camel, vrm0, vrm1"),
        ({"bones": "yes"}, "bones: got 'yes'"),
    ],
)
def test_options_are_checked(options: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        VmcEncoder(options)
