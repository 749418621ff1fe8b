"""The Unreal plugin, compiled against stubs of the engine and played against real servers: what it pushes to Live Link
are the frames of Python's client, none before its sound; each fault has one message, and the face rests.
"""

import asyncio
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme

from facestream.client import AsyncClient, Client, Clip, StreamOptions
from facestream.curves import ARKIT_NAMES
from facestream.serving.pipelines import open_pipeline
from facestream.styling import StylingChange
from facestream.timebase import FrameRate
from facestream.transports.server import Server
from facestream.types import Float32, Frames, joined_frames
from facestream_bench.server_process import ServerProcess, running_server
from facestream_bench.speech import speech_of
from tests.docs.markdown import blocks
from tests.plugins.build_once import locked
from tests.plugins.proxy import network
from tests.plugins.scripted import FAULTS, OPENED, grpc_server
from tests.plugins.test_cpp_client import CALM, recording
from tests.plugins.unreal.build import COMPILER, FOLDER, HAS_TOOLS, generate, headers, sources, stage
from tests.transports.loopback import settings, speech, synthetic_pipeline, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not HAS_TOOLS, reason="g++, cmake, libgrpc++-dev or libgtest-dev is missing"),
]

ERROR = 1
SILENT, CONNECTING, SPEAKING, RECONNECTING, FAILED = range(5)
PICTURE_S = 1 / 60


@dataclass(frozen=True)
class Played:
    """What the stage tells of one play."""

    report: dict[str, Any]

    @property
    def frames(self) -> list[tuple[float, float, Float32]]:
        """Time of the push, frame since the sound began, values; of what was pushed from the first sound on."""
        rows = [row for row in self.report["frames"] if row[0] >= self.report["audio_began_at"] - PICTURE_S]
        origin = next(iter(rows), [0, 0, 0])[2]
        return [(row[0], row[2] - origin + row[3], np.array(row[5], np.float32)) for row in rows]

    def column(self, name: str) -> int:
        return int(self.report["subjects"][-1]["properties"].index(name))

    @property
    def errors(self) -> list[str]:
        return [message for verbosity, _, message in self.report["log"] if verbosity <= ERROR]

    @property
    def states(self) -> list[int]:
        return [state for state, _, _ in self.report["states"]]

    @property
    def last(self) -> Float32:
        return np.array(self.report["frames"][-1][5], np.float32)


@pytest.fixture(scope="module")
def program() -> Path:
    return stage()


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with running_server("live", max_streams=4) as found:
        yield found


async def play(program: Path, address: str, wav: Path, *options: str) -> Played:
    report = wav.with_name("report.json")
    report.unlink(missing_ok=True)
    words = [str(program), "--server", address, "--audio", str(wav), "--report", str(report), *options]
    process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, env=CALM)
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    return Played(json.loads(report.read_text()))


async def python_clip(address: str, pcm: Float32, **options: Any) -> Clip:
    def animate() -> Clip:
        with Client(address) as client:
            return client.animate_clip(pcm, StreamOptions(seed=1, **options))

    return await asyncio.to_thread(animate)


async def python_stream(address: str, pcm: Float32, **options: Any) -> Frames:
    """The frames of a live stream: models that act look further ahead in a clip."""
    encoded = np.clip(np.rint(pcm * 32768), -32768, 32767).astype(np.int16)
    async with AsyncClient(address) as client, client.animate(seed=1, slow_reader="wait", **options) as stream:

        async def send() -> None:
            await stream.send(encoded)
            await stream.finish()

        sending = asyncio.create_task(send())
        runs = [frames async for frames in stream]
        await sending
    return joined_frames(runs, len(ARKIT_NAMES))


def marked(pcm: Float32) -> Float32:
    """The same, with a first sample that is heard in what was played."""
    return np.concatenate([np.full(1, 0.01, np.float32), pcm[1:]])


