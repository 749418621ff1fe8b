"""The Godot add-on in Godot 4.6 for browsers, against real servers: what it shows, and what it says is wrong."""

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from engine_plugins.godot.tools.demo import write_demo
from engine_plugins.godot.tools.pack import packed, project_files

from facestream.audio.example import EXAMPLE
from facestream.cli.phones import read_phones
from facestream.client import AsyncClient
from facestream.curves import INDEX
from facestream.types import Float32
from facestream.visemes import visemes_of
from facestream_bench.server_process import running_server
from tests.docs.markdown import blocks
from tests.plugins.browser import HAS_BROWSER, Browser, browser, serving
from tests.plugins.godot.engine import GodotWeb
from tests.plugins.proxy import network
from tests.plugins.scripted import FAULTS, websocket_server
from tests.transports.loopback import loopback

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
RATE_HZ, FRAMES_HZ, SECONDS, LONGER_S = 16000, 30, 2.0, 4.0
SHUT, OPEN = ("p", "b", "m"), ("aa", "ae", "ay", "ow", "ao")


def script_of(text: str) -> str:
    """What a page shows, as a script of its own; sounds are imported by the editor, which is not here."""
    text = text.replace('preload("res://line.wav")', "AudioStreamWAV.new()")
    if "func _ready()" not in text:
        text = "var face: FaceStream\nvar jaw: Node3D\n\nfunc _said() -> void:\n\t" + text
    return f"extends Node\n{text}"


GUIDE = {f"guide_{block.page.stem.lower()}_{block.line}.gd": script_of(block.text) for block in blocks("gdscript")}
BROKEN = "extends Node\nfunc broken(:\n"


