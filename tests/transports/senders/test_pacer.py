"""Real sockets, a clock of the test's own; then the real thread."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest
from pylivelinkface import FaceBlendShape, PyLiveLinkFace

from facestream.errors import InvalidValue
from facestream.timebase import FrameRate
from facestream.transports.senders.pacer import Pacer
from facestream.transports.senders.target import parse_target
from facestream.transports.senders.udp import UdpSender
from tests.transports.senders.faces import all_heard, listener, random_frames

RATE = FrameRate(60)


class Clock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacer(clock: Clock) -> Iterator[Pacer]:
    """Without a thread: the tests keep the time."""
    made = Pacer(now=clock, day_s=lambda: 3600.0, has_thread=False)
    yield made
    made.close()


def run_until(clock: Clock, pacer: Pacer, end_s: float) -> list[float]:
    """Every moment at which something was sent."""
    moments = []
    while (due_s := pacer.send_due()) is not None and due_s <= end_s:
        clock.time_s = due_s
        moments.append(due_s)
    clock.time_s = end_s
    return moments


def jaws(packets: list[bytes]) -> list[float]:
    return [PyLiveLinkFace.decode(packet)[1].get_blendshape(FaceBlendShape.JawOpen) for packet in packets]


def test_frames_leave_one_by_one_at_their_moments(clock: Clock, pacer: Pacer) -> None:
    frames = random_frames(20)
    with listener() as (heard, port):
        outlet = pacer.open(parse_target(f"livelink://127.0.0.1:{port}?subject=Hero&delay_ms=50"), RATE)
        outlet.add(frames)
        assert pacer.send_due() == pytest.approx(100.05)
        assert all_heard(heard) == []
        moments = run_until(clock, pacer, 100.05 + 9.5 / 60)
        np.testing.assert_allclose(np.diff(moments), 1 / 60)
        packets = all_heard(heard)
        assert len(packets) == 10
        np.testing.assert_allclose(jaws(packets), frames.weights[:10, 17], atol=1e-6)
        # one hour after midnight, and 50 ms
        assert PyLiveLinkFace.decode(packets[0])[1]._frames == 3600 * 60 + 3
        outlet.finish()
        run_until(clock, pacer, 200.0)
        assert len(all_heard(heard)) == 10
        assert outlet.over.is_set()
        assert outlet.sender.sent == 20


def test_streams_that_share_the_thread_keep_their_own_moments(clock: Clock, pacer: Pacer) -> None:
    with listener() as (heard, port):
        for index, rate in enumerate((FrameRate(24), FrameRate(30), FrameRate(60))):
            clock.time_s = 100.0 + 0.007 * index
            pacer.open(parse_target(f"livelink://127.0.0.1:{port}?subject=S{index}"), rate).add(random_frames(200))
        packets = []
        for step in range(1, 21):  # read as it comes: a socket holds only so much
            run_until(clock, pacer, 100.0 + 0.1 * step)
            packets += all_heard(heard)
        names = [PyLiveLinkFace.decode(packet)[1].name for packet in packets]
    assert [names.count(f"S{index}") for index in range(3)] == pytest.approx([47, 58, 116], abs=1)


def test_a_client_that_is_back_takes_its_place_at_once(clock: Clock, pacer: Pacer) -> None:
    with listener() as (heard, port):
        target = parse_target(f"livelink://127.0.0.1:{port}?delay_ms=0")
        first = pacer.open(target, RATE)
        first.add(random_frames(60, 1))
        run_until(clock, pacer, 100.1)
        first.abandon()
        assert not first.over.is_set()
        second = pacer.open(target, RATE)
        assert first.over.is_set()
        all_heard(heard)
        frames = random_frames(60, 2)
        second.add(frames)
        run_until(clock, pacer, 100.2)
        found = jaws(all_heard(heard))
        np.testing.assert_allclose(found, frames.weights[: len(found), 17], atol=1e-6)
        first.add(frames)  # too late, and no harm
        other = pacer.open(target, RATE)
        assert not second.over.is_set()  # two streams that both live may share a target
        other.finish()


def test_the_end_of_a_process_leaves_faces_at_rest(clock: Clock, pacer: Pacer) -> None:
    with listener() as (heard, port):
        pacer.open(parse_target(f"livelink://127.0.0.1:{port}?delay_ms=0"), RATE).add(random_frames(60))
        pacer.open(parse_target(f"livelink://127.0.0.1:{port}?subject=silent"), RATE)
        run_until(clock, pacer, 100.2)
        all_heard(heard)
        pacer.close()
        assert jaws(all_heard(heard)) == [0.0]


def test_the_thread_sends_to_the_end() -> None:
    pacer = Pacer()
    frames = random_frames(12)
    try:
        with listener() as (heard, port):
            outlet = pacer.open(parse_target(f"livelink://127.0.0.1:{port}?delay_ms=20"), RATE)
            for first in range(0, 12, 3):
                outlet.add(type(frames)(first, frames.weights[first : first + 3]))
            outlet.finish()
            assert outlet.over.wait(20)
            np.testing.assert_allclose(jaws(all_heard(heard)), frames.weights[:, 17], atol=1e-6)
    finally:
        pacer.close()


def test_nobody_listening_is_counted_and_no_error() -> None:
    with listener() as (_, port):
        pass
    sender = UdpSender(parse_target(f"livelink://127.0.0.1:{port}"))
    for _ in range(5):
        sender.send(b"hello")
    assert sender.refused >= 2
    assert sender.failure is None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:  # an engine that starts later
        late.bind(("127.0.0.1", port))
        late.settimeout(20)
        sender.send(b"face")
        assert late.recv(10) == b"face"
    sender.close()


def test_hosts_that_are_not_there_and_ports_that_are_taken() -> None:
    with pytest.raises(InvalidValue, match=r"a host that can be found; no-such-host\.invalid: "):
        UdpSender(parse_target("livelink://no-such-host.invalid"))
    with pytest.raises(InvalidValue, match="a host that can be found"):
        UdpSender(parse_target("livelink://" + "a" * 70 + ".invalid"))
    with pytest.raises(InvalidValue, match=r"one host|a host that can be reached"):
        UdpSender(parse_target("livelink://255.255.255.255"))
    with (
        listener("") as (_, port),
        pytest.raises(InvalidValue, match=f"source_port: got {port} .*a local port that is free"),
    ):
        UdpSender(parse_target(f"livelink://127.0.0.1?source_port={port}"))
