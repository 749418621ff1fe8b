"""The Unity package: its C# is compiled with warnings as errors, its tests run, and its Core talks to real servers."""

import asyncio
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme

from facestream.client import AsyncClient
from facestream.curves import ARKIT_NAMES, INDEX
from facestream.types import Float32, joined_frames
from tests.plugins.dotnet.toolchain import DotNet
from tests.plugins.proxy import network
from tests.plugins.scripted import FAULTS, OPENED, grpc_server
from tests.plugins.unity.core_program import PACKAGE, CoreProgram, built
from tests.transports.loopback import loopback, speech

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SPEECH = speech(4.0)
WORDS = {
    "other service": "does not speak facestream.v1",
    "other version": "answered without 'started'",
    "a curve less": "sends 51 curves and not 'tongueOut'",
    "another curve": "curve 51 is 'earWiggle'",
    "narrow frames": "sent 51 weights for 1 frames of 52 curves",
    "out of order": "sent frame 4 behind frame 8",
}
"""What is said of the server that answers so."""


@pytest.fixture(scope="module")
def dotnet(request: pytest.FixtureRequest) -> DotNet:
    return DotNet(Path(request.config.cache.mkdir("dotnet")))


@pytest.fixture(scope="module")
def programs(dotnet: DotNet, request: pytest.FixtureRequest) -> Path:
    return built(dotnet, Path(request.config.cache.mkdir("plugins")))


@pytest.fixture
def core(dotnet: DotNet, programs: Path, tmp_path: Path) -> CoreProgram:
    return CoreProgram(dotnet, programs, tmp_path)


async def python_weights(address: str, pcm: Float32) -> Float32:
    """The same recording through the Python client."""
    encoded = np.clip(np.rint(pcm * 32768), -32768, 32767).astype(np.int16)
    async with AsyncClient(address) as client, client.animate(seed=1, slow_reader="wait") as stream:

        async def send() -> None:
            await stream.send(encoded)
            await stream.finish()

        sending = asyncio.create_task(send())
        runs = [frames async for frames in stream]
        await sending
    return joined_frames(runs, len(ARKIT_NAMES)).weights