def test_each_file_compiles_by_itself(tmp_path: Path) -> None:
    """Headers are complete, too: each is the first that its own file, or one of ours, includes."""
    with locked(FOLDER):
        generate()
    named = {path.stem for path in sources()}
    alone = "".join(f'#include "{path}"\n' for path in headers() if path.stem not in named)
    (tmp_path / "alone.cpp").write_text(alone)
    for path in [*sources(), tmp_path / "alone.cpp"]:
        words = [*COMPILER, "-include", str(FOLDER / "shared.h"), "-fsyntax-only", str(path)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr[:3000]


ADA = """{included}
#include "GameFramework/Actor.h"
class AAda : public AActor
{{
public:
	void Speak();
	void NextLine();
	UFaceStreamComponent* Voice;
	TArray<uint8> Bytes;
}};
void AAda::Speak()
{{
{body}}}
"""


def test_the_code_of_the_guide_compiles(tmp_path: Path) -> None:
    (code,) = (block.text for block in blocks("c") if block.page.name == "unreal.md")
    included, body = code.split("\n", 1)
    ada = ADA.format(included=included, body=body)
    with locked(FOLDER):
        generate()
    for text, compiles in ((ada, True), (ada.replace("PushPcm16", "PushPcm61"), False)):
        (tmp_path / "ada.cpp").write_text(text)
        words = [*COMPILER, "-include", str(FOLDER / "shared.h"), "-fsyntax-only", str(tmp_path / "ada.cpp")]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (told.returncode == 0) == compiles, told.stderr[:3000]


@pytest.mark.asyncio
async def test_whole_frames_are_those_of_the_python_client(
    program: Path, server: ServerProcess, tmp_path: Path
) -> None:
    pcm = marked(speech_of(3.0))
    expected = await python_clip(server.address, pcm)
    played = await play(program, server.address, recording(tmp_path, pcm), "--seed", "1", "--whole-frames")
    (subject,) = played.report["subjects"]
    assert (subject["name"], subject["role"]) == ("Ada", "ULiveLinkBasicRole")
    names = [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    assert subject["properties"][:52] == names
    assert subject["properties"][52:] == [
        f"{part}{angle}" for part in ("Head", "LeftEye", "RightEye") for angle in ("Yaw", "Pitch", "Roll")
    ]
    whole = [row for row in played.frames if row[1] == int(row[1])]
    assert [row[1] for row in whole[: expected.frames.count]] == list(range(expected.frames.count))
    found = np.stack([row[2] for row in whole[: expected.frames.count]])
    np.testing.assert_allclose(found[:, :52], expected.frames.weights, atol=1e-5)
    for pushed_at, index, _ in whole[: expected.frames.count]:
        heard = played.report["audio_began_at"] + index / 30
        assert heard - 1e-3 <= pushed_at <= heard + 2.1 * PICTURE_S, "never before its sound, and at once behind it"
    assert played.errors == []
    assert played.states == [CONNECTING, SPEAKING, SILENT]
    assert played.report["morphs_agree"]
    assert played.report["graph_agrees"]
    assert played.report["ended_at"] > 0
    assert "model live" in played.report["figures"]
    assert played.report["source"] == ["FaceStream", server.address, "Active, characters: 1"]
    heard = np.array(played.report["heard"], np.float32)
    assert heard.size >= 3.0 * 48000


def distance(played: Played, expected: Float32, fps: int, name: str = "JawOpen", share: float = 100) -> float:
    """How far the jaw of what was pushed is from the frames of `expected`, between which it lies; never ahead.

    Of a share of the pictures, in per cent: the rest may be farther away.
    """
    jaw, column = played.column(name), ARKIT_NAMES.index("jawOpen")
    begun, times = played.report["audio_began_at"], np.arange(len(expected))
    rows = [row for row in played.frames if row[0] >= begun]
    found = np.array([row[2][jaw] for row in rows])
    positions = np.array([row[1] for row in rows])
    # the time of day of the first frame is a whole frame at or before the first picture of the sound
    differences = []
    for first in range(3):
        inside = (positions + first >= 0) & (positions + first < len(expected) - 1)
        shown = np.interp(positions[inside] + first, times, expected[:, column])
        differences.append((float(np.percentile(np.abs(shown - found[inside]), share)), first))
    best, first = min(differences)
    ahead = [position + first - (at - begun) * fps for (at, position, _) in rows if at < begun + len(expected) / fps]
    assert max(ahead) < 0.05, "no face before its sound"
    assert np.ptp(found) > 0.1
    return best


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "options",
    [
        ("--fps", "60", "--by", "say", "--metahuman"),
        ("--fps", "30", "--by", "pcm16"),
        ("--fps", "30", "--by", "microphone", "--buffer", "500"),
        ("--fps", "30", "--by", "submix", "--buffer", "500"),
        ("--fps", "30", "--by", "delayed-submix", "--buffer", "500"),
    ],
    ids=lambda options: options[3],
)
async def test_pictures_lie_between_the_frames(
    program: Path, server: ServerProcess, tmp_path: Path, options: tuple[str, ...]
) -> None:
    pcm, fps = marked(speech_of(2.0)), int(options[1])
    expected = (await python_clip(server.address, pcm, frame_rate=FrameRate(fps))).frames.weights
    wav = recording(tmp_path, pcm, subtype="PCM_16")
    played = await play(program, server.address, wav, "--seed", "1", *options)
    name = "CTRL_expressions_jawOpen" if "--metahuman" in options else "JawOpen"
    spoken = round(1.6 * fps)  # a microphone's stream does not end with the recording
    if options[3] in ("microphone", "submix"):
        # nothing is played: a face is due half a second behind its capture
        played.report["audio_began_at"] = played.report["began_at"] + 0.5
    assert distance(played, expected[:spoken], fps, name) < 2e-3
    other = np.roll(expected[:spoken], -2, axis=0)
    assert distance(played, other, fps, name) > 0.02, "another two frames would be noticed"
    assert played.errors == []
    assert len(played.report["subjects"][0]["properties"]) == (76 if "--metahuman" in options else 52) + 9
    assert np.abs(played.last[:52]).max() == 0, "at rest at the end"


@pytest.mark.asyncio
async def test_playback_stays_with_the_audio_over_a_bad_network(
    program: Path, server: ServerProcess, tmp_path: Path
) -> None:
    pcm = marked(speech_of(3.0))
    expected = (await python_clip(server.address, pcm)).frames.weights
    wav = recording(tmp_path, pcm, subtype="PCM_16")
    async with network(server.address, jitter_s=0.08, loss=0.02, seed=4) as between:
        address = f"127.0.0.1:{between.port}"
        played = await play(program, address, wav, "--seed", "1", "--live", "--by", "say")
    assert played.errors == []
    # but for the moments behind a gap
    assert distance(played, expected, 30, share=90) < 0.02
    assert distance(played, np.roll(expected, -2, axis=0), 30, share=90) > 0.02, "another two frames would be noticed"


@pytest.mark.asyncio
@pytest.mark.parametrize("resumes", [True, False])
async def test_a_server_that_dies_mid_word_is_survived_or_told_once(
    program: Path, tmp_path: Path, resumes: bool
) -> None:
    pcm = speech(6.0 if resumes else 4.0)  # a busy machine is slow to start another server
    wav = recording(tmp_path, pcm)
    first = Server(settings(), load=lambda: [synthetic_pipeline()])
    await first.start()
    running = asyncio.create_task(play(program, first.address, wav, "--seed", "1", "--whole-frames", "--live"))
    await until(lambda: first.host.streams)
    await asyncio.sleep(1.5)
    await first.stop()
    if not resumes:
        played = await running
        (message,) = played.errors
        assert first.address in message
        assert played.states[-1] == FAILED
        assert np.abs(played.last[:52]).max() == 0
        heard = np.array(played.report["heard"], np.float32)
        assert np.flatnonzero(heard)[-1] > 3.9 * 48000, "the line is said to its end"
        return
    async with Server(settings(port=first.port), load=lambda: [synthetic_pipeline()]) as second:
        played = await running
        expected = await python_clip(second.address, pcm)
    assert played.errors == []
    assert RECONNECTING in played.states
    assert played.states[-1] == SILENT
    whole = {row[1]: row[2] for row in played.frames if row[1] == int(row[1])}
    jaw = ARKIT_NAMES.index("jawOpen")
    late = [index for index in range(30, 110) if index in whole]
    assert len(late) > 70
    for index in late:
        assert abs(whole[index][jaw] - expected.frames.weights[index, jaw]) < 2e-3


@pytest.mark.asyncio
async def test_each_fault_has_one_message_and_the_line_is_said(program: Path, tmp_path: Path) -> None:
    wav = recording(tmp_path, speech(0.4))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "roots.pem")

    async def fails(address: str, *options: str, is_said: bool = True) -> str:
        played = await play(program, address, wav, *options)
        (message,) = played.errors
        assert message.startswith("Ada: ")
        assert "\n" not in message
        assert played.states[-1] == FAILED
        assert played.report["source"][2] in ("", message.removeprefix("Ada: "))
        assert all(np.abs(row[5]).max() == 0 for row in played.report["frames"]), "the face is at rest"
        if is_said:
            assert len(played.report["heard"]) >= 0.4 * 48000 - 1024
            assert played.report["ended_at"] > 0
        return message

    async with Server(settings(tokens=("right",)), load=lambda: [synthetic_pipeline()]) as plain:
        assert "token" in await fails(plain.address, "--token", "wrong")
        assert "does not speak TLS" in await fails(
            plain.address, "--token", "right", "--tls", str(tmp_path / "roots.pem")
        )
        assert "there is: synthetic" in await fails(plain.address, "--token", "right", "--model", "nobody")
        tried = (await play(program, plain.address, wav, "--token", "right", "--try-it")).report["try_it"]
        assert tried.startswith("synthetic ")
        assert "token" in (await play(program, plain.address, wav, "--try-it")).report["try_it"]
    assert "is the server running there?" in await fails("127.0.0.1:1")
    assert "can not be read" in await fails("127.0.0.1:1", "--tls", "none.pem", is_said=False)
    assert "no microphone" in await fails("127.0.0.1:1", "--by", "microphone", "--no-microphone", is_said=False)
    assert "no audio device" in await fails("127.0.0.1:1", "--no-audio", is_said=False)


