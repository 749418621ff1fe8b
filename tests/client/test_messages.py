"""The server's values over the wire and back: what transports write, the client reads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facestream import events
from facestream.client import messages
from facestream.transports import wire
from facestream.types import Frames, Pose
from facestream.v1.events_pb2 import StreamEvent

SAMPLES = st.integers(0, 2**62)


@given(st.integers(0, 2**40), st.integers(1, 9), st.booleans(), st.integers(0, 99))
def test_frames_come_back_exactly(first: int, count: int, has_pose: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    rotations = random.normal(size=(3, count, 4)).astype(np.float32)
    pose = Pose(*rotations) if has_pose else None
    sent = Frames(first, random.random((count, 52), np.float32), pose)
    came = messages.frames_of(wire.run_of(sent))
    assert came.first_index == first
    np.testing.assert_array_equal(came.weights, sent.weights)
    assert (came.pose is None) == (pose is None)
    if pose and came.pose:
        for name in ("head", "left_eye", "right_eye"):
            np.testing.assert_array_equal(getattr(came.pose, name), getattr(pose, name))


@given(
    st.one_of(
        st.builds(events.FlushDone, st.integers(-(2**63), 2**63 - 1), SAMPLES),
        st.builds(events.Gap, SAMPLES, SAMPLES),
        st.builds(events.FramesDropped, SAMPLES, SAMPLES),
        st.builds(events.SpeechStarted, SAMPLES),
        st.builds(events.SpeechEnded, SAMPLES),
        st.builds(events.AheadOfRealTime, SAMPLES),
        st.builds(events.GoingAway, st.sampled_from(["max_age", "shutdown"]), st.integers(0, 10**6).map(float)),
    )
)
def test_events_come_back_exactly(event: events.StreamEvent) -> None:
    assert messages.event_of(wire.event_of(event)) == event


def test_an_event_of_a_newer_server_is_passed_over() -> None:
    unknown = StreamEvent.FromString(b"\xf2\x07\x02\x08\x01")  # field 126, a message
    assert messages.event_of(unknown) is None


def test_every_kind_of_event_is_known_to_both_sides() -> None:
    kinds = {field.name for field in StreamEvent.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert len(kinds) == len(events.StreamEvent.__args__)  # type: ignore[attr-defined]
    for kind in kinds:
        message = StreamEvent()
        getattr(message, kind).SetInParent()
        assert messages.event_of(message) is not None, kind
