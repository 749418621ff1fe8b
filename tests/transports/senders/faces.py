"""Random faces, and a socket that hears what is sent."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from hypothesis import strategies as st

from facestream.client.playback import Face
from facestream.curves import CURVE_COUNT
from facestream.files.rotation import rotation_of
from facestream.types import Frames, Pose


def random_frames(count: int, seed: int = 0, first_index: int = 0) -> Frames:
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-1.2, 1.2, (3, count, 3)).astype(np.float32)
    weights = rng.random((count, CURVE_COUNT)).astype(np.float32)
    return Frames(first_index, weights, Pose(*(rotation_of(part) for part in angles)))


def face_of(frames: Frames, row: int = 0) -> Face:
    assert frames.pose is not None
    pose = frames.pose
    return Face(frames.weights[row], pose.head[row], pose.left_eye[row], pose.right_eye[row], is_starved=False)


faces = st.integers(0, 2**32 - 1).map(lambda seed: face_of(random_frames(1, seed)))


@contextmanager
def listener(host: str = "127.0.0.1") -> Iterator[tuple[socket.socket, int]]:
    """A bound UDP socket and its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # it is read when all is there
        heard.bind((host, 0))
        heard.settimeout(20)
        yield heard, heard.getsockname()[1]


def all_heard(heard: socket.socket) -> list[bytes]:
    """Every packet that is there now."""
    packets = []
    heard.setblocking(False)
    try:
        while True:
            packets.append(heard.recv(65536))
    except BlockingIOError:
        return packets