@pytest.mark.asyncio
async def test_a_server_that_never_answers_is_told_when_the_line_is_over(program: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        played = await play(program, address, recording(tmp_path, speech(0.4)), "--live")
    assert played.errors == [
        f"Ada: there was no connection to {address} when the line was over; is the server running there?"
    ]
    assert played.states[-1] == FAILED
    assert len(played.report["heard"]) >= 0.4 * 48000 - 1024, "the line is said"


WORDS = {
    "other service": "does not speak facestream.v1",
    "other version": "it speaks another version of facestream.v1",
    "a curve less": "sends 51 curves, where the 52 of ARKit belong",
    "another curve": "column 51 is earWiggle, where tongueOut belongs",
    "narrow frames": "not whole",
    "out of order": "4 where 9 was due",
}
"""What is said of the server that answers so."""


@pytest.mark.asyncio
@pytest.mark.parametrize("what", FAULTS)
async def test_a_server_of_another_kind_is_told_once_and_the_face_eases_to_rest(
    program: Path, tmp_path: Path, what: str
) -> None:
    async with grpc_server(FAULTS[what]) as address:
        played = await play(program, address, recording(tmp_path, speech(0.8)))
    (message,) = played.errors
    assert message.startswith("Ada: ")
    assert WORDS[what] in message
    assert address in message
    assert played.states[-1] == FAILED
    assert len(played.report["heard"]) >= 0.8 * 48000 - 1024, "the line is said"
    jaw = np.array([row[5][played.column("JawOpen")] for row in played.report["frames"]])
    assert jaw.max() == pytest.approx(OPENED if what == "out of order" else 0)
    assert np.diff(jaw).min() > -0.1, "eased, not dropped"
    assert np.abs(played.last[:52]).max() == 0


ACTING = {
    "deeptalk-compact": (("--emotion", "happy"), ("--act-emotion", "angry"), {"emotion": "happy"}),
    "diffposetalk-compact": (
        ("--style", "smiling"),
        ("--act-style", "stern"),
        {"styling": StylingChange(style="smiling")},
    ),
}
"""Of each model: how the component begins, what it asks for in the middle of the line, and the beginning in Python."""


@pytest.mark.asyncio
@pytest.mark.parametrize("model", ACTING)
async def test_a_character_acts_as_it_is_told_at_the_beginning_and_in_the_middle(
    program: Path, tmp_path: Path, model: str
) -> None:
    pcm, (begins, acts, asked) = marked(speech_of(2.6)), ACTING[model]
    wav = recording(tmp_path, pcm)
    async with Server(settings(), load=lambda: [open_pipeline(model)]) as server:
        expected = (await python_stream(server.address, pcm, **asked)).weights
        plain = (await python_stream(server.address, pcm[:16000])).weights
        played = await play(
            program, server.address, wav, "--seed", "1", "--whole-frames", *begins, *acts, "--act-at", "0.8"
        )
    assert played.errors == []
    found = np.stack([row[2][:52] for row in played.frames if row[1] == int(row[1])])
    # asked for when less than 0.8 s were heard, and less than 1.8 sent: from some sample between them on
    np.testing.assert_allclose(found[:20], expected[:20], atol=1e-5)
    assert np.abs(plain[:20] - expected[:20]).max() > 0.05, "another face than without being told"
    assert np.abs(found[60:78] - expected[60:78]).max() > 0.05


@pytest.mark.asyncio
async def test_what_a_model_can_not_act_is_told(program: Path, tmp_path: Path) -> None:
    wav = recording(tmp_path, speech(0.4))
    async with Server(settings(), load=lambda: [synthetic_pipeline()]) as server:
        (message,) = (await play(program, server.address, wav, "--emotion", "happy")).errors
    assert "this model can not act, its controls are mouth_strength, blinks and gaze" in message


@pytest.mark.asyncio
async def test_who_is_interrupted_or_runs_out_of_words_rests(
    program: Path, server: ServerProcess, tmp_path: Path
) -> None:
    wav = recording(tmp_path, speech_of(2.5))
    stopped = await play(program, server.address, wav, "--seed", "1", "--stop-at", "1.0")
    jaw = stopped.column("JawOpen")
    assert max(row[5][jaw] for row in stopped.report["frames"]) > 0.1
    assert np.abs(stopped.last[:52]).max() == 0
    steps = np.abs(np.diff([row[5][jaw] for row in stopped.report["frames"]]))
    assert steps.max() < 0.25, "eased, not dropped"
    stalled = await play(program, server.address, wav, "--seed", "1", "--stall-at", "1.0")
    at = [row for row in stalled.report["frames"] if 0.45 < row[0] - stalled.report["audio_began_at"] - 1.0 < 1.0]
    assert at
    assert max(np.abs(row[5][:52]).max() for row in at) < 1e-6, "the sound waits, and the face rests"
    assert stalled.report["ended_at"] > 0