def test_the_tests_of_the_package_pass(dotnet: DotNet, programs: Path) -> None:
    command = dotnet.command(programs / "Runner.dll", programs / "Facestream.Tests.dll")
    told = subprocess.run(command, env=dotnet.environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    passed = int(told.stdout.split(" passed")[0].split()[-1])
    assert passed >= 30


def test_core_uses_what_unity_has(dotnet: DotNet, programs: Path) -> None:
    def foreign(assembly: str) -> list[str]:
        command = dotnet.command(programs / "ForeignTypes.dll", dotnet.netstandard, programs / assembly)
        return subprocess.run(
            command, env=dotnet.environment, capture_output=True, text=True, check=True
        ).stdout.split()

    # what this compiler puts in where the runtime has it, and else does without
    own = {
        f"System.Runtime.CompilerServices.{name}"
        for name in ("DefaultInterpolatedStringHandler", "NullableAttribute", "NullableContextAttribute")
    }
    assert set(foreign("Facestream.Core.dll")) <= own
    assert "System.Net.Http.SocketsHttpHandler" in foreign("Program.dll")


def test_the_bridge_to_browsers_is_javascript(tmp_path: Path) -> None:
    bridge = tmp_path / "bridge.js"
    bridge.write_text((PACKAGE / "Plugins/WebGL/facestream.jslib").read_text())
    subprocess.run(["node", "--check", str(bridge)], check=True)


@pytest.mark.asyncio
async def test_a_frame_allocates_nothing(core: CoreProgram) -> None:
    told = await core.run("allocations")
    assert told.report["failure"] == ""
    assert not told.report["starved"]
    assert told.report["frames"] >= 10_000
    assert told.report["bytes"] == 0
    leaking = await core.run("allocations", leak=1)
    assert leaking.report["bytes"] >= 10_000 * 16, "one box for each frame is seen"


@pytest.mark.asyncio
async def test_frames_are_those_of_the_python_client(core: CoreProgram) -> None:
    async with loopback() as server:
        expected = await python_weights(server.server.address, SPEECH)
        told = await core.run("stream", SPEECH, server=f"http://{server.server.address}")
        live = await core.run("stream", SPEECH, server=f"http://{server.server.address}", pace="live")
    assert told.report["state"] == live.report["state"] == "Finished"
    assert expected[:, INDEX["jawOpen"]].max() > 0.1
    np.testing.assert_allclose(told.weights, expected, atol=1e-5)
    np.testing.assert_allclose(live.weights, expected, atol=1e-5)
    changed = expected.copy()
    changed[3] += 1e-4
    assert not np.allclose(told.weights, changed, atol=1e-5)


@pytest.mark.asyncio
async def test_websockets_carry_the_same_frames_and_the_same_words(core: CoreProgram) -> None:
    async with loopback(websocket_port=0, tokens=("right",)) as server:
        address = f"ws://{server.server.web_address}"
        told = await core.run("stream", SPEECH, server=address, token="right")
        over_grpc = await core.run("stream", SPEECH, server=f"http://{server.server.address}", token="right")
        denied = await core.run("stream", SPEECH[:3200], server=address, token="wrong")
        unknown = await core.run("stream", SPEECH[:3200], server=address, token="right", model="nobody")
        tls = await core.run("stream", SPEECH[:3200], server=address.replace("ws:", "wss:"))
    assert told.report["state"] == "Finished"
    np.testing.assert_allclose(told.weights, over_grpc.weights, atol=1e-5)
    assert denied.report["kind"] == "Denied"
    assert denied.report["failure"].startswith(f"{address} refused the token: the token was not accepted")
    assert unknown.report["kind"] == "NotFound"
    assert "no model named 'nobody'; there is: synthetic" in unknown.report["failure"]
    assert "with TLS (else use ws://)" in tls.report["failure"]
    nobody = await core.run("stream", SPEECH[:3200], server=_nobody().replace("http:", "ws:"))
    assert nobody.report["kind"] == "Unavailable"
    assert "is the server running there with 'websocket_port' set" in nobody.report["failure"]


@pytest.mark.asyncio
async def test_a_websocket_that_breaks_mid_word_leaves_no_seam(core: CoreProgram) -> None:
    async with loopback(websocket_port=0) as server:
        expected = await python_weights(server.server.address, SPEECH)
        async with network(str(server.server.web_address), cut_after_bytes=12_000) as between:
            told = await core.run("stream", SPEECH, server=f"ws://127.0.0.1:{between.port}", pace="live")
    assert told.report["state"] == "Finished"
    assert told.report["resumes"] == 1
    np.testing.assert_allclose(told.weights, expected, atol=1e-5)


@pytest.mark.asyncio
async def test_a_connection_that_breaks_mid_word_leaves_no_seam(core: CoreProgram) -> None:
    async with loopback() as server, network(server.server.address, cut_after_bytes=12_000) as between:
        expected = await python_weights(server.server.address, SPEECH)
        told = await core.run("stream", SPEECH, server=f"http://127.0.0.1:{between.port}", pace="live")
    assert told.report["state"] == "Finished"
    assert told.report["resumes"] == 1
    np.testing.assert_allclose(told.weights, expected, atol=1e-5)


@pytest.mark.asyncio
async def test_a_server_that_dies_for_good_is_named_and_the_face_comes_to_rest(core: CoreProgram) -> None:
    async with loopback() as server, network(server.server.address) as between:
        running = asyncio.create_task(
            core.run("stream", SPEECH, server=f"http://127.0.0.1:{between.port}", pace="live")
        )
        while between.bytes_to_client < 12_000:
            await asyncio.sleep(0.01)
        between.is_refusing = True
        between.cut()
        told = await running
    assert told.report["state"] == "Failed"
    assert told.report["failure"].startswith(f"no connection to http://127.0.0.1:{between.port}: ")
    assert told.report["resting"] == 0


@pytest.mark.asyncio
async def test_a_wrong_token_is_told_as_the_server_says_it(core: CoreProgram) -> None:
    async with loopback(tokens=("right",)) as server:
        address = f"http://{server.server.address}"
        told = await core.run("stream", SPEECH[:3200], server=address, token="wrong")
        assert told.report["kind"] == "Denied"
        assert told.report["failure"].startswith(f"{address} refused the token: ")
        told = await core.run("stream", SPEECH[:3200], server=address, token="right")
        assert told.report["state"] == "Finished"


@pytest.mark.asyncio
async def test_tls_and_its_mismatches(core: CoreProgram, tmp_path: Path) -> None:
    authority = trustme.CA()
    identity = authority.issue_cert("localhost")
    identity.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in identity.cert_chain_pems:
        blob.write_to_path(tmp_path / "chain.pem", append=True)
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    files = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    async with loopback() as open_server, loopback(host="localhost", **files) as server:
        address, open_address = server.server.address, open_server.server.address
        short = SPEECH[:3200]
        told = await core.run("stream", short, server=f"https://{address}", root_certificate=tmp_path / "root.pem")
        assert told.report["state"] == "Finished"
        untrusted = await core.run("stream", short, server=f"https://{address}")
        assert untrusted.report["kind"] == "Insecure"
        plain = await core.run("stream", short, server=f"http://{address}")
        assert "and without TLS (else use https://)" in plain.report["failure"]
        needless = await core.run("stream", short, server=f"https://{open_address}")
        assert needless.report["kind"] == "Insecure"
        assert "Use http:// where the server has no TLS" in needless.report["failure"]


def _nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return f"http://127.0.0.1:{found.getsockname()[1]}"


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_is_named(core: CoreProgram) -> None:
    address = _nobody()
    told = await core.run("stream", SPEECH[:3200], server=address)
    assert told.report["kind"] == "Unavailable"
    assert told.report["failure"].startswith(f"no connection to {address}: Connection refused")


@pytest.mark.asyncio
@pytest.mark.parametrize("what", FAULTS)
async def test_a_server_of_another_kind_ends_in_one_clear_message(core: CoreProgram, what: str) -> None:
    async with grpc_server(FAULTS[what]) as address:
        seen = await core.run("stream", SPEECH[:6400], server=f"http://{address}")
    assert seen.report["state"] == "Failed"
    assert seen.report["kind"] == "Protocol"
    assert WORDS[what] in seen.report["failure"]
    assert seen.report["resting"] == 0


@pytest.mark.asyncio
async def test_playback_stays_with_the_audio_over_a_bad_network(core: CoreProgram) -> None:
    async with loopback() as server, network(server.server.address, jitter_s=0.08, loss=0.02, seed=4) as between:
        told = await core.run("play", SPEECH, server=f"http://127.0.0.1:{between.port}", pace="live", delay_ms=1500)
        expected = await python_weights(server.server.address, SPEECH)
    assert told.report["state"] == "Streaming"
    assert "ahead_of_audio" not in told.report
    shown, wanted = shown_and_expected(told.report, expected)
    assert len(shown) > 20
    # but for the moments after a gap, where it joins
    assert np.percentile(np.abs(shown - wanted), 90) <= 0.02
    assert abs(lag_ms(told.report, expected)) <= 20
    assert abs(lag_ms(told.report, np.roll(expected, 2, axis=0))) > 20, "two frames of delay are seen"
    # 20 ms of delay are less than the server's look-ahead: the face must starve, and say so
    async with loopback() as server:
        starving = await core.run(
            "play", SPEECH[:32000], server=f"http://{server.server.address}", pace="live", delay_ms=20
        )
    assert sum(starving.report["starved"]) > 10


@pytest.mark.asyncio
@pytest.mark.parametrize(("what", "transport"), [("speech", "http"), ("capture", "ws"), ("microphone", "http")])
async def test_a_mesh_follows_the_sound(core: CoreProgram, what: str, transport: str) -> None:
    async with loopback(websocket_port=0) as server:
        address = server.server.address if transport == "http" else server.server.web_address
        told = await core.stage(what, f"{transport}://{address}", SPEECH)
        expected = await python_weights(server.server.address, SPEECH)
    assert told["told"] == []
    assert told["bytes"] == 0, "nothing is allocated while a line is said"
    assert told["frames"] > 60
    time, jaw = np.array(told["shown"]).T
    heard = told["heard"][0] if what != "microphone" else 0.25
    assert heard >= 0.25 or what == "speech", "sound that is captured waits for its face"
    # the sound reaches the ear a buffer after it was handed over; the device's rate makes it a little softer
    wanted = np.interp(time - heard, np.arange(len(expected)) / 30, 100 * expected[:, INDEX["jawOpen"]], left=0)
    lags = np.arange(-0.1, 0.1, 0.005)
    fits = [np.corrcoef(np.interp(time - lag, time, wanted)[12:-120], jaw[12:-120])[0, 1] for lag in lags]
    assert max(fits) > 0.95
    # the sound is a buffer of 21 ms late at the ear; a microphone is read in blocks of 20 ms, once a drawn frame
    assert 0 <= lags[int(np.argmax(fits))] <= (0.045 if what != "microphone" else 0.06)
    assert jaw.max() > 15
    assert jaw[-1] == 0, "at rest when all is said"
    assert np.abs(np.diff(jaw)).max() < 20, "no jump"


@pytest.mark.asyncio
async def test_what_is_missing_is_said_once(core: CoreProgram) -> None:
    told = await core.stage("speech", _nobody().replace("http:", "ws:"), SPEECH)
    assert len(told["told"]) == 1
    assert "is the server running there" in told["told"][0]
    assert told["heard"], "the line is said all the same"
    assert np.array(told["shown"])[:, 1].max() == 0
    told = await core.stage("nomicrophone", _nobody(), SPEECH)
    assert len(told["told"]) == 1
    assert told["told"][0].startswith("error: facestream: no microphone: ")


@pytest.mark.asyncio
async def test_a_character_does_as_it_is_told_before_a_line_and_within(core: CoreProgram) -> None:
    async with loopback() as server:
        address = f"http://{server.server.address}"
        hushed = await core.stage("hush", address, SPEECH)
        acting = await core.stage("act", address, SPEECH[:12800])
    assert hushed["told"] == []
    time, jaw = np.array(hushed["shown"]).T
    assert jaw[time < 1.5].max() > 15, "told to hush at 1.5 s,"
    assert jaw[(time > 3.2) & (time < 4)].max() < 1, "when the sound of the next second and a half was sent"
    assert told_once(acting, "this model can not act").max() == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("what", FAULTS)
async def test_the_console_tells_of_a_server_of_another_kind_once_and_the_mesh_eases_to_rest(
    core: CoreProgram, what: str
) -> None:
    async with grpc_server(FAULTS[what]) as address:
        jaw = told_once(await core.stage("speech", f"http://{address}", SPEECH[:12800]), WORDS[what])
    assert jaw.max() == pytest.approx(100 * OPENED if what == "out of order" else 0)


@pytest.mark.asyncio
async def test_the_console_tells_of_a_token_and_of_tls_once(core: CoreProgram) -> None:
    async with loopback(websocket_port=0, tokens=("right",)) as server:
        for scheme, address in (("http", server.server.address), ("ws", server.server.web_address)):
            told = await core.stage("speech", f"{scheme}://{address}", SPEECH[:12800], "wrong")
            assert told_once(told, "refused the token").max() == 0
            told = await core.stage("speech", f"{scheme}s://{address}", SPEECH[:12800], "right")
            assert told_once(told, f"{scheme}://").max() == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("transport", ["http", "ws"])
async def test_the_console_tells_once_of_a_server_that_dies_mid_word(core: CoreProgram, transport: str) -> None:
    async with loopback(websocket_port=0) as server:
        behind = server.server.address if transport == "http" else str(server.server.web_address)
        async with network(behind, cut_after_bytes=12_000, refuses_after_cut=True) as between:
            address = f"{transport}://127.0.0.1:{between.port}"
            jaw = told_once(await core.stage("speech", address, SPEECH), address)
    assert jaw.max() > 15


@pytest.mark.asyncio
async def test_the_console_tells_of_a_server_that_never_answers_when_the_line_is_over(core: CoreProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        jaw = told_once(
            await core.stage("unanswered", address, SPEECH[:12800]), f"no connection to {address} when the line"
        )
    assert jaw.max() == 0


def told_once(told: dict[str, Any], words: str) -> Float32:
    """The jaw of a line that was said although something was wrong: one error has these words, and it eased to rest."""
    (error,) = told["told"]
    assert error.startswith("error: facestream: ")
    assert words in error
    assert told["heard"], "the line is said all the same"
    jaw = np.array(told["shown"], np.float32)[:, 1]
    assert np.diff(jaw).min() > -20, "eased, not dropped"
    assert jaw[-1] == 0
    return jaw


@pytest.mark.asyncio
async def test_window_and_inspector_say_who_answers_and_which_shapes_are_found(core: CoreProgram) -> None:
    async with loopback(websocket_port=0) as server:
        told = await core.stage("editor", f"ws://{server.server.web_address}", SPEECH[:1])
    answer, found, missing = told["told"]
    assert re.fullmatch(r"Info: ws://\S+ answers: model synthetic \S+, 52 curves, look-ahead \d+ ms", answer)
    assert found == "ARKit 2 of 52, visemes 0 of 15, vowels 0 of 5"
    assert "Not found on" in missing
    assert "mouthClose" in missing
    assert "jawOpen" not in missing
    assert told["console"] == []
    told = await core.stage("editor", _nobody().replace("http:", "ws:"), SPEECH[:1])
    assert told["told"][0].startswith("Error: no connection to ws://")
    assert len(told["console"]) == 1


@pytest.mark.asyncio
async def test_a_clip_is_baked(core: CoreProgram) -> None:
    async with loopback() as server:
        told = await core.stage("bake", f"http://{server.server.address}", SPEECH)
        expected = await python_weights(server.server.address, SPEECH)
    keys = np.array(told["keys"])
    baked = np.interp(np.arange(len(expected)) / 30, keys[:, 0], keys[:, 1] / 100)
    assert np.corrcoef(baked, expected[:, INDEX["jawOpen"]])[0, 1] > 0.95


def shown_and_expected(report: dict[str, Any], expected: Float32) -> tuple[Float32, Float32]:
    """The jaw as it was drawn, and what the frames say for the same positions of the audio; without starved moments."""
    positions, steady = np.array(report["positions"]), _steady(report)
    wanted = np.interp(positions * 30 / 16000, np.arange(len(expected)), expected[:, INDEX["jawOpen"]])
    return np.array(report["jaw"], np.float32)[steady], wanted[steady].astype(np.float32)


def lag_ms(report: dict[str, Any], expected: Float32) -> float:
    """How far the drawn jaw lies behind the frames' own time, by the best fit; without starved moments."""
    steady = _steady(report)
    shown, seconds = np.array(report["jaw"])[steady], np.array(report["positions"])[steady] / 16000
    jaw = expected[:, INDEX["jawOpen"]]
    lags = np.arange(-100, 101, 2.0)
    errors = [np.mean((np.interp((seconds - lag / 1000) * 30, np.arange(len(jaw)), jaw) - shown) ** 2) for lag in lags]
    return float(lags[int(np.argmin(errors))])


def _steady(report: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Moments without starvation in the ten before: the face has joined its frames again."""
    starved = np.array(report["starved"])
    return np.convolve(starved, np.ones(10))[: len(starved)] == 0
