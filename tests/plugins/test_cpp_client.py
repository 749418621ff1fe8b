"""`facestream-cli`, the compiled client, against real servers: the frames of Python's client, one message a fault."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import soundfile
import trustme

from facestream.client import Client, Clip, StreamOptions
from facestream.timebase import FrameRate
from facestream.transports.server import Server
from facestream.types import Float32
from facestream_bench.server_process import ServerProcess, running_server
from facestream_bench.speech import speech_of
from tests.plugins.cpp_build import CLIENT, CORE, HAS_CLIENT_TOOLS, build, run_tests, sanitizers_of
from tests.transports.loopback import loopback, settings, speech, synthetic_pipeline, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not HAS_CLIENT_TOOLS, reason="libgrpc++-dev, protobuf-compiler-grpc or libgtest-dev is missing"),
]

CALM = {key: value for key, value in os.environ.items() if key != "GRPC_EXPERIMENTS"}
"""Without what this process tells newer gRPC than the client's."""


@dataclass(frozen=True)
class Told:
    """What a run of the client came to."""

    code: int
    message: str
    report: dict[str, Any]

    @property
    def weights(self) -> Float32:
        return np.array([frame["weights"] for frame in self.report["frames"]], np.float32)

    @property
    def indices(self) -> list[int]:
        return [frame["index"] for frame in self.report["frames"]]


@pytest.fixture(scope="module")
def programs() -> Path:
    return build(CLIENT, "release")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server("live", max_streams=4) as found:
        yield found


async def cli(programs: Path, address: str, wav: Path, *options: str) -> Told:
    report = wav.with_suffix(".json")
    report.unlink(missing_ok=True)
    words = [str(programs / "facestream-cli"), address, str(wav), "--quiet", "--report", str(report), *options]
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=CALM)
    _, told = await process.communicate()
    return Told(process.returncode or 0, told.decode().strip(), json.loads(report.read_text()))


def recording(path: Path, pcm: Float32, rate_hz: int = 16000, subtype: str = "FLOAT") -> Path:
    soundfile.write(path / "speech.wav", pcm, rate_hz, subtype=subtype)
    return path / "speech.wav"


def test_the_client_passes_its_own_tests(programs: Path) -> None:
    run_tests(programs / "facestream-client-tests")


def test_sanitizers_find_nothing_in_the_client() -> None:
    """Nor while it plays the scenario: `cpp-sanitized` in test_conformance.py."""
    program = build(CLIENT, "asan-ubsan") / "facestream-client-tests"
    assert sanitizers_of(program) == {"asan", "ubsan"}
    run_tests(program)


def test_the_shared_library_shows_its_own_names_only(programs: Path, tmp_path: Path) -> None:
    """Engines bring a gRPC, an OpenSSL, a zlib of their own: none of ours may be met by theirs."""
    library = programs / "libfacestream_client_shared.so"
    words = ["nm", "-D", "--defined-only", "--format=posix", str(library)]
    names = {line.split()[0] for line in subprocess.run(words, capture_output=True, text=True).stdout.splitlines()}
    assert not [name for name in names if not name.startswith("fs_")]
    header = (CLIENT / "include/facestream/client/c_api.h").read_text()
    header += (CORE / "include/facestream/core/c_api.h").read_text()
    assert names == set(re.findall(r"^FS_API [^(]*?\b(fs_\w+)\(", header, re.MULTILINE))
    source = tmp_path / "from_c.c"
    source.write_text(
        "#include <facestream/client/c_api.h>\nint main(void) { return fs_abi_version() != FS_ABI_VERSION; }"
    )
    includes = [f"-I{folder / 'include'}" for folder in (CORE, CLIENT)]
    compiler = ["cc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", *includes, str(source)]
    subprocess.run([*compiler, str(library), "-o", str(tmp_path / "from_c")], check=True)
    subprocess.run([str(tmp_path / "from_c")], check=True, env=CALM | {"LD_LIBRARY_PATH": str(programs)})


def python_clip(server: ServerProcess, pcm: Float32, options: StreamOptions) -> Clip:
    with Client(server.address) as client:
        return client.animate_clip(pcm, options)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("rate_hz", "channels", "encoding", "frame_rate"),
    [(16000, 1, "f32", FrameRate(30)), (48000, 2, "s16", FrameRate(60)), (44100, 1, "f32", FrameRate(30000, 1001))],
)
async def test_frames_are_those_of_the_python_client(
    programs: Path,
    server: ServerProcess,
    tmp_path: Path,
    rate_hz: int,
    channels: int,
    encoding: Any,
    frame_rate: FrameRate,
) -> None:
    spoken = speech_of(4.0)
    times = np.arange(4 * rate_hz) / rate_hz
    mono = np.interp(times, np.arange(spoken.size) / 16000, spoken).astype(np.float32)
    pcm = np.stack([mono, 0.5 * mono], axis=1)[:, :channels]
    options = StreamOptions(
        sample_rate_hz=rate_hz, channel_count=channels, encoding=encoding, frame_rate=frame_rate, seed=1
    )
    expected = await asyncio.to_thread(python_clip, server, pcm, options)
    wav = recording(tmp_path, pcm, rate_hz)
    words = ["--fast", "--seed", "1", "--frame-rate", str(frame_rate), *(["--floats"] if encoding == "f32" else [])]
    told = await cli(programs, server.address, wav, *words)
    assert (told.code, told.message, told.report["lost_samples"]) == (0, "", 0)
    assert told.indices == list(range(expected.frames.count))
    np.testing.assert_allclose(told.weights, expected.frames.weights, atol=1e-5)
    assert expected.frames.pose is not None
    for part in ("head", "left_eye", "right_eye"):
        found = np.array([frame[part] for frame in told.report["frames"]], np.float32)
        np.testing.assert_allclose(found, getattr(expected.frames.pose, part), atol=1e-5)
    assert (told.report["model"], told.report["seed"]) == ("live", 1)
    assert {event["kind"] for event in told.report["events"]} >= {"speech_started", "speech_ended"}


