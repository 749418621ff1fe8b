"""The compiled plugins: their own tests, plain and under sanitizers, and the same answers as the Python beside them."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facestream.audio.resample import Resampler
from facestream.client import PlaybackClock
from facestream.curves import ARKIT_NAMES
from facestream.files.csv import write_csv
from facestream.files.rotation import angles_of
from facestream.timebase import FrameClock, FrameRate
from facestream.types import Frames, Pose
from facestream.visemes import BASIS, VISEMES, visemes_of
from tests.docs.markdown import blocks
from tests.plugins.cpp_build import CLIENT, CORE, HAS_CORE_TOOLS, build, run_tests, sanitizers_of
from tests.plugins.cpp_core import LIVE_LINK, Core, Face, Send, face_of, row_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not HAS_CORE_TOOLS, reason="cmake, g++ or GoogleTest (libgtest-dev) is missing"),
]


@pytest.fixture(scope="module")
def release() -> Path:
    return build(CORE, "release")


@pytest.fixture(scope="module")
def core(release: Path) -> Core:
    return Core(release / "libfacestream_core_shared.so")


def test_the_core_passes_its_own_tests(release: Path) -> None:
    run_tests(release / "facestream-core-tests")


@pytest.mark.parametrize("preset", ["asan-ubsan", "tsan"])
def test_sanitizers_find_nothing_in_the_core(preset: str) -> None:
    program = build(CORE, preset) / "facestream-core-tests"
    assert sanitizers_of(program) == set(preset.split("-"))
    run_tests(program)


@pytest.mark.skipif(shutil.which("clang-format") is None, reason="clang-format is missing")
def test_sources_are_formatted() -> None:
    sources = [
        str(path)
        for folder in (CORE, CLIENT)
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".h", ".cc") and "build" not in path.parts
    ]
    told = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", *sources], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr[:2000]


def test_the_page_about_it_compiles(tmp_path: Path) -> None:
    (page,) = blocks("cpp")
    source = tmp_path / "page.cc"
    source.write_text(page.text)
    includes = [f"-I{folder / 'include'}" for folder in (CORE, CLIENT)]
    words = ["g++", "-std=c++17", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    told = subprocess.run([*words, *includes, str(source)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[:2000]


def test_names_are_those_of_the_wire(core: Core) -> None:
    assert [core.curve_name(curve).decode() for curve in range(52)] == list(ARKIT_NAMES)
    assert core.curve_name(52) is None


@settings(deadline=None)
@given(
    rate=st.sampled_from([FrameRate(30), FrameRate(60), FrameRate(30000, 1001), FrameRate(24)]),
    rate_hz=st.sampled_from([8000, 16000, 44100, 48000]),
    frame=st.integers(0, 10**8),
)
def test_frames_belong_to_the_same_samples(core: Core, rate: FrameRate, rate_hz: int, frame: int) -> None:
    expected = FrameClock(rate, rate_hz).sample_of(frame)
    assert core.sample_of(rate.numerator, rate.denominator, rate_hz, frame) == expected


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000])
def test_the_resampler_is_the_servers(core: Core, rate_hz: int) -> None:
    samples = np.random.default_rng(rate_hz).standard_normal(rate_hz // 2).astype(np.float32)
    resampler = Resampler(rate_hz)
    expected = np.concatenate([resampler.push(samples), resampler.flush()])
    np.testing.assert_allclose(core.resampled(samples, rate_hz, 16000), expected, atol=5e-6)


def test_visemes_are_the_servers(core: Core) -> None:
    chance = np.random.default_rng(2)
    weights = np.concatenate([chance.random((300, 52)), chance.random((300, 52)) ** 8, BASIS]).astype(np.float32)
    found = np.zeros((len(weights), len(VISEMES)), np.float32)
    for face, visemes in zip(weights, found, strict=True):
        core.visemes(face.ctypes.data, visemes.ctypes.data)
    np.testing.assert_allclose(found, visemes_of(weights), atol=2e-4)


def _random_frames(chance: np.random.Generator, count: int) -> Frames:
    rotations = chance.standard_normal((3, count, 4)).astype(np.float32)
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    return Frames(0, chance.random((count, 52), np.float32), Pose(*rotations))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), rate=st.sampled_from([FrameRate(30), FrameRate(60), FrameRate(30000, 1001)]))
def test_the_jitter_buffer_shows_what_the_playback_clock_shows(core: Core, seed: int, rate: FrameRate) -> None:
    """Frames come in runs, some late, some never; the sound goes on in uneven steps."""
    chance = np.random.default_rng(seed)
    clock = PlaybackClock(FrameClock(rate, 48000))
    buffer = core.buffer_create(rate.numerator, rate.denominator, 48000, 512)
    frames, came, sample, shown = _random_frames(chance, 200), 0, 0, Face()
    assert frames.pose is not None
    for _ in range(150):
        for _ in range(int(chance.integers(0, 5))):
            if came < 200 and chance.random() > 0.1:
                pose = Pose(
                    *(part[came : came + 1] for part in (frames.pose.head, frames.pose.left_eye, frames.pose.right_eye))
                )
                clock.add(Frames(came, frames.weights[came : came + 1], pose))
                rotations = np.stack([pose.head[0], pose.left_eye[0], pose.right_eye[0]])
                assert core.buffer_add(buffer, came, bytes(face_of(frames.weights[came], rotations)))
            came += 1
        sample += int(chance.integers(0, 3000))
        expected = clock.at(sample)
        starved = core.buffer_at(buffer, sample, _address(shown))
        assert starved == expected.is_starved
        row = np.concatenate([expected.weights, expected.head, expected.left_eye, expected.right_eye])
        np.testing.assert_allclose(row_of(shown), row, atol=2e-5)
    core.buffer_destroy(buffer)


def test_live_link_values_are_those_of_the_csv(core: Core, tmp_path: Path) -> None:
    frames = _random_frames(np.random.default_rng(1), 20)
    assert frames.pose is not None
    write_csv(tmp_path / "take.csv", frames, FrameRate(30))
    header, *lines = (tmp_path / "take.csv").read_text().splitlines()
    names = [name[0].lower() + name[1:] for name in header.split(",")[2:54]]
    for place, line in enumerate(lines):
        cells = np.array(line.split(",")[2:], np.float32)
        rotations = np.stack([part[place] for part in (frames.pose.head, frames.pose.left_eye, frames.pose.right_eye)])
        face, values = face_of(frames.weights[place], rotations), np.zeros(LIVE_LINK, np.float32)
        core.live_link_values(_address(face), values.ctypes.data)
        canonical = [cells[names.index(name)] for name in ARKIT_NAMES]
        np.testing.assert_allclose(values, [*canonical, *cells[52:]], atol=1e-5)
        np.testing.assert_allclose(values[52:55], angles_of(rotations[:1])[0], atol=1e-5)


def test_a_live_link_datagram_reads_as_public_decoders_read_it(core: Core) -> None:
    values = np.linspace(0, 1, LIVE_LINK, dtype=np.float32)
    data, device = np.zeros(512, np.uint8), b"3fa85f64-5717-4562-b3fc-2c963f66afa6"
    size = core.live_link_encode(device, b"facestream1", 10**9, values.ctypes.data, data.ctypes.data, 512)
    packet = data[:size].tobytes()
    assert size == 317
    assert packet[4:5] == b"$", "some take the low byte of the length for a mark"
    assert packet[-245] == 61
    assert np.frombuffer(packet[-244:], ">f4").tolist() == values.tolist()
    assert int.from_bytes(packet[56:60], "big") == 60


def test_a_vmc_face_reads_as_osc_is_specified(core: Core) -> None:
    rest = np.tile(np.array([0, 0, 0, 1], np.float32), (3, 1))
    face, packets = face_of(np.linspace(0, 1, 52, dtype=np.float32), rest), []

    @Send
    def keep(_: int, data: "ctypes._Pointer[ctypes.c_uint8]", size: int) -> None:
        packets.append(bytes(data[:size]))

    core.vmc_encode(_address(face), 2.5, 1, 1, keep, None)
    messages = [message for packet in packets for message in _osc_messages(packet)]
    blends = {arguments[0]: arguments[1] for address, arguments in messages if address == "/VMC/Ext/Blend/Val"}
    assert list(blends) == list(ARKIT_NAMES)
    np.testing.assert_allclose(list(blends.values()), np.linspace(0, 1, 52), atol=1e-6)
    assert messages[0] == ("/VMC/Ext/OK", [1])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert ("/VMC/Ext/Bone/Pos", ["Head", 0, 0, 0, 0, 0, 0, 1]) in messages
    assert max(map(len, packets)) <= 1400


def _address(face: Face) -> int:
    return ctypes.addressof(face)


def _osc_messages(packet: bytes) -> list[tuple[str, list[object]]]:
    """An independent reading of one bundle: OSC 1.0, as far as strings, floats and integers go."""
    assert packet[:16] == b"#bundle\0" + bytes(7) + b"\1"
    found, place = [], 16
    while place < len(packet):
        size = int.from_bytes(packet[place : place + 4], "big")
        message, place = packet[place + 4 : place + 4 + size], place + 4 + size
        address, message = _text(message)
        types, message = _text(message)
        arguments: list[object] = []
        for kind in types[1:]:
            if kind == "s":
                text, message = _text(message)
                arguments.append(text)
            else:
                arguments.append(np.frombuffer(message[:4], ">f4" if kind == "f" else ">i4")[0].item())
                message = message[4:]
        assert message == b""
        found.append((address, arguments))
    return found


def _text(data: bytes) -> tuple[str, bytes]:
    end = data.index(0)
    return data[:end].decode(), data[(end // 4 + 1) * 4 :]
