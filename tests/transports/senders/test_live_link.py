"""Our packets as an independent decoder of the field reads them."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from facestream.client.playback import Face
from facestream.curves import ARKIT_NAMES
from facestream.errors import InvalidValue
from facestream.files.csv import ROTATIONS
from facestream.files.rotation import angles_of
from facestream.timebase import FrameRate
from facestream.transports.senders.live_link import LiveLinkEncoder
from facestream.transports.senders.moment import Moment
from tests.transports.senders.faces import face_of, faces, random_frames

RATES = st.sampled_from([FrameRate(24), FrameRate(30), FrameRate(60), FrameRate(30000, 1001)])


@settings(max_examples=30)
@given(
    face=faces, subject=st.text("abcdefgh XYZ09_-é顔", min_size=1, max_size=20), rate=RATES, day_s=st.floats(0, 86399)
)
def test_an_independent_decoder_reads_every_value(face: Face, subject: str, rate: FrameRate, day_s: float) -> None:
    (packet,) = LiveLinkEncoder({"subject": subject}).packets(face, Moment(day_s, 0.0, rate))
    assert len(packet) == 270 + 36 + len(subject.encode())
    known, decoded = PyLiveLinkFace.decode(packet)
    assert known
    assert decoded.name == subject
    names = [shape.name for shape in FaceBlendShape]
    assert names == [*(name[0].upper() + name[1:] for name in ARKIT_NAMES), *ROTATIONS]
    values = [decoded.get_blendshape(shape) for shape in FaceBlendShape]
    np.testing.assert_allclose(values[:52], face.weights, atol=1e-7)
    turns = angles_of(np.stack([face.head, face.left_eye, face.right_eye]))
    np.testing.assert_allclose(values[52:], turns.ravel(), atol=1e-6)
    assert (decoded.fps, decoded._denominator) == (rate.numerator, rate.denominator)
    assert decoded._frames + decoded._sub_frame == pytest.approx(day_s * float(rate.fraction), abs=1e-3)
    assert 0 <= decoded._sub_frame < 1


def test_the_head_of_a_packet_is_as_specified() -> None:
    (packet,) = LiveLinkEncoder({"subject": "Hero"}).packets(face_of(random_frames(1)), Moment(1.5, 0, FrameRate(60)))
    version, length = struct.unpack_from(">Bi", packet)
    assert (version, length) == (6, 36)
    assert packet[5:41].decode().count("-") == 4
    assert struct.unpack_from(">i", packet, 41) == (4,)
    assert packet[45:49] == b"Hero"
    assert struct.unpack_from(">ifiiB", packet, 49) == (90, 0.0, 60, 1, 61)


def test_frames_count_up_by_one() -> None:
    encoder, face, rate = LiveLinkEncoder({}), face_of(random_frames(1)), FrameRate(30000, 1001)
    begin = 43210.123
    packets = [encoder.packets(face, Moment(begin + i / float(rate.fraction), 0, rate))[0] for i in range(500)]
    numbers = [PyLiveLinkFace.decode(packet)[1]._frames for packet in packets]
    assert np.all(np.diff(numbers) == 1)


def test_each_subject_is_a_device_of_its_own() -> None:
    face, moment = face_of(random_frames(1)), Moment(0, 0, FrameRate(30))
    one, other = (LiveLinkEncoder({"subject": name}).packets(face, moment)[0][5:41] for name in ("A", "B"))
    assert one != other


@pytest.mark.parametrize("subject", ["", "x" * 65, "two\nlines"])
def test_subjects_that_no_list_could_show_are_refused(subject: str) -> None:
    with pytest.raises(InvalidValue, match=r"subject: got .*1 to 64 printable"):
        LiveLinkEncoder({"subject": subject})