@pytest.mark.asyncio
async def test_other_frames_would_be_noticed(programs: Path, server: ServerProcess, tmp_path: Path) -> None:
    pcm = speech_of(2.0)
    expected = await asyncio.to_thread(python_clip, server, pcm, StreamOptions(encoding="f32", seed=1))
    told = await cli(programs, server.address, recording(tmp_path, pcm), "--fast", "--seed", "2", "--floats")
    assert np.abs(told.weights - expected.frames.weights).max() > 1e-3, "another seed blinks elsewhere"


@pytest.mark.asyncio
@pytest.mark.parametrize("resumes", [True, False])
async def test_a_server_that_dies_mid_word_is_survived_or_named(programs: Path, tmp_path: Path, resumes: bool) -> None:
    pcm = speech(4.0)
    wav = recording(tmp_path, pcm)
    first = Server(settings(), load=lambda: [synthetic_pipeline()])
    await first.start()
    options = ["--seed", "1", "--floats", *([] if resumes else ["--no-resume"])]
    running = asyncio.create_task(cli(programs, first.address, wav, *options))
    await until(lambda: first.host.streams)
    await asyncio.sleep(2.0)
    second = Server(settings(port=first.port), load=lambda: [synthetic_pipeline()])
    await first.stop()
    async with second:
        told = await running
        whole = await cli(programs, second.address, wav, "--fast", "--seed", "1", "--floats")
    if resumes:
        assert (told.code, told.report["resume_count"], told.report["lost_samples"]) == (0, 1, 0)
        assert told.indices == whole.indices, "no frame lost, none twice"
        np.testing.assert_allclose(told.weights, whole.weights, atol=2e-3)
        assert "resumed" in {event["kind"] for event in told.report["events"]}
    else:
        assert told.code == 1
        assert told.report["failure"] in ("lost", "busy")
        assert first.address in told.message
        assert told.indices == whole.indices[: len(told.indices)]


@pytest.mark.asyncio
async def test_each_fault_has_a_message_that_says_what_to_do(programs: Path, tmp_path: Path) -> None:
    wav = recording(tmp_path, speech(0.4))
    authority, stranger = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")
    stranger.cert_pem.write_to_path(tmp_path / "others.pem")
    roots, others = str(tmp_path / "roots.pem"), str(tmp_path / "others.pem")

    async def fails(address: str, *options: str) -> tuple[str, str]:
        told = await cli(programs, address, wav, "--fast", *options)
        assert told.code == 1
        assert told.message.count("\n") == 0, "one sentence"
        assert told.message.startswith(f"facestream: {address}") or address in told.message
        return told.report["failure"], told.message

    async with loopback(tokens=("right",), max_streams=1) as plain:
        address = plain.server.address
        assert (await cli(programs, address, wav, "--fast", "--token", "right")).code == 0
        kind, message = await fails(address, "--token", "wrong")
        assert (kind, "token" in message) == ("denied", True)
        assert (await fails(address))[0] == "denied"
        kind, message = await fails(address, "--token", "right", "--model", "nobody")
        assert (kind, "there is: synthetic" in message) == ("options", True)
        kind, message = await fails(address, "--token", "right", "--tls", roots)
        assert (kind, "does not speak TLS" in message) == ("tls", True)
    tls = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    async with Server(settings(**tls), load=lambda: [synthetic_pipeline()]) as server:
        assert (await cli(programs, server.address, wav, "--fast", "--tls", roots)).code == 0
        kind, message = await fails(server.address, "--tls", others)
        assert (kind, "not trusted" in message) == ("tls", True)
        kind, message = await fails(server.address)
        assert (kind, "may speak TLS only" in message) == ("tls", True)
    kind, message = await fails("127.0.0.1:1")
    assert (kind, "is the server running there?" in message) == ("unreachable", True)
    stranger_server = grpc.aio.server()
    port = stranger_server.add_insecure_port("127.0.0.1:0")
    await stranger_server.start()
    kind, message = await fails(f"127.0.0.1:{port}")
    assert (kind, "does not speak facestream.v1" in message) == ("other_version", True)
    await stranger_server.stop(None)


def test_files_that_are_no_audio_are_told(programs: Path, tmp_path: Path) -> None:
    for name, content, part in [("none.wav", None, "can not be read"), ("text.wav", b"hello, hello", "no WAV file")]:
        if content:
            (tmp_path / name).write_bytes(content)
        words = [str(programs / "facestream-cli"), "127.0.0.1:1", str(tmp_path / name)]
        told = subprocess.run(words, capture_output=True, text=True, check=False, env=CALM)
        assert (told.returncode, part in told.stderr) == (2, True)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
@pytest.mark.asyncio
async def test_wav_files_of_every_common_kind_are_read(
    programs: Path, server: ServerProcess, tmp_path: Path, subtype: str
) -> None:
    pcm = speech_of(1.0)
    plain = await asyncio.to_thread(python_clip, server, pcm, StreamOptions(encoding="f32", seed=1))
    told = await cli(
        programs, server.address, recording(tmp_path, pcm, subtype=subtype), "--fast", "--floats", "--seed", "1"
    )
    np.testing.assert_allclose(told.weights, plain.frames.weights, atol=2e-3 if subtype == "PCM_16" else 1e-4)