@dataclass
class Heard:
    """What the demo has told of itself. `shown`: position, starved, jawOpen, mouthClose, mouthFunnel, eyeBlinkLeft."""

    shown: list[list[float]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    shapes: int = 0
    problem: str = ""
    resumes: int = 0
    frames: int = 0
    is_read: bool = False

    @property
    def rows(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array(self.shown)

    def ends_at(self, rate_hz: float) -> float:
        """Seconds of the sound until the last face."""
        return self.rows[-1, 0] / rate_hz if self.shown else 0.0

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told if kind not in ("state", "spoken")]


@dataclass
class Demo:
    """The demo in a browser."""

    browser: Browser
    site: str

    async def ask(self, what: str, *values: object) -> None:
        """Begin something; what was told before is forgotten."""
        await self.heard(lambda _: True)
        await self._ask(what, *values)

    async def _ask(self, what: str, *values: object) -> None:
        await self.browser.evaluate(f"window.facestream.ask({', '.join(map(json.dumps, (what, *values)))}), 0")

    async def computed(self, what: str, value: object) -> Any:
        """What one of the functions of check.gd says."""
        code = f"window.check.ask({json.dumps(what)}, {json.dumps(json.dumps(value))}), window.check.last"
        return json.loads(await self.browser.evaluate(code))

    async def heard(self, until: Callable[[Heard], bool] = lambda heard: ("spoken", "") in heard.told) -> Heard:
        """Listen until something has happened; pytest's timeout ends a test for which it never does."""
        heard = Heard()
        while not until(heard) or not heard.is_read:
            await asyncio.sleep(0.2 if heard.is_read else 0)
            heard.is_read = True
            told = json.loads(await self.browser.evaluate("window.facestream.ask('report'), window.facestream.last"))
            heard.shown += told["shown"]
            heard.told += [tuple(one) for one in told["told"]]
            heard.resumes = max(heard.resumes, int(told["resumes"]))
            heard.frames = int(told["frames"])
            heard.shapes, heard.problem = int(told["shapes"]), told["problem"]
        return heard

    async def said(self, server: str, wav: str = "speech.wav", *, token: str = "", model: str = "") -> Heard:
        """Everything of a line that is said."""
        await self._ask("reach", server, token, model)
        await self.ask("speak", f"{self.site}/{wav}")
        return await self.heard()


@dataclass(frozen=True)
class Outcome:
    """What happened in one run of the engine, which takes long to start."""

    heard: Mapping[str, Heard]
    computed: Mapping[str, Any]
    expected: Float32
    expected_longer: Float32
    expected_synthetic: Float32
    errors: list[str]
    printed: list[str]
    picture: Path
    picture_of_rest: Path


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    if not HAS_BROWSER:
        pytest.skip("Chromium or npm is not here: apt-get install chromium npm")
    cache = Path(request.config.cache.mkdir("plugins"))
    return asyncio.run(story(cache, tmp_path_factory.mktemp("godot")))


async def story(cache: Path, folder: Path) -> Outcome:
    samples, _ = soundfile.read(EXAMPLE, dtype="int16")
    pcm = samples[: int(SECONDS * RATE_HZ)]
    write_demo(folder / "project")
    shutil.copy(HERE / "godot" / "check.gd", folder / "project")
    for name, text in GUIDE.items():
        (folder / "project" / name).write_text(text)
    (folder / "project" / "broken.gd").write_text(BROKEN)
    settings = folder / "project" / "project.godot"
    settings.write_text(settings.read_text() + '\n[autoload]\n\nCheck="*res://check.gd"\n')
    GodotWeb(cache.parent / "godot").write_site(folder / "site", packed(project_files(folder / "project")))
    soundfile.write(folder / "site" / "speech.wav", pcm, RATE_HZ, subtype="PCM_16")
    soundfile.write(folder / "site" / "word.wav", pcm[: RATE_HZ // 4], RATE_HZ, subtype="PCM_16")
    longer = samples[: int(LONGER_S * RATE_HZ)]
    soundfile.write(folder / "site" / "longer.wav", longer, RATE_HZ, subtype="PCM_16")
    heard: dict[str, Heard] = {}
    with serving(folder / "site") as site, running_server("live", 4, websocket_port=0, websocket_origins=["*"]) as live:
        async with AsyncClient(live.address) as client:
            expected = (await client.animate_clip(pcm)).frames.weights
            expected_longer = (await client.animate_clip(longer)).frames.weights
        async with browser(cache / "browser", folder / "site" / "speech.wav") as page:
            await page.open(f"{site}/index.html")
            await page.until("Boolean(window.facestream && window.check)")
            demo = Demo(page, site)
            computed = dict(await compute(demo))
            server = f"ws://{live.web_address}"
            heard["speech"] = await demo.said(server)
            await demo.ask("say", f"{site}/speech.wav")
            heard["voice"] = await demo.heard()
            for name in ("microphone", "microphone again"):
                await demo.ask("listen")
                heard[name] = await demo.heard(lambda heard: len(heard.shown) > 40 and heard.rows[:, 2].max() > 0.1)
                await demo.ask("stop")
            bus_rate_hz = await demo.computed("play_on_bus", f"{site}/speech.wav")
            computed["bus rate"] = bus_rate_hz
            heard["bus"] = await demo.heard(lambda heard: heard.ends_at(bus_rate_hz) > SECONDS)
            await demo.ask("stop")
            await demo.computed("forbid_microphone", None)
            await demo.ask("listen")
            heard["no microphone"] = await demo.heard(lambda heard: bool(heard.kinds))
            heard["restart"], expected_synthetic = await restart(demo, pcm)
            await mistakes(demo, server, heard)
            heard["held back"], heard["back again"] = await held_back(demo, live.web_address)
            async with network(live.web_address, cut_after_bytes=8000, refuses_after_cut=True) as between:
                heard["dies"] = await demo.said(f"ws://127.0.0.1:{between.port}")
            async with network(live.web_address, hold_after_bytes=8000) as between:
                await picture(demo, f"ws://127.0.0.1:{between.port}", 1.5, folder / "rest.png")
            await picture(demo, server, 0.38, folder / "godot.png")
    pictures = folder / "godot.png", folder / "rest.png"
    return Outcome(heard, computed, expected, expected_longer, expected_synthetic, page.errors, page.printed, *pictures)


async def compute(demo: Demo) -> Mapping[str, Any]:
    rng = np.random.default_rng(5)
    faces = np.where(rng.random((6, 52)) < 0.3, rng.random((6, 52)), 0).astype(np.float32)
    return {
        "faces": faces,
        "values": [await demo.computed("values_of", face.tolist()) for face in faces],
        "avatar": await demo.computed(
            "matched", ["head_jawOpen", "head_mouthSmile_L", "head_eyeBlinkRight", "head_hat"]
        ),
        "vroid": await demo.computed("matched", ["Fcl_MTH_A", "Fcl_MTH_U", "Fcl_EYE_Close_L", "Fcl_ALL_Joy"]),
        "oculus": await demo.computed("matched", ["viseme_PP", "viseme_I", "vrc.v_aa", "eyesClosed"]),
        "numbers": await demo.computed("numbers", ["0", "127", "300", "-1", str(2**63 - 1)]),
        "malformed": await demo.computed("malformed", ["0801", "08", "0a05ff", "0f", "08ffffffffffffffffffff01"]),
        "mixed": await demo.computed("mixed", 0.5),
        "turned": await demo.computed("turned", None),
        "answered": await demo.computed("answered_failures", None),
        "cost": await demo.computed("cost_of_capture", None),
    }


async def restart(demo: Demo, pcm: np.ndarray[Any, np.dtype[np.int16]]) -> tuple[Heard, Float32]:
    """A line during which the server goes, and another one comes in its place."""
    async with loopback(websocket_port=0, websocket_origins=("*",), drain_grace_s=0.1) as first:
        async with AsyncClient(first.server.address) as client:
            expected = (await client.animate_clip(pcm)).frames.weights
        port = int(str(first.server.web_address).rpartition(":")[2])
        await demo.ask("reach", f"ws://127.0.0.1:{port}", "", "")
        await demo.ask("speak", f"{demo.site}/speech.wav")
        before = await demo.heard(lambda heard: bool(heard.shown) and heard.rows[-1, 0] > 0.2 * RATE_HZ)
    async with loopback(websocket_port=port, websocket_origins=("*",)):
        after = await demo.heard()
    both = Heard(before.shown + after.shown, before.told + after.told, resumes=after.resumes)
    return both, expected


async def held_back(demo: Demo, server: str) -> tuple[Heard, Heard]:
    """A line whose frames stop for a while: as it was until then, and from then on."""
    async with network(server, hold_after_bytes=8000) as between:
        await demo.ask("reach", f"ws://127.0.0.1:{between.port}", "", "")
        await demo.ask("speak", f"{demo.site}/longer.wav")
        before = await demo.heard(lambda heard: bool(heard.shown) and heard.rows[-1, 0] > 1.6 * RATE_HZ)
        between.release()
        return before, await demo.heard()


async def picture(demo: Demo, server: str, at_s: float, path: Path) -> None:
    """The face of a moment, which takes seconds to draw."""
    await demo.ask("reach", server, "", "")
    await demo.computed("freeze_at", at_s * RATE_HZ)
    await demo.ask("speak", f"{demo.site}/speech.wav")
    await demo.heard(lambda heard: bool(heard.shown) and heard.rows[-1, 0] > at_s * RATE_HZ)
    await demo.computed("draw", True)
    await demo.browser.screenshot(path)
    await demo.computed("draw", False)


async def mistakes(demo: Demo, live: str, heard: dict[str, Heard]) -> None:
    async with loopback(websocket_port=0, websocket_origins=("*",), tokens=("right",)) as guarded:
        server = f"ws://{guarded.server.web_address}"
        heard["right token"] = await demo.said(server, "word.wav", token="right")
        heard["wrong token"] = await demo.said(server, "word.wav", token="wrong")
    heard["nobody"] = await demo.said(server, "word.wav")
    heard["TLS"] = await demo.said(live.replace("ws:", "wss:"), "word.wav")
    heard["unknown model"] = await demo.said(live, "word.wav", model="nobody")
    heard["no address"] = await demo.said("localhost:8080", "word.wav")
    for name in ("other version", "a curve less", "out of order"):
        async with websocket_server(FAULTS[name] or ()) as address:
            heard[name] = await demo.said(address, "word.wav")


def test_every_script_is_read_and_a_broken_one_is_noticed(outcome: Outcome) -> None:
    read = [line for line in outcome.printed if line.startswith("read ")]
    scripts = [path for path in (HERE.parents[1] / "engine_plugins/godot").rglob("*.gd") if path.name != "plugin.gd"]
    assert len(read) == len(scripts) + len(GUIDE) + 2, "those of the guide, check.gd and broken.gd beside ours"
    script_errors = [line for line in outcome.errors if "SCRIPT ERROR" in line or "Parse Error" in line]
    assert script_errors, "the broken script is told of"
    assert all("Expected parameter name" in line for line in script_errors), script_errors
    others = [
        line
        for line in outcome.errors
        if not line.lstrip().startswith(("at:", "SCRIPT ERROR", "GDScript backtrace"))
        and "broken.gd" not in line
        and not line.startswith(("ERROR: facestream: ", "WebSocket connection to"))
    ]
    assert others == []


def test_it_computes_what_the_package_does(outcome: Outcome) -> None:
    computed = outcome.computed
    np.testing.assert_allclose(np.array(computed["values"])[:, 52:67], visemes_of(computed["faces"]), atol=1e-4)
    assert computed["avatar"] == {
        "jawOpen": "head_jawOpen", "mouthSmileLeft": "head_mouthSmile_L", "eyeBlinkRight": "head_eyeBlinkRight",
    }  # fmt: skip
    assert computed["vroid"] == {"aa": "Fcl_MTH_A", "ou": "Fcl_MTH_U", "blinkLeft": "Fcl_EYE_Close_L"}
    assert computed["oculus"] == {"viseme_PP": "viseme_PP", "viseme_ih": "viseme_I", "viseme_aa": "vrc.v_aa"}
    written = [one[0] for one in computed["numbers"]]
    assert written == ["4800", "487f", "48ac02", "48ffffffffffffffffff01", "48ffffffffffffffff7f"]
    assert [one[1:] for one in computed["numbers"]] == [[text, 9] for text in ("0", "127", "300", "-1", str(2**63 - 1))]
    assert computed["malformed"] == [False, True, True, True, True]
    np.testing.assert_allclose(computed["mixed"], [0.5, 0.5, 1], atol=0.02)
    np.testing.assert_allclose(computed["turned"], [1, 0, 0], atol=1e-5)
    assert computed["answered"] == [2, True, True]


def shown_and_wanted(heard: Heard, expected: Float32) -> tuple[Any, Any, Any]:
    """Seconds, the opening between the lips as it was drawn, and what the frames of those moments say."""
    rows = heard.rows[heard.rows[:, 0] >= 0]
    gap = expected[:, INDEX["jawOpen"]] - expected[:, INDEX["mouthClose"]]
    starved = np.convolve(rows[:, 1], np.ones(4))[: len(rows)] > 0
    steady = rows[~starved]
    wanted = np.interp(steady[:, 0] * FRAMES_HZ / RATE_HZ, np.arange(len(gap)), gap)
    return steady[:, 0] / RATE_HZ, steady[:, 2] - steady[:, 3], wanted


@pytest.mark.parametrize("what", ["speech", "voice", "restart"])
def test_the_face_of_a_moment_is_shown_at_that_moment(outcome: Outcome, what: str) -> None:
    heard = outcome.heard[what]
    assert heard.kinds == []
    expected = outcome.expected_synthetic if what == "restart" else outcome.expected
    times, shown, wanted = shown_and_wanted(heard, expected)
    assert len(times) >= 12
    assert np.percentile(np.abs(shown - wanted), 85) < 0.03
    later = shown_and_wanted(heard, np.roll(expected, 3, axis=0))[2]
    assert np.percentile(np.abs(shown - later), 85) > 0.03, "three frames of delay are seen"
    assert (np.diff(heard.rows[heard.rows[:, 0] >= 0][:, 0]) >= 0).all(), "sound does not run backwards"
    assert np.abs(heard.rows[-1, 2:5]).max() < 0.05, "at rest when all is said"


def test_the_mouth_opens_on_vowels_and_shuts_on_bilabials(outcome: Outcome) -> None:
    assert outcome.heard["speech"].shapes >= 52
    times, gap, _ = shown_and_wanted(outcome.heard["speech"], outcome.expected)
    opened, shut = [], []
    for phone in read_phones(EXAMPLE):
        during = gap[(times >= phone.start_s + 0.02) & (times <= phone.end_s - 0.02)]
        if len(during) and phone.phone in OPEN:
            opened.append(during.max())
        elif len(during) and phone.phone in SHUT:
            shut.append(during.min())
    assert opened
    assert shut
    assert max(opened) > 0.2
    assert max(shut) < 0.05


def test_a_bus_moves_the_mouth(outcome: Outcome) -> None:
    """At some delay behind the beginning of the sound: the player starts when the browser lets it."""
    heard = outcome.heard["bus"]
    assert heard.kinds == []
    rows = heard.rows[(heard.rows[:, 0] >= 0) & (heard.rows[:, 1] == 0)]
    seconds, shown = rows[:, 0] / outcome.computed["bus rate"], rows[:, 2]
    jaw = outcome.expected[:, INDEX["jawOpen"]]

    def misses(delay_s: float, of: Float32) -> float:
        wanted = np.interp((seconds - delay_s) * FRAMES_HZ, np.arange(len(of)), of, left=0, right=0)
        return float(np.percentile(np.abs(shown - wanted), 85))

    delays = np.arange(0, 1, 0.01)
    assert shown.max() > 0.1
    assert min(misses(delay, jaw) for delay in delays) < 0.05
    assert min(misses(delay, jaw[::-1]) for delay in delays) > 0.05, "another line would be noticed"


def test_a_stream_goes_on_after_a_restart_of_the_server(outcome: Outcome) -> None:
    heard = outcome.heard["restart"]
    assert heard.resumes == 1
    states = [what for kind, what in heard.told if kind == "state"]
    assert states == ["streaming", "reconnecting", "streaming", "finished"]


def test_the_microphone_moves_the_mouth(outcome: Outcome) -> None:
    for name in ("microphone", "microphone again"):
        heard = outcome.heard[name]
        assert set(heard.kinds) <= {"no_microphone"}, "on a slow machine it is silent for long at first"
        assert heard.rows[:, 2].max() > 0.1
    told = outcome.heard["no microphone"].told
    assert "turn on Project Settings > Audio > Driver > Enable Input" in told[-1][1]
    assert [kind for kind, _ in told if kind != "state"] == ["no_microphone"]


def test_a_face_without_frames_eases_to_rest_and_comes_back(outcome: Outcome) -> None:
    """Through the node, on the shapes of the head: holds for 100 ms, rests within 250, joins within 80."""
    held, back = outcome.heard["held back"], outcome.heard["back again"]
    assert held.kinds == back.kinds == []
    jaw, last = outcome.expected_longer[:, INDEX["jawOpen"]], held.frames - 1
    assert 10 < last < 45
    ages = held.rows[:, 0] * FRAMES_HZ / RATE_HZ - last
    alone = held.rows[ages > 1]
    assert (alone[:, 1] == 1).all()
    eased = np.clip((ages[ages > 1] - 3) / 7.5, 0, 1)
    np.testing.assert_allclose(alone[:, 2], jaw[last] * (1 - eased * eased * (3 - 2 * eased)), atol=1e-3)
    assert len(alone[eased == 1]) > 0, "it came to rest"
    starved = np.flatnonzero(back.rows[:, 1] == 0)
    assert len(starved) > 12, "frames are back"
    _, shown, wanted = shown_and_wanted(back, outcome.expected_longer)
    assert np.percentile(np.abs(shown - wanted), 85) < 0.03
    assert shown.max() > 0.1
    assert np.abs(back.rows[-1, 2:5]).max() < 0.05, "at rest when all is said"


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("wrong token", "denied", "refused the token: the token was not accepted"),
        (
            "nobody",
            "unavailable",
            "is the server running there with --websocket-port, and without TLS (else use wss://)",
        ),
        ("TLS", "unavailable", "and with TLS (else use ws://)"),
        ("unknown model", "not_found", "no model named 'nobody'; there is: live"),
        ("no address", "invalid_value", "server: got localhost:8080; allowed: ws://HOST:PORT"),
        ("other version", "protocol", "answered without 'started'; it speaks another version"),
        ("a curve less", "protocol", "sends 51 curves and not 'tongueOut'"),
        ("out of order", "protocol", "sent frame 4 behind frame 8"),
        ("dies", "unavailable", "when the line was over; is the server running there?"),
    ],
)
def test_what_is_wrong_is_said_once_and_the_line_is_said_all_the_same(
    outcome: Outcome, what: str, kind: str, words: str
) -> None:
    heard = outcome.heard[what]
    assert heard.kinds == [kind]
    assert words in heard.problem
    assert sum(words in line for line in outcome.errors if line.startswith("ERROR: facestream: ")) == 1
    assert ("spoken", "") in heard.told
    assert np.abs(heard.rows[-1, 2:5]).max() < 0.05


def test_a_right_token_is_no_problem(outcome: Outcome) -> None:
    assert outcome.heard["right token"].kinds == []


def test_the_head_is_seen(outcome: Outcome) -> None:
    """Skin in the middle, and not in the corners: looked at by hand, too."""
    from PIL import Image

    picture = np.asarray(Image.open(outcome.picture).convert("RGB")).astype(int)
    middle, corner = picture[150:230, 190:290].reshape(-1, 3), picture[-40:, :40].reshape(-1, 3)
    redness = (middle[:, 0] - middle[:, 2]).mean()
    assert redness > 25
    assert redness > 5 * abs((corner[:, 0] - corner[:, 2]).mean())


def test_a_mouth_that_rests_is_seen_shut(outcome: Outcome) -> None:
    """In the middle of the same line, when its frames stay away: looked at by hand, too."""
    from PIL import Image

    speaking, resting = (
        np.asarray(Image.open(path).convert("L")).astype(int) for path in (outcome.picture, outcome.picture_of_rest)
    )
    changed = np.abs(speaking - resting) > 20
    assert changed[250:300, 200:280].sum() > 300, "mouth and chin"
    assert changed[:230].sum() < 100, "not the rest of the face"
