import numpy as np
import pytest
from hypothesis import given, settings

from facestream.client.playback import Face
from facestream.curves import ARKIT_NAMES
from facestream.files.rotation import rotation_of
from facestream.timebase import FrameRate
from facestream.transports.senders.ifacialmocap import NAMES, IFacialMocapEncoder
from facestream.transports.senders.moment import Moment
from tests.transports.senders.faces import faces

NOW = Moment(0.0, 0.0, FrameRate(60))


def parsed(packet: bytes) -> tuple[dict[str, int], dict[str, list[float]]]:
    """As receivers in the field do: split at bars, shapes by '-', transforms by '#'."""
    shapes, transforms = {}, {}
    for item in packet.decode("ascii").split("|"):
        if "#" in item:
            name, _, numbers = item.partition("#")
            transforms[name] = [float(number) for number in numbers.split(",")]
        elif item:
            name, value = item.split("-")
            shapes[name] = int(value)
    return shapes, transforms


@settings(max_examples=30)
@given(face=faces)
def test_every_value_arrives_under_its_name(face: Face) -> None:
    (packet,) = IFacialMocapEncoder({}).packets(face, NOW)
    shapes, transforms = parsed(packet)
    assert tuple(shapes) == NAMES
    np.testing.assert_allclose(list(shapes.values()), 100 * face.weights, atol=0.501)
    assert set(transforms) == {"=head", "rightEye", "leftEye"}
    assert len(transforms["=head"]) == 6
    assert packet.endswith(b"|")


def test_names_are_those_of_the_app() -> None:
    by_name = dict(zip(ARKIT_NAMES, NAMES, strict=True))
    assert by_name["eyeLookInLeft"] == "eyeLookIn_L"
    assert by_name["mouthSmileRight"] == "mouthSmile_R"
    for whole in ("jawLeft", "jawRight", "mouthLeft", "mouthRight", "browInnerUp", "mouthRollLower", "tongueOut"):
        assert by_name[whole] == whole
    assert len(set(NAMES)) == 52


@pytest.mark.parametrize(
    ("angles", "wanted"),
    [([0, 30, 0], [30, 0, 0]), ([30, 0, 0], [0, -30, 0]), ([0, 0, 30], [0, 0, 30])],
    ids=["nod", "turn", "tilt"],
)
def test_angles_are_degrees_about_the_axes(angles: list[float], wanted: list[float]) -> None:
    """Live Link's yaw is negative to the subject's left, +X; a turn about +Y that way is positive."""
    (turn,) = rotation_of(np.radians([angles]).astype(np.float32))
    face = Face(np.zeros(52, np.float32), turn, turn, turn, is_starved=False)
    transforms = parsed(IFacialMocapEncoder({}).packets(face, NOW)[0])[1]
    np.testing.assert_allclose(transforms["=head"], [*wanted, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(transforms["leftEye"], wanted, atol=1e-3)


def test_weights_out_of_range_never_write_a_second_dash() -> None:
    still = np.array([0, 0, 0, 1], np.float32)
    face = Face(np.full(52, -0.3, np.float32), still, still, still, is_starved=False)
    assert set(parsed(IFacialMocapEncoder({}).packets(face, NOW)[0])[0].values()) == {0}
